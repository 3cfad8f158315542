"""Those who call the server: good clients, slow ones that send a byte a second, and broken ones."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

from soapsvc.soap.application import Reply
from tests.soak.calls import Request, adder, adder_version, bundled, some_numbers
from tests.soap.messages import check_answer
from tests.soap.test_mutations import mutated

NO_ANSWER = (OSError, http.client.HTTPException)
SLOW_CONNECTIONS = 10
BAD_CONTENT_TYPES = ("text/xml; a*=b; a*0=c", 'text/xml; a="' + ";" * 9000, "text/plain", "text/xml; charset=utf-7")


@dataclass
class Tally:
    """What came of all calls. Guarded by `lock`.

    lost: when each call was begun and ended that got no answer.  wrong: what was answered otherwise than promised.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    good: int = 0
    broken: int = 0
    slow_bytes: int = 0
    lost: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    versions: set[int] = field(default_factory=set)

    def blame(self, text: str) -> None:
        with self.lock:
            self.wrong.append(text)


class Clients:
    """All clients of one server, each in a thread of its own, until the block ends."""

    def __init__(
        self, address: tuple[str, int], good: int, tally: Tally, stable: Callable[[], tuple[int, int] | None]
    ) -> None:
        """stable: which move of the label `stable` has settled, and where; None while it moves."""
        self._address, self._tally, self._stable = address, tally, stable
        self._stop = threading.Event()
        self._first: list[bytes] = []
        self._bundled = bundled()
        works = [lambda seed=seed: self._call(seed) for seed in range(good)]  # type: ignore[misc]
        self._threads = [threading.Thread(target=work) for work in (*works, self._break, self._cut, self._drip)]

    def __enter__(self) -> Clients:
        for request in self._bundled:
            with closing(self._connection()) as connection:
                status, answer = request.send(connection)
            assert status == 200, answer
            self._first.append(answer)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._address, timeout=60)

    def _call(self, seed: int) -> None:
        chance = random.Random(seed)
        with closing(self._connection()) as connection:
            while not self._stop.is_set():
                try:
                    self._check_one(chance, connection)
                except NO_ANSWER as err:
                    self._tally.blame(f"a call that was tried again got no answer: {err!r}")
                except AssertionError as err:
                    self._tally.blame(f"a good call: {err}"[:2000])
                if chance.random() < 0.002:
                    connection.close()  # the next call connects anew, perhaps to another worker

    def _check_one(self, chance: random.Random, connection: http.client.HTTPConnection) -> None:
        if chance.random() < 0.5:
            index = chance.randrange(len(self._bundled))
            status, answer = self._answered(self._bundled[index], connection)
            assert (status, answer) == (200, self._first[index]), f"{self._bundled[index].path}: {status} {answer!r}"
            return
        numbers, labelled = some_numbers(chance), chance.random() < 0.3
        before = self._stable()
        status, answer = self._answered(adder(numbers, "/labels/stable" if labelled else ""), connection)
        assert status == 200, f"adder: {status} {answer!r}"
        version = adder_version(numbers, answer)
        if labelled and before is not None and before == self._stable():
            assert version == before[1], f"label stable stands on {before[1]}, version {version} answered"
        with self._tally.lock:
            self._tally.versions.add(version)

    def _answered(self, request: Request, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        """Return a good call's answer; one that is lost is counted and tried once more."""
        began = time.monotonic()
        try:
            answer = request.send(connection)
        except NO_ANSWER:
            connection.close()
            with self._tally.lock:
                self._tally.lost.append((began, time.monotonic()))
            answer = request.send(connection)
        with self._tally.lock:
            self._tally.good += 1
        return answer

    def _break(self) -> None:
        """Send broken messages, each of which must be answered in SOAP."""
        chance = random.Random(1)
        while not self._stop.is_set():
            good = chance.choice(self._bundled)
            content_type = good.content_type if chance.random() < 0.9 else chance.choice(BAD_CONTENT_TYPES)
            connection = self._connection()
            with suppress(*NO_ANSWER):  # its worker may be killed
                connection.request("POST", good.path, mutated(good.body, chance), {"Content-Type": content_type})
                response = connection.getresponse()
                self._check_broken(Reply(response.status, response.getheader("Content-Type") or "", response.read()))
            connection.close()
            self._stop.wait(0.02)

    def _check_broken(self, reply: Reply) -> None:
        try:
            check_answer(reply)
        except Exception as err:
            self._tally.blame(f"a broken message: {err!r} {reply!r}"[:2000])
        with self._tally.lock:
            self._tally.broken += 1

    def _cut(self) -> None:
        """Begin calls and hang up in the middle, half of them with a reset."""
        chance = random.Random(2)
        while not self._stop.is_set():
            good = chance.choice(self._bundled)
            head = f"POST {good.path} HTTP/1.1\r\nHost: x\r\nContent-Type: {good.content_type}\r\n"
            message = f"{head}Content-Length: {len(good.body)}\r\n\r\n".encode() + good.body
            with suppress(OSError), socket.create_connection(self._address, timeout=60) as connection:
                connection.sendall(message[: chance.randrange(len(message) + 1)])
                if chance.random() < 0.5:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._stop.wait(0.05)

    def _drip(self) -> None:
        """Keep some connections that send a byte a second, each as long as the server bears it."""
        connections: list[socket.socket] = []
        while not self._stop.wait(1):
            for connection in connections[:]:
                try:
                    connection.sendall(b"P")
                except OSError:
                    connection.close()
                    connections.remove(connection)
            with suppress(OSError):
                while len(connections) < SLOW_CONNECTIONS:
                    connections.append(socket.create_connection(self._address, timeout=60))
            with self._tally.lock:
                self._tally.slow_bytes += len(connections)
        for connection in connections:
            connection.close()
