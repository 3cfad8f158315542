"""Technique 6: convert a Keras model, with a class of one's own and two named outputs.

The custom layer's module is given by name; outputs get the names asked for, no `Identity_1`.

    python examples/techniques/keras_model.py
"""

import keras
from layers import Scale
from shared import command, digits, read_digits, workplace


def trained() -> keras.Model:
    """A Keras model, pixels float32 (n, 64) -> probabilities (n, 10) and hidden features (n, 32)."""
    keras.utils.set_random_seed(1)
    pixels = keras.Input([64], name="pixels")
    hidden = keras.layers.Dense(32, activation="relu", name="hidden")(Scale(2.0)(pixels))
    digit = keras.layers.Dense(10, activation="softmax", name="digit")(hidden)
    model = keras.Model(pixels, [digit, hidden])
    model.compile("adam", ["sparse_categorical_crossentropy", None])
    train, _, answers, _ = digits()
    model.fit(train, [answers, answers], epochs=30, verbose=0)
    return model


def main() -> None:
    """Train, save, freeze, serve, call."""
    with workplace():
        trained().save("digits.keras")
        command(
            "freeze", "digits.keras", "--to", "models/keras-model/1", "--custom-objects", "layers",
            "--output-names", "probabilities,features", "--labels", "labels.txt",
        )  # fmt: skip
        read_digits("keras-model")


if __name__ == "__main__":
    main()
