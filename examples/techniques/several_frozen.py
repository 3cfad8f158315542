"""Technique 7: deploy several frozen models together, one from TF1 and one from Keras.

Each frozen graph goes under a scope of its own in one graph and one session, and both read the same picture. Models
that have nothing to do with each other need none of this: the server serves every folder in `models`.

    python examples/techniques/several_frozen.py
"""

from pathlib import Path

import zeep
from keras_model import trained
from shared import LABELS, command, digits, report, serving, train_digits, workplace

WIRING = """\
inputs:
  pixels: [old.pixels, new.pixels]
outputs:
  first: old.probabilities
  second: new.probabilities
"""


def main() -> None:
    """Train and freeze two models, join their frozen graphs, serve, call."""
    with workplace():
        train_digits("model_ckpt")
        command(
            "freeze", "model_ckpt", "--to", "parts/old/1", "--outputs", "probabilities", "--constant", "keep_prob=1.0"
        )  # fmt: skip
        trained().save("digits.keras")
        command(
            "freeze", "digits.keras", "--to", "parts/new/1", "--custom-objects", "layers",
            "--output-names", "probabilities,features",
        )  # fmt: skip
        Path("wiring.yaml").write_text(WIRING)
        command(
            "freeze", "--part", "old=parts/old/1/model.pb", "--part", "new=parts/new/1/model.pb",
            "--wiring", "wiring.yaml", "--to", "models/two-opinions/1",
        )  # fmt: skip
        _, held_out, _, answers = digits()
        with serving() as url:
            service = zeep.Client(f"{url}/soap/two-opinions/v1?wsdl").service
            predictions = service.predictBatch({"item": [{"pixels": {"item": row.tolist()}} for row in held_out[:100]]})
        both = [[sum(scores) for scores in zip(one.first.item, one.second.item, strict=True)] for one in predictions]
        report("two-opinions", [int(LABELS[scores.index(max(scores))]) for scores in both], answers[:100])


if __name__ == "__main__":
    main()
