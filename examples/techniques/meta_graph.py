"""Technique 1: import the model's graph from its meta file, and its weights from the checkpoint.

The graph is the one that was trained, with dropout and Adam. `freeze` imports it, restores the weights, takes the
output from the collection where the author put it, holds dropout off, and leaves training behind.

    python examples/techniques/meta_graph.py
"""

from shared import command, read_digits, train_digits, workplace


def main() -> None:
    """Train, freeze from the meta graph, serve, call."""
    with workplace():
        train_digits("model_ckpt")
        command(
            "freeze", "model_ckpt.meta", "--to", "models/meta-graph/1",
            "--collection", "answers", "--constant", "keep_prob=1.0", "--labels", "labels.txt",
        )  # fmt: skip
        read_digits("meta-graph")


if __name__ == "__main__":
    main()
