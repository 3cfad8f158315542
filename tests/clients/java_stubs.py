"""The public Java API that wsimport makes of each bundled contract, as golden text.

`python -m tests.clients.java_stubs` writes tests/data/stubs/java anew, from what `mvn compile` left in clients/java.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLASSES = ROOT / "clients/java/target/classes"
GOLDEN = ROOT / "tests/data/stubs/java"
MODELS = ("chat", "digit-reader", "digits", "faces", "inference", "iris", "language")


def public_api(model: str) -> str:
    """Return each class of a model's stubs with its public members, both sorted; javap must be on the path."""
    name = model.replace("-", "")  # a package's name
    package = f"org/soapsvc/client/{name}"
    files = sorted(path for path in (CLASSES / package).glob("*.class") if path.stem != "package-info")
    if not files:
        raise FileNotFoundError(f"no stubs in {CLASSES / package}: run mvn -f clients/java compile")
    command = ["javap", "-public", *map(str, files)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = text.replace(f"org.soapsvc.client.{name}.", "").replace("java.lang.", "")
    classes: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("  "):
            classes[-1].append(line)
        elif line.startswith(("public ", "final ", "class ", "interface ")):
            classes.append([line])
    return "".join("\n".join([head, *sorted(members), "}"]) + "\n" for head, *members in sorted(classes))


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        (GOLDEN / f"{model}.txt").write_text(public_api(model))


if __name__ == "__main__":
    main()
