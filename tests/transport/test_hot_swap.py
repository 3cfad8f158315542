"""A real server whose models folder changes under it: versions come and go, labels move, bad ones stay out."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.conftest import ROOT, Server, serving
from tests.model.folders import graph_bytes

WAIT_S = 300.0
MANIFEST = """
format: 1
name: teller
signatures:
  predict:
    inputs:
      x: {tensor: "x:0", dtype: float32, shape: [batch]}
    outputs:
      told: {tensor: "told:0", dtype: int64, shape: [batch]}
warmup: {}
"""


def telling(version: int) -> bytes:
    """Return a graph that answers its version, whatever it is asked."""

    def build(v1: Any) -> None:
        rows = v1.shape(v1.placeholder("float32", [None], name="x"))
        v1.fill(rows, v1.constant(version, "int64"), name="told")

    return graph_bytes(build)


def aborting() -> bytes:
    """Return a graph of allowed ops that ends the process: TensorFlow checks a dtype that it did not foresee."""
    import tensorflow as tf

    def build(v1: Any) -> None:
        v1.placeholder("float32", [None], name="x")
        table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        passed = tf.raw_ops.IdentityN(input=[table])[0]
        keys = tf.raw_ops.LookupTableExportV2(table_handle=passed, Tkeys=tf.int64, Tvalues=tf.float32)[0]
        v1.identity(keys, name="told")

    return graph_bytes(build)


def publish(models: Path, version: int, graph: bytes | None = None, manifest: str = MANIFEST) -> Path:
    """Publish a version as an operator should: copied beside, then renamed."""
    path = models / "teller" / str(version)
    fresh = models / "teller" / f".{version}"
    fresh.mkdir(parents=True)
    (fresh / "model.pb").write_bytes(graph or telling(version))
    (fresh / "model.yaml").write_text(manifest)
    (fresh / "warmup.jsonl").write_text('{"inputs": {"x": [1.0]}}\n')
    fresh.rename(path)
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with version 1."""
    publish(tmp_path / "models", 1)
    return tmp_path / "models"


@pytest.fixture
def server(models: Path, tmp_path: Path) -> Iterator[Server]:
    """A server that watches the folder closely, and tries nothing in another process: that takes seconds."""
    arguments = ("--watch-interval-s", "0.2", "--pid-file", str(tmp_path / "pid"), "--trial-load", "never")
    with serving(models, tmp_path / "server.log", *arguments) as running:
        yield running


def page(server: Server) -> Any:
    return requests.get(server.url + "/health/models", timeout=60).json()


def state(server: Server, version: int) -> Any:
    """Return what is told of a version, {} for nothing."""
    return next((each for each in page(server)["versions"] if each["version"] == version), {"state": "", "note": ""})


def wait_for(condition: Callable[[], bool], server: Server) -> None:
    """Poll until a condition holds; fail with the server's log when it never does."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"{page(server)}\n{server.logged()}"
        time.sleep(0.05)


def ask(server: Server, rows: int = 1, where: str = "", contract: int = 1) -> requests.Response:
    instances = "<item><x>1</x></item>" * rows
    body = f'<predictBatch xmlns="urn:soapsvc:teller:v{contract}"><instances>{instances}</instances></predictBatch>'
    envelope = f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'
    headers = {"Content-Type": "text/xml"}
    return requests.post(f"{server.url}/soap/teller/v{contract}{where}", envelope, headers=headers, timeout=60)


def answer(server: Server, where: str = "", contract: int = 1) -> int:
    """Return the version that a call's answer tells."""
    response = ask(server, 1, where, contract)
    assert response.status_code == 200, response.text
    return int(re.findall(r"<told>(\d+)</told>", response.text)[0])


class Callers:
    """Threads that call without pause, and keep every answer."""

    def __init__(self, server: Server) -> None:
        self.answers: list[tuple[int, str]] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(server,)) for _ in range(4)]

    def _call(self, server: Server) -> None:
        while not self._stop.is_set():
            response = ask(server, rows=20)
            self.answers.append((response.status_code, response.text))

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def test_swaps_under_load_fail_no_call_and_mix_no_answer(server: Server, models: Path) -> None:
    with Callers(server) as callers:
        for version in (2, 3):
            publish(models, version)
            wait_for(lambda version=version: state(server, version)["state"] == "AVAILABLE", server)  # type: ignore[misc]
            wait_for(lambda version=version: state(server, version - 1)["state"] == "END", server)  # type: ignore[misc]
    assert {status for status, _ in callers.answers} == {200}
    seen = [set(re.findall(r"<(?:told|modelVersion)>(\d+)<", text)) for _, text in callers.answers]
    assert all(len(versions) == 1 for versions in seen)
    assert {version for versions in seen for version in versions} == {"1", "2", "3"}
    assert state(server, 1)["reason"] == "not wanted: version_policy is latest 1"
    states = [each["state"] for each in state(server, 1)["transitions"]]
    assert states == ["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]


@pytest.mark.parametrize(
    ("graph", "manifest", "reason"),
    [
        (b"junk", MANIFEST, "teller/2/model.pb: not a frozen GraphDef"),
        (None, MANIFEST.replace("told:0", "tell:0"), "the graph has no tensor tell:0"),
        (None, MANIFEST.replace("name: teller", "nome: teller"), "nome: unknown key"),
        (
            None,
            MANIFEST + "contract: {inputs: {x: {element: y}}}",
            "breaks the published contract v1 of teller: Instance.x was double, is missing; Instance.y is new",
        ),
    ],
)
def test_bad_version_is_refused_with_its_reason_and_the_old_one_serves_on(
    server: Server, models: Path, graph: bytes | None, manifest: str, reason: str
) -> None:
    path = publish(models, 2, graph, manifest)
    wait_for(lambda: state(server, 2)["state"] == "END", server)
    assert reason in state(server, 2)["reason"]
    assert state(server, 2)["failed"]
    assert reason in server.logged()
    assert reason in requests.get(server.url, timeout=60).text
    assert answer(server) == 1
    (path / "model.yaml").write_text(MANIFEST)  # a version that failed is tried again when its folder changes
    (path / "model.pb").write_bytes(telling(2))
    wait_for(lambda: state(server, 2)["state"] == "AVAILABLE", server)
    assert answer(server) == 2


def test_graph_that_ends_the_process_takes_no_server_down(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--watch-interval-s", "0.2") as server:
        publish(models, 2, aborting())
        wait_for(lambda: state(server, 2)["state"] == "END", server)
        assert "ends the process that loads it (SIGABRT)" in state(server, 2)["reason"]
        assert "Check failed" in server.logged()
        assert answer(server) == 1
        publish(models, 3)
        wait_for(lambda: state(server, 3)["state"] == "AVAILABLE", server)
        assert answer(server) == 3


def test_trial_at_start_names_the_culprit_and_the_rest_is_served(models: Path, tmp_path: Path) -> None:
    publish(models, 2, aborting())
    publish(models, 3, b"junk")
    arguments = ("--trial-load", "always", "--version-policy", '{"*": "all"}')
    with serving(models, tmp_path / "server.log", *arguments) as server:
        assert answer(server) == 1
        assert "SIGABRT" in state(server, 2)["reason"]
        assert "not a frozen GraphDef" in state(server, 3)["reason"]


def test_folder_removed_unloads_a_version_but_never_the_last(server: Server, models: Path) -> None:
    shutil.copytree(models / "teller", models.parent / "kept")
    publish(models, 2)
    wait_for(lambda: state(server, 2)["state"] == "AVAILABLE" and state(server, 1)["state"] == "END", server)
    shutil.rmtree(models / "teller/2")
    wait_for(lambda: state(server, 1)["state"] == "AVAILABLE" and state(server, 2)["state"] == "", server)
    assert answer(server) == 1
    shutil.rmtree(models)
    wait_for(lambda: bool(page(server)["problems"]), server)
    assert "can't be listed" in page(server)["problems"][0]
    scans = page(server)["scans"]
    wait_for(lambda: page(server)["scans"] > scans + 3, server)
    assert server.logged().count("can't be listed") == 1
    assert answer(server) == 1
    models.mkdir()
    wait_for(lambda: "its folder is gone; it serves on" in state(server, 1)["note"], server)
    assert answer(server) == 1
    (models.parent / "kept").rename(models / "teller")
    wait_for(lambda: state(server, 1)["note"] == "", server)
    assert page(server)["problems"] == []


def test_loaded_folder_that_changes_has_no_effect_and_is_told(server: Server, models: Path) -> None:
    (models / "teller/1/model.pb").write_bytes(telling(9))
    wait_for(lambda: "publish it as a new version" in state(server, 1)["note"], server)
    assert state(server, 1)["note"].startswith("model.pb changed after it was loaded, to no effect")
    assert answer(server) == 1


def label(models: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "soapsvc", "label", "teller", *arguments, "--models", str(models)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_label_moves_without_a_restart_and_holds_its_version(server: Server, models: Path) -> None:
    assert label(models, "stable", "1") == "teller label stable: version 1 (new)\n"
    wait_for(lambda: page(server)["labels"] != [], server)
    publish(models, 2)
    wait_for(lambda: state(server, 2)["state"] == "AVAILABLE", server)
    assert (answer(server), answer(server, "/labels/stable"), answer(server, "/versions/1")) == (2, 1, 1)
    assert label(models, "stable", "2") == "teller label stable: version 2 (was version 1)\n"
    wait_for(lambda: state(server, 1)["state"] == "END", server)
    assert answer(server, "/labels/stable") == 2
    (models / "teller/labels.yaml").write_text("stable: 3\n")
    wait_for(lambda: page(server)["labels"][0]["wanted"] == 3, server)
    assert page(server)["labels"] == [{"model": "teller", "label": "stable", "version": 2, "wanted": 3}]
    assert answer(server, "/labels/stable") == 2
    (models / "teller/labels.yaml").write_text("stable: [\n")
    wait_for(lambda: bool(page(server)["problems"]), server)
    assert "teller/labels.yaml: not YAML" in page(server)["problems"][0]
    assert answer(server, "/labels/stable") == 2


def test_second_contract_serves_beside_the_first(server: Server, models: Path) -> None:
    publish(models, 2, manifest=MANIFEST + "contract: {version: 2, outputs: {told: {element: told}}}")
    wait_for(lambda: state(server, 2)["state"] == "AVAILABLE", server)
    assert (answer(server), answer(server, contract=2)) == (1, 2)
    assert requests.get(f"{server.url}/soap/teller/v2?wsdl", timeout=60).status_code == 200
    assert state(server, 1)["state"] == "AVAILABLE"


def test_half_a_copy_is_not_reported_as_failed(server: Server, models: Path) -> None:
    path = models / "teller" / "2"
    path.mkdir()
    content = telling(2)
    (path / "model.yaml").write_text(MANIFEST)
    seen = set()
    for size in range(0, len(content), len(content) // 8):  # the file grows at every look, and is junk till its end
        (path / "model.pb").write_bytes(content[:size])
        scans = page(server)["scans"]
        wait_for(lambda scans=scans: page(server)["scans"] > scans + 1, server)  # type: ignore[misc]
        seen.add(state(server, 2)["state"])
    assert seen == {"START"}
    (path / "warmup.jsonl").write_text('{"inputs": {"x": [1.0]}}\n')
    (path / "model.pb").write_bytes(content)
    wait_for(lambda: state(server, 2)["state"] == "AVAILABLE", server)
    assert "not served" not in server.logged()


def test_reload_waits_for_what_is_new_and_says_what_came_of_it(models: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    command = [sys.executable, "-m", "soapsvc", "reload", "--pid-file", str(pid_file), "--url"]
    with serving(models, tmp_path / "log", "--watch-interval-s", "0", "--pid-file", str(pid_file)) as server:
        publish(models, 2)
        done = subprocess.run([*command, server.url], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
        assert (done.returncode, done.stderr) == (0, "")
        assert "teller version 2: AVAILABLE" in done.stdout
        assert answer(server) == 2
        publish(models, 3, b"junk")
        done = subprocess.run([*command, server.url], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
        assert done.returncode == 1
        assert "teller version 3: END: teller/3/model.pb: not a frozen GraphDef" in done.stdout
    done = subprocess.run([*command, server.url], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stderr) == (1, f"soapsvc: {pid_file}: no server runs that holds it\n")


def test_hangups_by_the_dozen_are_one_more_look(server: Server, tmp_path: Path) -> None:
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        os.kill(pid, signal.SIGHUP)
    wait_for(lambda: (reloads := page(server)["reloads"])["asked"] == reloads["answered"] > 0, server)
    assert answer(server) == 1


def test_pid_file_in_use_is_told(server: Server, models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "serve.py", "--models", str(models), "--port", "0", "--pid-file", str(tmp_path / "pid")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, "belongs to a server that runs" in done.stderr) == (2, True)


def test_version_that_breaks_the_golden_wsdl_is_refused_even_if_it_is_the_first(models: Path, tmp_path: Path) -> None:
    wsdl = [sys.executable, "-m", "soapsvc", "wsdl", "teller", "--models", str(models)]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts/teller.wsdl").write_bytes(
        subprocess.run(wsdl, cwd=ROOT, check=True, capture_output=True).stdout
    )
    changed = yaml.safe_load(MANIFEST) | {"contract": {"inputs": {"x": {"element": "y"}}}}
    (models / "teller/1/model.yaml").write_text(yaml.safe_dump(changed))
    with serving(models, tmp_path / "log", "--contracts", str(tmp_path / "contracts")) as server:
        assert "breaks the published contract v1 of teller" in state(server, 1)["reason"]
        assert requests.get(server.url + "/health/ready", timeout=60).status_code == 503
