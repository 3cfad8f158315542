"""A worker: one process of several that answer on the same socket, started and watched by the supervisor.

Its standard input holds its orders, then a line for each reload and one to begin; where that input ends, as the
supervisor stops or is gone, the worker drains and ends. What it reports goes back through a pipe.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import traceback

from soapsvc.metrics.page import count_restart
from soapsvc.transport.colleagues import Colleagues
from soapsvc.transport.run import leave, prepare, serve, shared_constants
from soapsvc.transport.server import stop_on_signals
from soapsvc.transport.servers import make_server
from soapsvc.transport.spread import Spread
from soapsvc.transport.start import StartError, listener_of_worker, start_logging
from soapsvc.transport.supervisor import RELOAD, SERVE, Orders
from soapsvc.transport.watcher import Watcher


def work(orders: Orders) -> None:
    """Load the models, say so, and serve once told to. Raises StartError."""
    settings = orders.settings
    start_logging(settings, f"worker-{orders.number}")
    watcher, may_serve = Watcher(settings.watch_interval_s), threading.Event()
    watcher.reload_on_hangup()
    threading.Thread(target=_obey, args=(orders, watcher, may_serve), name="orders", daemon=True).start()
    if orders.restarts:
        count_restart(orders.number)
    colleagues = Colleagues(orders.shared, orders.number, settings.workers, orders.supervisor)
    prepared = prepare(settings, watcher, colleagues)
    prepared.models_page.tell()
    listener = listener_of_worker(settings, socket.socket(fileno=orders.listener))
    _report(orders, ready=prepared.banner)
    may_serve.wait()
    share = Spread(orders.shared, settings.workers).share(orders.number)
    server = make_server(settings, prepared.web, listener, share)
    stop_on_signals(server.stop)
    serve(server, prepared, watcher)


def _obey(orders: Orders, watcher: Watcher, may_serve: threading.Event) -> None:
    for line in sys.stdin.buffer:
        if line == SERVE:
            may_serve.set()
        elif line == RELOAD:
            watcher.ask()
    shared_constants(orders.shared).remove_all()  # a supervisor that was killed can't
    os.kill(os.getpid(), signal.SIGTERM)  # ends a worker that loads, drains one that serves


def _report(orders: Orders, **message: object) -> None:
    os.write(orders.reports, json.dumps(message).encode() + b"\n")


def main() -> int:
    """Return the exit code: 2 when the models can't be served, 1 at a defect. A worker that served ends in `serve`."""
    orders = Orders.model_validate_json(sys.stdin.buffer.readline())
    try:
        work(orders)
    except StartError as err:
        _report(orders, failed=str(err))
        return 2
    except Exception:  # it would end the process in disorder, which hides its traceback behind another
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    leave(main())  # an end in order fails while a thread reads the orders
