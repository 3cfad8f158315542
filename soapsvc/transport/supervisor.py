"""Keeps several workers serving on one socket: starts them, starts those anew that end, reloads and stops them all.

Imports no TensorFlow: every worker is a fresh process with its own. All accept from the one socket, so that connections
which wait to be accepted are lost with no worker (or from several: see `start`). Knows nothing of how a worker serves.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from pydantic import BaseModel

from soapsvc.metrics.all_workers import FOLDER_VARIABLE
from soapsvc.metrics.page import forget_gauges
from soapsvc.model.trial import own_path
from soapsvc.settings import Settings
from soapsvc.transport.colleagues import page_file
from soapsvc.transport.service_manager import READY, STOPPING, ServiceManager
from soapsvc.transport.spread import Spread
from soapsvc.transport.start import StartError, shares_listener, tell_pid

log = logging.getLogger(__name__)
SERVE, RELOAD = b"serve\n", b"reload\n"  # what a worker is told after its orders
_SOON_S = 0.1  # between two looks at what a worker that starts reports
_TICK_S = 1.0  # between two looks at the clock
_LONGEST_DELAY_S = 30.0
_GRACE_S = 5.0  # for a worker to end after its drain


class Orders(BaseModel):
    """What a worker needs to know.

    supervisor: the process id of who gives them.  listener, reports: descriptors it inherits.  shared: a folder of all
    workers.  restarts: how many processes had its place before it.
    """

    number: int
    supervisor: int
    listener: int
    reports: int
    shared: Path
    settings: Settings
    restarts: int = 0


class Worker:
    """One place among the workers, and the process that holds it now.

    banner: what it has to say once it is ready, empty before.  reason: why it can't serve, if it said so.
    """

    process: subprocess.Popen[bytes]
    banner: list[str]
    reason: str

    def __init__(self, number: int, settings: Settings, listener: socket.socket, shared: Path, spread: Spread) -> None:
        self._spread = spread
        self._number, self._settings, self._listener, self._shared = number, settings, listener, shared
        self.failed_starts = self.restarts = 0
        self.due = 0.0  # when to start its process, by the monotonic clock
        self.running = False

    def __str__(self) -> str:
        """Return what the log calls it."""
        return f"worker {self._number} (process {self.process.pid})"

    def start(self) -> bool:
        """Start a process for this place; return whether that could be done."""
        self._unread, self.banner, self.reason = b"", [], ""
        reports, theirs = os.pipe()
        orders = Orders(
            number=self._number, supervisor=os.getpid(), listener=self._listener.fileno(), reports=theirs,
            shared=self._shared, settings=self._settings, restarts=self.restarts,
        )  # fmt: skip
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "soapsvc.transport.worker"], stdin=subprocess.PIPE,
                env=own_path() | {FOLDER_VARIABLE: str(self._shared)}, pass_fds=(orders.listener, theirs),
                process_group=0,  # Ctrl-C is for the supervisor alone
            )  # fmt: skip
        except OSError as err:
            os.close(reports)
            self.reason = f"no process can be started for worker {self._number}: {err.strerror}"
            return False
        finally:
            os.close(theirs)
        os.set_blocking(reports, False)
        self._reports, self.running = reports, True
        self.tell(orders.model_dump_json().encode() + b"\n")
        log.info("%s starts", self)
        return True

    def tell(self, line: bytes) -> None:
        """Tell the process something, if there is one."""
        if self.running and self.process.stdin is not None:
            with suppress(BrokenPipeError):  # `ended` will tell
                self.process.stdin.write(line)
                self.process.stdin.flush()

    def hang_up(self) -> None:
        """Have the process drain and end."""
        if self.running and self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def kill(self) -> None:
        """End the process at once."""
        if self.running:
            self.process.kill()
            self.process.wait()

    def listen(self) -> bool:
        """Take in what the process reports while it starts; return whether it became ready now."""
        if self.banner or not self.running:
            return False
        with suppress(BlockingIOError):
            while content := os.read(self._reports, 65536):
                self._unread += content
        if not self._unread.endswith(b"\n"):
            return False
        report = json.loads(self._unread)
        self.banner, self.reason = report.get("ready", []), report.get("failed", "")
        if self.banner:
            self.failed_starts = 0
            log.info("%s is ready", self)
        return bool(self.banner)

    def ended(self) -> str:
        """Return how the process ended, once; nothing while it runs, and when that was told."""
        if not self.running or (code := self.process.poll()) is None:
            return ""
        self.listen()
        self.hang_up()
        self.running = False
        os.close(self._reports)
        self._spread.leave(self._number)
        page_file(self._shared, self._number).unlink(missing_ok=True)
        forget_gauges(self.process.pid, self._shared)
        if self.reason:
            return f"can't serve: {self.reason}"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def wait_to_start(self) -> float:
        """Have a process that ended started again: at once, or after a delay that grows while it never gets ready."""
        self.restarts += 1
        self.failed_starts += not self.banner
        delay_s = min(2.0 ** (self.failed_starts - 1), _LONGEST_DELAY_S) if self.failed_starts else 0.0
        self.due = time.monotonic() + delay_s
        return delay_s


class Supervisor:
    """The workers of one server, and what the operator's signals ask of them."""

    def __init__(
        self, settings: Settings, listener: socket.socket, shared: Path, service_manager: ServiceManager
    ) -> None:
        self._settings, self._listener, self._service_manager = settings, listener, service_manager
        spread = Spread(shared, settings.workers)
        numbers = range(1, settings.workers + 1)
        self._workers = [Worker(number, settings, listener, shared, spread) for number in numbers]
        self._stopping = self._reloading = self._open = False

    def heed_signals(self) -> None:
        """Stop at SIGTERM and the first Ctrl-C, reload at SIGHUP; a second Ctrl-C interrupts."""
        self._woken, wake = socket.socketpair()
        for end in (self._woken, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes, no more

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._stopping = True

    def _reload(self, _signal: int, _frame: FrameType | None) -> None:
        self._reloading = True

    def run(self) -> None:
        """Keep the workers running until a signal to stop, then let them drain. Raises StartError."""
        try:
            while not self._stopping:
                self._turn()
            self._drain()
        finally:
            for worker in self._workers:
                worker.kill()

    def _turn(self) -> None:
        for worker in self._workers:
            if not worker.running and time.monotonic() >= worker.due and not worker.start():
                self._replace(worker, worker.reason)
        self._sleep()
        if self._reloading:
            self._reloading = False
            for worker in self._workers:
                worker.tell(RELOAD)
        for worker in self._workers:
            if how := worker.ended():
                self._replace(worker, how)
            elif worker.listen() and self._open:
                worker.tell(SERVE)
        if not self._open and all(worker.banner for worker in self._workers):
            self._begin()

    def _begin(self) -> None:
        """Open the port, now that every worker is ready: connections spread over all from the first on."""
        self._open = True
        if shares_listener(self._settings, self._listener):
            self._listener.listen()  # workers ask for a longer queue
        for worker in self._workers:
            worker.tell(SERVE)
        self._service_manager.tell(READY)
        print("\n".join(self._workers[0].banner), flush=True)

    def _replace(self, worker: Worker, how: str) -> None:
        """Have a worker that ended started again, unless the server never came to serve. Raises StartError."""
        if not self._open:
            raise StartError(worker.reason or f"{worker} {how} before it was ready; the log has more")
        delay_s = worker.wait_to_start()
        when = f"in {delay_s:g} s, as {worker.failed_starts} in a row came to nothing" if delay_s else "now"
        log.error("%s %s; its restart number %d begins %s", worker, how, worker.restarts, when)

    def _drain(self) -> None:
        self._service_manager.tell(STOPPING)
        self._listener.close()
        for worker in self._workers:
            worker.hang_up()
        end = time.monotonic() + self._settings.drain_delay_s + self._settings.drain_timeout_s + _GRACE_S
        while any(worker.running for worker in self._workers) and time.monotonic() < end:
            self._sleep()
            for worker in self._workers:
                if how := worker.ended():
                    log.info("%s %s", worker, how)
        for worker in self._workers:
            if worker.running:
                log.error("%s did not end in time: it is killed, with the calls in it", worker)

    def _sleep(self) -> None:
        """Wait for a signal, the end of a worker included, or for the next look at clocks and reports."""
        starting = any(worker.running and not worker.banner for worker in self._workers)
        select.select([self._woken], [], [], _SOON_S if starting else _TICK_S)
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass


def supervise(settings: Settings, listener: socket.socket, service_manager: ServiceManager) -> None:
    """Serve on a bound socket with several processes until SIGTERM or Ctrl-C, then drain. Raises StartError."""
    with TemporaryDirectory(prefix="soapsvc-") as shared:
        supervisor = Supervisor(settings, listener, Path(shared), service_manager)
        supervisor.heed_signals()
        tell_pid(settings)
        print(f"Loading models from {settings.models} in {settings.workers} workers ...", flush=True)
        supervisor.run()
