"""Faults of the machine: full disks, a log that takes nothing, cut files, lost permissions, clocks that jump."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from tests.authoring.test_freeze_command import scores_pb
from tests.conftest import ROOT, Server, serving
from tests.transport.test_hot_swap import answer, label, models, page, publish, state, telling, wait_for

__all__ = ["models", "scores_pb"]  # fixtures
FAKETIME = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
WATCHFUL = ("--watch-interval-s", "0.2", "--trial-load", "never")


# Full disks


def on_full_disk(given: Path, command: Sequence[str]) -> tuple[int, str, list[str]]:
    """Run a command in a copy of a folder on a disk without one free byte; return code, stderr and all files.

    The disk is a tmpfs in a mount namespace of its own, which ends with the command.
    """
    script = f"""
        mount -t tmpfs -o size=256k tmpfs /mnt && cp -r {given}/. /mnt && cd {ROOT} || exit 99
        cat /dev/zero > /mnt/filling 2>/dev/null
        "$@"
        code=$?
        cd /mnt && rm filling && find . -type f -o -name '.*.new' | sort
        exit $code
    """
    unshare = ["unshare", "--mount", *(["--map-root-user"] if os.getuid() else [])]
    done = subprocess.run([*unshare, "sh", "-c", script, "sh", *command], capture_output=True, text=True, timeout=300)
    assert done.returncode != 99, done.stderr
    files = [line for line in done.stdout.splitlines() if line.startswith("./")]
    return done.returncode, done.stderr, files


def test_label_on_a_full_disk_changes_nothing_and_says_so(models: Path) -> None:
    before = sorted(f"./{path.relative_to(models)}" for path in models.rglob("*") if path.is_file())
    command = [sys.executable, "-m", "soapsvc", "label", "teller", "stable", "1", "--models", "/mnt"]
    code, errors, files = on_full_disk(models, command)
    assert code == 1
    told = "/mnt/teller/labels.yaml: can't be written: No space left on device; nothing was changed"
    assert errors == f"soapsvc: {told}\n"
    assert files == before


def test_freeze_on_a_full_disk_leaves_nothing_and_says_so(scores_pb: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    command = [sys.executable, "-m", "soapsvc", "freeze", str(scores_pb), "--to", "/mnt/models/scores/1"]
    code, errors, files = on_full_disk(tmp_path / "empty", [*command, "--constant", "keep_prob=1.0"])
    assert code == 1
    assert "No space left on device" in errors.splitlines()[-1]
    assert "/mnt/models/scores/1" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert files == []


def test_log_that_can_not_be_written_stops_no_call(models: Path, tmp_path: Path) -> None:
    under = ("sh", "-c", 'exec "$@" 2>/dev/full', "sh")
    with serving(models, tmp_path / "server.log", *WATCHFUL, "--message-log", "all", under=under) as server:
        assert [answer(server) for _ in range(3)] == [1, 1, 1]
        publish(models, 2)
        wait_for(lambda: state(server, 2)["state"] == "AVAILABLE", server)
        assert answer(server) == 2
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0


# Files


def test_graph_that_is_cut_anywhere_is_refused_and_the_old_version_serves(models: Path, tmp_path: Path) -> None:
    whole = telling(9)
    sizes = [0, 1, 7, *range(len(whole) // 8, len(whole) - 1, len(whole) // 8)]
    for version, size in enumerate(sizes, start=2):
        publish(models, version, whole[:size] or b"\x00")
    with serving(models, tmp_path / "server.log", "--trial-load", "never") as server:
        assert answer(server) == 1
        for version in range(2, 2 + len(sizes)):
            assert state(server, version)["failed"]
            assert f"teller/{version}/" in state(server, version)["reason"]
        assert "Traceback" not in server.logged()


def test_permission_that_is_lost_is_told_and_the_old_version_serves(models: Path, tmp_path: Path) -> None:
    without_power = "--bounding-set=-dac_override,-dac_read_search"  # of root's to read what it may not
    under = () if os.getuid() else ("setpriv", without_power)
    with serving(models, tmp_path / "server.log", *WATCHFUL, under=under) as server:
        path = publish(models, 2, telling(2))
        (path / "model.pb").chmod(0)
        (models / "teller/1/model.pb").chmod(0)
        wait_for(lambda: state(server, 2)["state"] in ("END", "AVAILABLE"), server)
        path = publish(models, 3, telling(3))
        (path / "model.pb").chmod(0o644)
        wait_for(lambda: state(server, 3)["state"] == "AVAILABLE", server)
        assert answer(server) == 3
        (models / "teller").chmod(0)
        wait_for(lambda: bool(page(server)["problems"]), server)
        assert "can't be listed (Permission denied)" in page(server)["problems"][0]
        assert answer(server) == 3
        (models / "teller").chmod(0o755)
        wait_for(lambda: page(server)["problems"] == [], server)


def test_graph_that_may_not_be_read_is_named_at_start(models: Path, tmp_path: Path) -> None:
    under = () if os.getuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    (publish(models, 2) / "model.pb").chmod(0)
    with serving(models, tmp_path / "server.log", "--trial-load", "never", under=under) as server:
        assert state(server, 2)["reason"] == "teller/2/model.pb: can't be read: Permission denied"
        assert answer(server) == 1


# Others on the same machine


def test_two_servers_on_one_folder_follow_one_label(models: Path, tmp_path: Path) -> None:
    publish(models, 2)
    arguments = (*WATCHFUL, "--version-policy", '{"*": "all"}', "--pid-file")
    with (
        serving(models, tmp_path / "one.log", *arguments, str(tmp_path / "one")) as one,
        serving(models, tmp_path / "two.log", *arguments, str(tmp_path / "two")) as two,
    ):
        for version in (1, 2):
            label(models, "stable", str(version))
            for server in (one, two):
                wait_for(lambda server=server, version=version: places(server) == [version], server)  # type: ignore[misc]
                assert answer(server, "/labels/stable") == version
        assert (answer(one), answer(two)) == (2, 2)


def places(server: Server) -> list[int]:
    return [each["version"] for each in page(server)["labels"]]


# The clock


@contextmanager
def clock(folder: Path, server_log: Path, models: Path) -> Iterator[tuple[Server, Path]]:
    """Run a server whose wall clock reads what a file tells, as `+3600`; give the server and the file."""
    assert FAKETIME is not None, "install libfaketime: apt-get install libfaketime"
    jump = folder / "jump"
    jump.write_text("+0\n")
    under = (
        "env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={jump}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    )  # fmt: skip
    arguments = (*WATCHFUL, "--request-timeout-s", "30", "--header-timeout-s", "30")
    with serving(models, server_log, *arguments, under=under) as server:
        yield server, jump


def test_clock_that_jumps_hours_stops_nothing(models: Path, tmp_path: Path) -> None:
    with clock(tmp_path, tmp_path / "server.log", models) as (server, jump):
        version = 1
        for seconds in ("+3600", "-3600", "+0"):
            jump.write_text(f"{seconds}\n")
            wait_for(lambda seconds=seconds: abs(told_clock(server) - float(seconds)) < 300, server)  # type: ignore[misc]
            scans = page(server)["scans"]
            wait_for(lambda scans=scans: page(server)["scans"] > scans + 1, server)  # type: ignore[misc]
            version += 1
            publish(models, version)
            wait_for(lambda version=version: state(server, version)["state"] == "AVAILABLE", server)  # type: ignore[misc]
            assert answer(server) == version
            response = requests.post(
                f"{server.url}/soap/teller/v1", b"<a/>", headers={"Content-Type": "text/xml", "X-Deadline-Ms": "60000"},
                timeout=60,
            )  # fmt: skip
            assert "DeadlineExceeded" not in response.text
        assert "Traceback" not in server.logged()


def told_clock(server: Server) -> float:
    """Return by how many seconds the server's clock differs from this machine's, from the date of an answer."""
    date = requests.get(f"{server.url}/health/live", timeout=60).headers["Date"]
    return parsedate_to_datetime(date).timestamp() - time.time()


def test_durations_are_taken_from_no_wall_clock() -> None:
    """The wall clock is the time of a change of state, of a call's line and of its spans, which are only shown,
    waitress's for idle connections, that of sessions and sign-ins, which outlast the process, and what a conversation
    tells when it is asked for the time.

    A clock that jumps ahead closes connections on which nothing is under way, and lets sessions expire.
    """
    uses = {
        path.name
        for path in (ROOT / "soapsvc").rglob("*.py")
        if any(name in path.read_text() for name in ("time.time(", "datetime.now(", "utcnow("))
    }
    shown, outlasting = {"service.py", "soap_handler.py", "spans.py", "status.py"}, {"admin.py", "sqlite_store.py"}
    assert uses == shown | outlasting | {"waitress_channel.py"}
