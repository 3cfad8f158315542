"""What both rivals do between parsing and writing: run the graph as our server does, and rank the species."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.iris import load_servable

Ranking = list[tuple[str, float]]


def make_predictor() -> tuple[Callable[[Sequence[float]], Ranking], int]:
    """Return a function from four measurements to labels with scores, best first, and the model's version."""
    servable = load_servable()
    signature = servable.find_signature(None)
    labels = servable.contract.outputs[0].labels

    def predict(values: Sequence[float]) -> Ranking:
        scores = servable.run(signature, {"features": np.array([values], dtype=np.float32)})["probabilities"][0]
        return [(labels[index], float(scores[index])) for index in np.argsort(-scores)]

    return predict, servable.version
