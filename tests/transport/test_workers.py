"""Several worker processes on one socket: killed, reloaded, drained, and left by their supervisor."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from soapsvc.settings import Settings
from soapsvc.transport.run import run
from soapsvc.transport.start import StartError
from soapsvc.transport.supervisor import Orders
from tests.conftest import ROOT, Server, serving, until
from tests.model.folders import graph_bytes
from tests.transport.test_hot_swap import aborting, answer, label, page, publish
from tests.transport.test_overload import HEADERS, IRIS, LONG, slow

WAIT_S = 300.0


def processes(server: Server) -> dict[int, int]:
    """Return each worker's process id, of those that serve."""
    return {each["worker"]: each["pid"] for each in page(server)["workers"] if each["pid"] is not None}


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def session(server: Server) -> tuple[requests.Session, int]:
    """Return a kept connection, and the worker that it leads to."""
    kept = requests.Session()
    return kept, kept.get(f"{server.url}/health/models", timeout=60).json()["worker"]


def sessions(server: Server) -> dict[int, requests.Session]:
    """Return a kept connection to each of two workers."""
    found: dict[int, requests.Session] = {}
    others: list[requests.Session] = []  # they stay open: the next leads elsewhere
    end = time.monotonic() + WAIT_S  # a worker that is ready does not listen yet
    while len(found) < 2:
        assert time.monotonic() < end, "all connections lead to one worker"
        kept, worker = session(server)
        if found.setdefault(worker, kept) is not kept:
            others.append(kept)
            time.sleep(0.02)
        if len(others) > 50:
            others.pop(0).close()
    return found


def post(kept: requests.Session, url: str, body: bytes, **headers: str) -> requests.Response:
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return kept.post(url, body, headers=named, timeout=120)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models iris, slow and teller."""
    folder = tmp_path_factory.mktemp("workers") / "models"
    shutil.copytree(ROOT / "models/iris", folder / "iris")
    subprocess.run([sys.executable, "tests/transport/slow_model.py", str(folder / "slow/1")], cwd=ROOT, check=True)
    publish(folder, 1)
    return folder


@pytest.fixture(scope="module")
def two(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers that watch the folder closely."""
    folder = tmp_path_factory.mktemp("two")
    arguments = ("--workers", "2", "--watch-interval-s", "0.2", "--pid-file", str(folder / "pid"))
    with serving(models, folder / "server.log", *arguments, "--trial-load", "never") as running:
        yield running


def test_workers_are_processes_of_their_own_that_both_answer(two: Server) -> None:
    assert sorted(processes(two)) == [1, 2]
    pids = set(processes(two).values())
    assert len(pids | {two.process.pid}) == 3
    assert {os.getpgid(pid) for pid in pids} == pids  # Ctrl-C in a terminal is the supervisor's to handle
    for kept in sessions(two).values():
        assert "setosa" in post(kept, f"{two.url}/soap/iris/v1", IRIS).text
    assert all(f"worker {number} (process {pid}) is ready" in two.logged() for number, pid in processes(two).items())


def test_burst_of_connections_is_shared_by_the_workers(two: Server) -> None:
    parts = urlsplit(two.url)
    connections = [socket.create_connection((parts.hostname, parts.port or 80), timeout=60) for _ in range(16)]
    answers = []
    for each in connections:
        each.sendall(b"GET /health/models HTTP/1.0\r\nHost: x\r\n\r\n")
    for each in connections:
        with each:
            answers.append(b"".join(iter(lambda each=each: each.recv(65536), b"")))  # type: ignore[misc]
    taken = Counter(found[1] for found in (re.search(rb'"worker": (\d)', each) for each in answers) if found)
    assert sum(taken.values()) == 16
    assert min(taken[b"1"], taken[b"2"]) >= 2  # 8 on an idle machine


class Client:
    """A kept connection that calls without pause, and what came of it."""

    def __init__(self, server: Server) -> None:
        self._server, (self._session, self.worker) = server, session(server)
        self.failed, self.wrong, self.right = 0, [], 0  # type: tuple[int, list[str], int]

    def call(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                response = post(self._session, f"{self._server.url}/soap/iris/v1", IRIS)
            except requests.ConnectionError:
                self.failed += 1
                continue
            if response.status_code == 200 and ">setosa<" in response.text and response.text.endswith("Envelope>"):
                self.right += 1
            else:
                self.wrong.append(response.text)


def test_killed_worker_fails_its_own_calls_only_and_is_started_anew(two: Server) -> None:
    clients, stop = [Client(two) for _ in range(8)], threading.Event()
    before = processes(two)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(each.call, stop) for each in clients]
        try:
            until(lambda: all(each.right for each in clients))
            os.kill(before[1], signal.SIGKILL)
            until(lambda: {**before, **processes(two)}[1] != before[1], WAIT_S)
            mark = [each.right for each in clients]
            until(lambda: all(each.right > seen for each, seen in zip(clients, mark, strict=True)))
        finally:
            stop.set()
        assert [each.exception() for each in calls] == [None] * 8
    assert [each.wrong for each in clients] == [[]] * 8
    assert {each.worker for each in clients} == {1, 2}
    assert [each.failed for each in clients if each.worker == 2] == [0] * sum(each.worker == 2 for each in clients)
    assert max(each.failed for each in clients) <= 1  # the call in the worker, or sent as it ended; no later one
    assert processes(two)[2] == before[2]
    assert f"worker 1 (process {before[1]}) ended by SIGKILL; its restart number 1 begins now" in two.logged()
    assert "setosa" in post(sessions(two)[1], f"{two.url}/soap/iris/v1", IRIS).text


def test_worker_that_is_terminated_drains_and_is_replaced(two: Server) -> None:
    kept, before = sessions(two)[2], processes(two)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(post, kept, f"{two.url}/soap/slow/v1", slow(LONG))
        until(lambda: is_full(two, 2))
        os.kill(before[2], signal.SIGTERM)
        assert call.result().status_code == 200
    until(lambda: processes(two).get(2, before[2]) != before[2], WAIT_S)
    assert processes(two)[1] == before[1]


def is_full(server: Server, worker: int) -> bool:
    """Return whether the one place of the model slow is taken in a worker."""
    return post(sessions(server)[worker], f"{server.url}/soap/slow/v1", slow(1), X_Deadline_Ms="50").status_code == 500


def reload(server: Server) -> subprocess.CompletedProcess[str]:
    pid_file = server.log.parent / "pid"
    command = [sys.executable, "-m", "soapsvc", "reload", "--pid-file", str(pid_file), "--url", server.url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)


def test_reload_and_labels_reach_every_worker(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "teller", tmp_path / "models/teller")
    arguments = ("--workers", "2", "--watch-interval-s", "0", "--pid-file", str(tmp_path / "pid"))
    with serving(tmp_path / "models", tmp_path / "server.log", *arguments) as server:
        publish(tmp_path / "models", 2)
        label(tmp_path / "models", "stable", "1")
        done = reload(server)
        assert (done.returncode, done.stderr) == (0, "")
        assert "teller version 2: AVAILABLE" in done.stdout
        assert "teller label stable: version 1" in done.stdout
        told = {number: kept.get(f"{server.url}/health/models").json() for number, kept in sessions(server).items()}
        for each in told.values():
            assert {one["version"] for one in each["versions"] if one["state"] == "AVAILABLE"} == {1, 2}
            assert each["labels"] == [{"model": "teller", "label": "stable", "version": 1, "wanted": 1}]
            assert [one["differs"] for one in each["workers"]] == [[], []]
        assert {answer(server) for _ in range(8)} == {2}
        os.kill(processes(server)[1], signal.SIGHUP)  # of one worker alone
        until(lambda: {one["reloads"]["answered"] for one in page(server)["workers"]} == {1, 2})


def test_workers_follow_a_label_each_on_its_own(two: Server, models: Path) -> None:
    label(models, "stable", "1")
    until(lambda: all(labels(kept, two) == [1] for kept in sessions(two).values()))


def labels(kept: requests.Session, server: Server) -> list[Any]:
    return [each["version"] for each in kept.get(f"{server.url}/health/models", timeout=60).json()["labels"]]


def test_stop_drains_every_worker(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--workers", "2") as server:
        kept, pids = sessions(server), processes(server)
        with ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(post, each, f"{server.url}/soap/slow/v1", slow(LONG)) for each in kept.values()]
            until(lambda: is_full(server, 1) and is_full(server, 2))
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=120) == 0
            assert [each.result().status_code for each in calls] == [200, 200]
        assert all(map(is_gone, pids.values()))
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=60)


def test_second_ctrl_c_ends_at_once(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--workers", "2", "--drain-timeout-s", "100") as server:
        kept, pids = sessions(server), processes(server)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(post, kept[1], f"{server.url}/soap/slow/v1", slow(100 * LONG))
            until(lambda: is_full(server, 1))
            server.process.send_signal(signal.SIGINT)
            until(lambda: is_gone(pids[2]))
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(timeout=60) == 0
            with pytest.raises(requests.ConnectionError):
                call.result()
        assert is_gone(pids[1])


def test_worker_that_does_not_drain_is_killed(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--workers", "2", "--drain-timeout-s", "0.5") as server:
        pids = processes(server)
        os.kill(pids[1], signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=120) == 0
        assert all(map(is_gone, pids.values()))
        assert f"worker 1 (process {pids[1]}) did not end in time" in server.logged()
        assert f"worker 2 (process {pids[2]}) ended with exit code 0" in server.logged()


def test_workers_hold_large_constants_once_and_leave_none_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    publish(tmp_path / "models", 1, heavy())
    with serving(tmp_path / "models", tmp_path / "server.log", "--workers", "2") as server:
        pids = processes(server)
        assert server.logged().count("teller version 1 shares 17 MB of constants with other workers") == 2
        mapped = {constants_of(pid) for pid in pids.values()}
        assert len(mapped) == 1
        ((file, inode),) = mapped
        assert file.stat().st_ino == inode
        server.process.kill()
        until(lambda: all(map(is_gone, pids.values())))
        assert not file.exists()
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=60)


def heavy() -> bytes:
    """Return a graph for the model teller that holds 17 MB of constants."""

    def build(v1: Any) -> None:
        table = v1.constant(np.arange(2**21), name="table")
        v1.gather(table, v1.cast(v1.placeholder("float32", [None], name="x"), "int32"), name="told")

    return graph_bytes(build)


def constants_of(pid: int) -> tuple[Path, int]:
    """Return the file of shared constants that a process has mapped, and its inode."""
    (line,) = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/constants/" in line]
    return Path(line.split()[5]), int(line.split()[4])


def test_worker_that_can_not_start_again_is_tried_with_growing_delay(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "teller", tmp_path / "models/teller")
    with serving(tmp_path / "models", tmp_path / "server.log", "--workers", "2") as server:
        before = processes(server)
        (tmp_path / "models").rename(tmp_path / "away")
        os.kill(before[1], signal.SIGKILL)
        until(lambda: "restart number 3 begins in 2 s, as 2 in a row came to nothing" in server.logged(), WAIT_S)
        assert f"can't serve: the models folder {tmp_path / 'models'} can't be listed" in server.logged()
        assert page(server)["workers"][0] == {"worker": 1, "pid": None, "reloads": None, "differs": []}
        assert answer(server) == 1  # the other serves on
        (tmp_path / "away").rename(tmp_path / "models")
        until(lambda: sorted(processes(server)) == [1, 2], WAIT_S)
        assert processes(server)[2] == before[2]


def failing(*arguments: str) -> str:
    """Return what serve.py says when two workers can't start."""
    command = [sys.executable, "serve.py", "--workers", "2", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 2
    return done.stderr


def test_first_start_that_fails_ends_the_server_with_its_reason(tmp_path: Path) -> None:
    message = failing("--port", "0", "--models", str(tmp_path / "none"))
    assert message.count("<name>/<version>/model.yaml") == 1
    assert "Traceback" not in message
    publish(tmp_path / "models", 1, aborting())
    message = failing("--port", "0", "--models", str(tmp_path / "models"))
    assert re.search(r"serve\.py: worker \d \(process \d+\) ended by SIGABRT before it was ready", message)


def test_several_workers_are_refused_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soapsvc.transport.run.os", SimpleNamespace(name="nt"))
    with pytest.raises(StartError, match="workers: Windows has no sockets that processes inherit; expected 1"):
        run(Settings(workers=2, port=0))


def test_port_in_use_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = failing("--port", str(taken.getsockname()[1]))
    assert "can't listen on 127.0.0.1 port" in message
    assert "worker" not in message


def test_worker_with_a_defect_shows_it_and_ends_in_order(models: Path, tmp_path: Path) -> None:
    reports, told = os.pipe()
    settings, nothing = Settings(models=models), 1_000
    orders = Orders(
        number=1, supervisor=os.getpid(), listener=nothing, reports=told, shared=tmp_path, settings=settings
    )
    with subprocess.Popen(
        [sys.executable, "-m", "soapsvc.transport.worker"], cwd=ROOT, pass_fds=[told], stdin=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        assert worker.stdin is not None
        assert worker.stderr is not None
        worker.stdin.write(orders.model_dump_json() + "\n")
        worker.stdin.flush()
        stderr = worker.stderr.read()
    os.close(reports)
    os.close(told)
    assert worker.returncode == 1, stderr
    assert "OSError: [Errno 9] Bad file descriptor" in stderr
    assert "Fatal Python error" not in stderr
