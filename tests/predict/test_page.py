"""docs/predict.md: its options are the command's, and its examples print what it says."""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from soapsvc.predict.command import add_predict_parser
from tests.conftest import ROOT, Server

PAGE = (ROOT / "docs/predict.md").read_text()
NUMBER = re.compile(r"\d+\.\d+(e-\d+)?")


def rounded(text: str) -> str:
    """Return text whose fractions have three digits, since the last ones differ between machines."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.3g}", text)


def test_page_lists_every_option() -> None:
    commands = argparse.ArgumentParser().add_subparsers()
    add_predict_parser(commands)
    options = set(re.findall(r"(--[a-z-]+)", commands.choices["predict"].format_help())) - {"--help"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)) == options


def test_examples_print_what_the_page_says(server: Server, tmp_path: Path) -> None:
    (tmp_path / "flowers.csv").write_text(re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)[0])
    (tmp_path / "models").symlink_to(ROOT / "models")
    golden = json.loads((ROOT / "models/digits/1/warmup.jsonl").read_text().splitlines()[0])
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "one.png").write_bytes(base64.b64decode(golden["inputs"]["images"][0]["b64"]))
    (examples,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", examples, re.MULTILINE)
    assert len(commands) == 5
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for command, shown in commands:
        here = command.replace("http://localhost:8080", server.url).replace("python ", f"{sys.executable} ")
        done = subprocess.run(
            here, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        said = [line for line in done.stderr.splitlines() if line.startswith("soapsvc:")]  # TensorFlow speaks there too
        assert rounded(done.stdout + "".join(f"{line}\n" for line in said)) == rounded(shown)
    (answer,) = json.loads((tmp_path / "digits.json").read_text())
    assert answer["probabilities"][0]["label"] == "1"
