"""Technique 5: freeze a model before serving it, and see what that saves.

Adam keeps two numbers beside each weight, so freezing leaves a third of a checkpoint, and a little for the graph: much
of this small one's file. With plain gradient descent there is nothing to drop, and no gain in size.

    python examples/techniques/freeze_model.py
"""

from pathlib import Path

from shared import command, read_digits, train_digits, workplace


def main() -> None:
    """Train, freeze, compare sizes, serve, call."""
    with workplace():
        train_digits("model_ckpt")
        command(
            "freeze", "model_ckpt", "--to", "models/frozen/1", "--outputs", "probabilities",
            "--constant", "keep_prob=1.0", "--labels", "labels.txt",
        )  # fmt: skip
        before = Path("model_ckpt.data-00000-of-00001").stat().st_size
        after = Path("models/frozen/1/model.pb").stat().st_size
        print(f"weights in the checkpoint: {before} bytes; frozen graph: {after} bytes, {after / before:.0%}")
        read_digits("frozen")


if __name__ == "__main__":
    main()
