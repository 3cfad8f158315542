"""Technique 4: inspect a model that comes with no word about its inputs, outputs and weights.

`inspect` answers "what are my output nodes?"; what it suggests is what `freeze` takes by default.

    python examples/techniques/inspect_model.py
"""

from shared import command, read_digits, train_digits, workplace


def main() -> None:
    """Train, look at all that the files tell, freeze what is suggested, serve, call."""
    with workplace():
        train_digits("model_ckpt")
        command("inspect", "model_ckpt")
        command("inspect", "model_ckpt", "--trainable")
        command("inspect", "model_ckpt", "--tensors")
        command("inspect", "model_ckpt", "--tensor", "digit/bias")
        command("inspect", "model_ckpt", "--text-graph", "train.pbtxt")
        command(
            "freeze", "model_ckpt", "--to", "models/inspected/1", "--outputs", "probabilities",
            "--constant", "keep_prob=1.0", "--labels", "labels.txt",
        )  # fmt: skip
        read_digits("inspected")


if __name__ == "__main__":
    main()
