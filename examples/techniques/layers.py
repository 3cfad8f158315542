"""A layer of one's own, which a Keras file names and does not hold."""

import keras


class Scale(keras.layers.Layer):
    """Multiplies its input by a number."""

    def __init__(self, factor: float, **options: object) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return inputs, any shape, times the factor."""
        return inputs * self.factor

    def get_config(self) -> dict[str, object]:
        """Return what the file keeps of this layer."""
        return {**super().get_config(), "factor": self.factor}
