import jakarta.jws.WebService;
import stubs.iris.ArrayOfInstance;
import stubs.iris.ArrayOfPrediction;
import stubs.iris.ArrayOfScoredLabel;
import stubs.iris.Iris;
import stubs.iris.ModelInfo;
import stubs.iris.Prediction;
import stubs.iris.ScoredLabel;

/** What a team would write behind the generated interface: the three labels, the best first. */
@WebService(endpointInterface = "stubs.iris.Iris", targetNamespace = "urn:soapsvc:iris:v1")
public final class IrisEndpoint implements Iris {

    private static final String[] SPECIES = {"setosa", "versicolor", "virginica"};

    private final Scorer scorer;

    public IrisEndpoint(Scorer scorer) {
        this.scorer = scorer;
    }

    @Override
    public Prediction predict(double sepalLength, double sepalWidth, double petalLength, double petalWidth) {
        float[] scores = scorer.score(
            new float[] {(float) sepalLength, (float) sepalWidth, (float) petalLength, (float) petalWidth});
        ArrayOfScoredLabel ranking = new ArrayOfScoredLabel();
        for (int index : Scorer.ranked(scores)) {
            ScoredLabel scored = new ScoredLabel();
            scored.setLabel(SPECIES[index]);
            scored.setScore(scores[index]);
            ranking.getItem().add(scored);
        }
        Prediction prediction = new Prediction();
        prediction.setProbabilities(ranking);
        prediction.setModelVersion(1);
        return prediction;
    }

    @Override
    public ArrayOfPrediction predictBatch(ArrayOfInstance instances) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ModelInfo getModelInfo() {
        throw new UnsupportedOperationException();
    }
}
