"""Tries versions in a process of its own first, since a graph can end the process that loads it.

The child loads one version after the other and says before each that it begins: if it dies, the one that it was at
is the cause, and another child goes on with the rest. Its priority is low: calls go before.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from soapsvc.errors import LoadError
from soapsvc.model.source import VersionFolder

log = logging.getLogger(__name__)


def try_versions(
    folders: Sequence[VersionFolder],
    op_libraries: tuple[str, ...],
    timeout_s: float,
    pipeline_code: tuple[str, ...] = (),
) -> dict[VersionFolder, str]:
    """Return the reason of each version that can't be loaded. timeout_s: for one version."""
    reasons: dict[VersionFolder, str] = {}
    allowed = {"op_libraries": op_libraries, "pipeline_code": pipeline_code}
    rest = list(folders)
    while rest:
        code, output, errors = _run_child(rest, allowed, timeout_s * len(rest))
        begun, done = 0, 0
        for answer in map(json.loads, output.splitlines()):
            begun += "begins" in answer
            done += "reason" in answer
            if answer.get("reason"):
                reasons[rest[done - 1]] = answer["reason"]
        if done < len(rest):
            culprit = rest[done]
            reasons[culprit] = _how_it_ended(code, timeout_s, begun > done)
            log.error("trial of %s version %d: %s\n%s", culprit.name, culprit.version, reasons[culprit], errors[-4000:])
        rest = rest[done + 1 :]
    return reasons


def own_path() -> dict[str, str]:
    """Return an environment in which another Python finds the modules that this one does."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _run_child(
    folders: Sequence[VersionFolder], allowed: Mapping[str, tuple[str, ...]], timeout_s: float
) -> tuple[int | None, str, str]:
    """Return the child's exit code, None for one that took too long, its answers, and what it wrote to its log."""
    request = {"folders": [str(folder.path.resolve()) for folder in folders], **allowed}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "soapsvc.model.trial"], input=json.dumps(request).encode(),
            capture_output=True, timeout=timeout_s, env=own_path(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as err:
        return None, (err.stdout or b"").decode(errors="replace"), (err.stderr or b"").decode(errors="replace")
    except OSError as err:
        return 1, "", f"no process can be started: {err.strerror}"
    return child.returncode, child.stdout.decode(errors="replace"), child.stderr.decode(errors="replace")


def _how_it_ended(code: int | None, timeout_s: float, begun: bool) -> str:
    if code is None:
        return f"takes longer than {timeout_s:g} s to load in the trial process"
    if not begun:
        return "can't be tried: the trial process did not start; the log has more"
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"ends the process that loads it ({how}), as the trial process showed; the log has more"


def _answers(request: dict[str, list[str]]) -> Iterator[dict[str, str | None]]:
    from soapsvc.model.loader import load  # imports TensorFlow

    op_libraries, pipeline_code = tuple(request["op_libraries"]), tuple(request["pipeline_code"])
    for path in map(Path, request["folders"]):
        yield {"begins": str(path)}
        reason = None
        try:
            folder = VersionFolder(path.parent.name, int(path.name), path)
            load(folder, op_libraries, pipeline_code).graph.close()
        except LoadError as err:
            reason = str(err)
        except Exception as err:
            log.exception("%s can't be loaded", path)
            reason = f"unexpected {err.__class__.__name__}; the log has more"
        yield {"reason": reason}


def main() -> None:
    """Read what to try from standard input, and answer line by line on standard output."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(5)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    logging.basicConfig(level=logging.ERROR)
    for answer in _answers(json.load(sys.stdin)):
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
