"""Clients that ask for much and take nothing: they hold no thread, and are hung up on."""

from __future__ import annotations

import select
import shutil
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import ROOT, Server, serving, until
from tests.model.folders import graph_bytes
from tests.soap.conftest import envelope
from tests.transport.test_overload import answer, iris

VALUES = 2_000_000  # float32: 8 MB, more than the kernel keeps for a connection
READERS = 6
MANIFEST = """
format: 1
name: large
signatures:
  predict:
    inputs:
      x: {tensor: "x:0", dtype: float32, shape: [batch]}
    outputs:
      y: {tensor: "y:0", dtype: float32, shape: [batch, null]}
contract:
  outputs:
    y: {as: tensor, content: true}
limits: {max_concurrent_calls: 2}
"""
LARGE = envelope('<predict xmlns="urn:soapsvc:large:v1"><x>1</x></predict>')
REQUEST = b"POST /soap/large/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n"


def large(v1: Any) -> None:
    """Build y (batch, VALUES) of halves over x (batch)."""
    rows = v1.shape(v1.placeholder("float32", [None], name="x"))
    v1.fill(v1.concat([rows, [VALUES]], 0), v1.constant(0.5), name="y")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The models iris and large."""
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    (models / "large/1").mkdir(parents=True)
    (models / "large/1/model.pb").write_bytes(graph_bytes(large))
    (models / "large/1/model.yaml").write_text(MANIFEST)
    return models


def ask(server: Server) -> socket.socket:
    """Ask for a large answer on a connection that keeps next to nothing of it."""
    parts = urlsplit(server.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect((parts.hostname, parts.port))
    connection.sendall(REQUEST % len(LARGE) + LARGE)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Whether the server ended a connection, without reading from it."""
    poll = select.poll()
    poll.register(connection, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


def test_slow_readers_hold_no_thread_and_are_hung_up_on(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--threads", "2", "--request-timeout-s", "3") as server:
        readers = [ask(server) for _ in range(READERS)]
        until(lambda: server.logged().count("model=large version=1 operation=predict outcome=ok") == READERS)
        assert iris(server).status_code == 200
        assert requests.get(f"{server.url}/health/ready", timeout=60).status_code == 200
        until(lambda: all(is_closed(each) for each in readers))
        for each in readers:
            each.close()
        assert iris(server).status_code == 200
        assert "Traceback" not in server.logged()


def test_reader_who_takes_his_answer_in_time_gets_all_of_it(models: Path, tmp_path: Path) -> None:
    with serving(models, tmp_path / "server.log", "--request-timeout-s", "30") as server, ask(server) as reader:
        reader.shutdown(socket.SHUT_WR)
        assert len(answer(reader)) > VALUES * 4 * 4 / 3
