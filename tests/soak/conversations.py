"""`python -m tests.soak.conversations`: long conversations while workers are killed, and sessions that come and go.

Prints what was seen, and ends with code 1 when a turn was lost or swapped, or a store grew beyond its bounds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import requests

from soapsvc.model.conversation import Conversation, Memory, State
from soapsvc.model.signature import TensorSpec
from soapsvc.session import Limits, Store
from soapsvc.session.redis_store import RedisStore
from soapsvc.session.sessions import Sessions
from soapsvc.session.sqlite_store import SqliteStore
from tests.conftest import ROOT, Server, serving
from tests.redis_server import RedisServer
from tests.transport.talk import Talk

HELD = 10_000  # sessions kept at most, of those that come and go; most of them expire before
_STATE_BYTES = 400


@dataclass(frozen=True)
class Told:
    """A conversation with `tally`: all it heard, all that was said to it, and how much of this was said again."""

    heard: Sequence[str]
    said: Sequence[str]
    again: int

    def broken(self) -> str:
        """Return what is wrong with it, nothing where each turn is there, in order, and twice only if said twice."""
        if list(dict.fromkeys(self.heard)) != list(dict.fromkeys(self.said)):
            return f"said {self.said}, heard {self.heard}"
        if not len(self.said) - self.again <= len(self.heard) <= len(self.said):
            return f"{len(self.said)} said, {self.again} of them again, {len(self.heard)} heard"
        return ""


def converse(url: str, client: int, turns: int) -> Told:
    """Say so many things in one session, each again until it is answered."""
    talk, said, again = Talk(url, "tally"), [], 0
    for turn in range(turns):
        while True:
            said.append(f"{client}.{turn}")
            try:
                answer = talk.say(said[-1])
            except requests.ConnectionError:  # of a worker that was killed: the turn may have been kept, or not
                again += 1
                continue
            assert not answer.fault, answer
            assert answer.state == ("continued" if turn else "started"), answer
            break
    return Told(answer.sentence.split(), said, again)


def build_tally(folder: Path, *arguments: str) -> None:
    """Write a version of the model `tally`, in a process of its own."""
    command = [sys.executable, "-m", "tests.transport.tally_model", str(folder), *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def _conversations(server: Server, clients: int, turns: int, kills: int) -> Iterator[str]:
    """Have many clients converse while workers are killed; yield what is broken."""
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        calls = [pool.submit(converse, server.url, client, turns) for client in range(clients)]
        for kill in range(kills):
            wanted = clients * turns * (kill + 1) // (kills + 1)
            while server.logged().count("model=tally") < wanted and not all(call.done() for call in calls):
                time.sleep(0.05)
            workers = requests.get(f"{server.url}/health/models", timeout=60).json()["workers"]
            os.kill(next(each["pid"] for each in workers[kill % 2 :] if each["pid"]), signal.SIGKILL)
        told = [call.result() for call in calls]
    again = sum(each.again for each in told)
    took = time.monotonic() - began
    print(f"{clients} clients, {turns} turns each, {kills} kills: {took:.0f} s, {again} turns said again")
    yield from (each.broken() for each in told if each.broken())


def _come_and_go(store: Store, many: int, size: Iterator[int], limit: int) -> Iterator[str]:
    """Open many sessions, of which few may be kept at once; yield what is broken. size: of what the store takes."""
    spec = TensorSpec("state", "state:0", "uint8", (_STATE_BYTES,))
    state = Conversation((State(spec, "next", np.zeros(_STATE_BYTES, np.uint8)),), batched=False)
    process, sessions = psutil.Process(), Sessions(store)
    memory: list[int] = []
    sizes: list[int] = []
    began = time.monotonic()
    for number in range(many):
        with sessions.turn("soak", None, "", state, None) as turn:
            turn.finish(Memory({"state": np.full(_STATE_BYTES, number % 251, np.uint8)}))
        if number % (many // 20) == many // 20 - 1:
            memory.append(process.memory_info().rss)
            sizes.append(next(size))
    took, kept = time.monotonic() - began, store.kept().sessions
    print(
        f"{many} sessions in {took:.0f} s ({took / many * 1e6:.0f} us each), {kept} kept; store "
        f"{sizes[0] / 1e6:.1f} to {max(sizes) / 1e6:.1f} MB, memory {memory[0] / 1e6:.1f} to {max(memory) / 1e6:.1f} MB"
    )
    time.sleep(3)
    store.beat()
    print(f"after they expired: {store.kept().sessions} kept, {next(size) / 1e6:.1f} MB")
    sessions.close()
    if kept > limit or max(sizes) > 1.5 * sizes[1] + 5e6 or max(memory) > memory[0] + 20e6:
        yield f"not bounded: {kept} kept, sizes {sizes}, memory {memory}"


def _file_bytes(folder: Path) -> Iterator[int]:
    while True:
        yield sum(each.stat().st_size for each in folder.iterdir())


def _redis_bytes(store: RedisStore) -> Iterator[int]:
    while True:
        yield int(store._redis.info("memory")["used_memory"])


@contextmanager
def _redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def main() -> int:
    """Soak both stores, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.conversations", description=__doc__)
    for name, default in (("clients", 16), ("turns", 100), ("kills", 3), ("sessions", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"(default {default})")
    plan = parser.parse_args()
    broken: list[str] = []
    limits = Limits(time_to_live_s=2, max_sessions=HELD)
    with tempfile.TemporaryDirectory() as folder, _redis() as redis_server:
        build_tally(Path(folder) / "models/tally/1")
        for place in (str(Path(folder) / "talk.sqlite"), redis_server.url):
            print(f"sessions in {place.partition(':')[0] if '://' in place else 'SQLite'}:")
            arguments = ("--workers", "2", "--trial-load", "never", "--sessions", place)
            with serving(Path(folder) / "models", Path(folder) / "server.log", *arguments) as server:
                broken += _conversations(server, plan.clients, plan.turns, plan.kills)
        (Path(folder) / "opened").mkdir()
        print("SQLite:")
        file = SqliteStore(Path(folder) / "opened/sessions.sqlite", limits)
        broken += _come_and_go(file, plan.sessions, _file_bytes(Path(folder) / "opened"), HELD)
        print("Redis:")
        store = RedisStore(redis_server.url, limits)
        broken += _come_and_go(store, plan.sessions, _redis_bytes(store), HELD)
    for text in broken:
        print(f"BROKEN: {text:.500}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
