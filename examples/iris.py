"""Shows the shortest way from Keras to a model folder: named numbers in, scored labels out.

A small network learns scikit-learn's iris flowers; normalisation is part of the graph, so clients send
centimetres.

    python examples/iris.py [--to models/iris/1] [--force]
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen

SEED = 7
LABELS = ["setosa", "versicolor", "virginica"]
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Train, measure, freeze, compare, write."""
    parser = argparse.ArgumentParser(description="Train the iris example and write its model folder.")
    parser.add_argument("--to", type=Path, default=Path("models/iris/1"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace the folder if it exists")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    features, held_out, species, held_out_species = split()
    model = train(features, species)
    graph_def = freeze(served(model), inputs=["features"], outputs=["probabilities"])

    answers = run_frozen(graph_def, {"features": held_out}, ["probabilities"])["probabilities"]
    np.testing.assert_allclose(answers, model.predict(held_out, verbose=0), rtol=1e-5, atol=1e-6)
    right, total = int((answers.argmax(axis=1) == held_out_species).sum()), len(held_out)
    accuracy = f"Held-out accuracy {right / total:.1%} ({right} of {total} flowers not used in training)."
    print(accuracy)
    calls = [np.array([[5.1, 3.5, 1.4, 0.2]], np.float32), held_out[:1], held_out[1:2], held_out[:5]]
    write_folder(
        arguments.to,
        graph_def=graph_def,
        manifest=manifest(accuracy),
        labels=LABELS,
        warmup=[recorded(graph_def, rows) for rows in calls],
        force=arguments.force,
    )


def split() -> Split:
    """Training and held-out features (float32 (n, 4), centimetres) and species (int (n,)), stratified."""
    features, species = load_iris(return_X_y=True)
    parts: Split = train_test_split(
        features.astype(np.float32), species, test_size=0.3, stratify=species, random_state=SEED
    )
    return parts


def train(features: np.ndarray, species: np.ndarray) -> keras.Model:
    """A multi-layer perceptron: float32 (batch, 4) in centimetres -> probabilities (batch, 3)."""
    normalise = keras.layers.Normalization()
    normalise.adapt(features)
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            normalise,
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(features, species, batch_size=32, epochs=60, verbose=0)
    return model


def served(model: keras.Model) -> tf.types.experimental.ConcreteFunction:
    """The model as a function of one named tensor."""
    specification = [tf.TensorSpec([None, 4], tf.float32, "features")]
    return tf.function(lambda features: model(features, training=False), specification).get_concrete_function()


def recorded(graph_def: tf.compat.v1.GraphDef, rows: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """A golden call for warm-up."""
    return {
        "inputs": {"features": rows},
        "outputs": run_frozen(graph_def, {"features": rows}, ["probabilities"]),
    }


def manifest(accuracy: str) -> dict[str, object]:
    """model.yaml, but for the graph's checksum."""
    return {
        "format": 1,
        "name": "iris",
        "description": f"Species of an iris flower from four measurements. {accuracy}",
        "signatures": {
            "predict": {
                "inputs": {"features": {"tensor": "features:0", "dtype": "float32", "shape": ["batch", 4]}},
                "outputs": {"probabilities": {"tensor": "probabilities:0", "dtype": "float32", "shape": ["batch", 3]}},
            }
        },
        "contract": {
            "version": 1,
            "inputs": {
                "features": {
                    "columns": ["sepalLength", "sepalWidth", "petalLength", "petalWidth"],
                    "description": "centimetres",
                    "finite": True,
                }
            },
            "outputs": {"probabilities": {"as": "scoredLabels", "labels": "labels.txt", "top": 3}},
        },
        "warmup": {"file": "warmup.jsonl", "rtol": 1.0e-3, "atol": 1.0e-5},
        "limits": {"max_batch": 1000},
    }


if __name__ == "__main__":
    main()
