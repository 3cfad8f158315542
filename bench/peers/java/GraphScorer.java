import java.nio.file.Files;
import java.nio.file.Path;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.NdArrays;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.types.TFloat32;

/** The frozen graph in TensorFlow Java. */
public final class GraphScorer implements Scorer {

    private static final Shape ROW = Shape.of(1, 4);

    private final Session session;

    public GraphScorer(String file) throws Exception {
        Graph graph = new Graph();
        graph.importGraphDef(GraphDef.parseFrom(Files.readAllBytes(Path.of(file))));
        session = new Session(graph);
    }

    @Override
    public float[] score(float[] features) {
        try (TFloat32 row = TFloat32.tensorOf(NdArrays.wrap(ROW, DataBuffers.of(features)));
            Result result = session.runner().feed("features", row).fetch("probabilities").run()) {
            TFloat32 scores = (TFloat32) result.get(0);
            return new float[] {scores.getFloat(0, 0), scores.getFloat(0, 1), scores.getFloat(0, 2)};
        }
    }
}
