"""`python -m tests.fuzz`: fuzz each target for a while, from the seeds and the corpus, and keep what reached new code.

A case that breaks a promise goes into the corpus as `defect-...`, where the tests fail on it until it is mended.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import DICTIONARY, seeds
from tests.fuzz.targets import CORPUS, TARGETS

MOST_FILES, MOST_BYTES = 90, 300_000  # of one target in the corpus; the repository holds all three
LIMITS = ("-max_len=8192", "-timeout=60", "-rss_limit_mb=3000", "-verbosity=1", "-print_final_stats=1")


def main() -> int:
    """Fuzz; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default all)")
    parser.add_argument("--seconds", type=int, default=60, help="time of each target (default 60)")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"expected targets of {', '.join(TARGETS)}, received {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        print("tests.fuzz: atheris is not installed; run .venv/bin/pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    broken = [target for target in options.targets or TARGETS if not fuzz(target, options.seconds)]
    for target in broken:
        print(f"{target}: a promise was broken; the case stands in {CORPUS / target}, and its reason above")
    return 1 if broken else 0


def fuzz(target: str, seconds: int) -> bool:
    """Run one target and renew its corpus; return whether it kept its promise."""
    with tempfile.TemporaryDirectory() as name:
        folder, corpus = Path(name), CORPUS / target
        corpus.mkdir(parents=True, exist_ok=True)
        for made in ("seeds", "found", "merged"):
            (folder / made).mkdir()
        for case in seeds():
            content = case.written()
            (folder / "seeds" / hashlib.sha1(content).hexdigest()).write_bytes(content)
        (folder / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in DICTIONARY))
        inputs = [folder / "found", corpus, folder / "seeds"]
        arguments = [f"-max_total_time={seconds}", f"-dict={folder / 'words'}", f"-artifact_prefix={corpus}/defect-"]
        kept = _run(target, *LIMITS, *arguments, *inputs)
        merge = ["-merge=1", "-use_counters=0", f"-artifact_prefix={folder}/", *LIMITS, folder / "merged"]
        merged = _run(target, *merge, *inputs)
        if merged:
            _renew(corpus, folder / "merged")
        print(f"{target}: {len(list(corpus.iterdir()))} cases in {corpus}", flush=True)
        return kept


def _run(target: str, *arguments: object) -> bool:
    command = [sys.executable, "-m", "tests.fuzz.run", target, *map(str, arguments)]
    return subprocess.run(command, check=False).returncode == 0


def _renew(corpus: Path, merged: Path) -> None:
    """Put what was merged in the corpus's place, the smallest first as far as there is room; defects stay."""
    for old in corpus.iterdir():
        if not old.name.startswith("defect-"):
            old.unlink()
    left = MOST_BYTES
    for new in sorted(merged.iterdir(), key=lambda path: path.stat().st_size)[:MOST_FILES]:
        left -= new.stat().st_size
        if left >= 0:
            shutil.copyfile(new, corpus / new.name)


def _escaped(word: str) -> str:
    """Return a word as libFuzzer's dictionaries spell it."""
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    sys.exit(main())
