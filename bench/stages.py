"""Where the time of one iris call goes inside our server: `python -m bench.stages`. One thread, no sockets.

Wraps the functions at which a request passes from one stage to the next. Each stage is given its own time only,
without the stages that it calls.
"""

from __future__ import annotations

import argparse
import functools
import io
import logging
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.iris import FLOWERS, MODELS, NAMESPACE, PATH, Flower, envelope, names_species
from bench.report import surroundings, table

Call = Callable[[Flower], bytes]


class StageClock:
    """Adds up the time spent in each stage of the call under way; for one thread."""

    def __init__(self) -> None:
        self.times_s: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """Replace a function of a class or module by one that counts as a stage."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._leave()

        setattr(owner, name, timed)

    def _enter(self, stage: str) -> None:
        self._book()
        self._open.append(stage)

    def _leave(self) -> None:
        self._book()
        self._open.pop()

    def _book(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.times_s[self._open[-1]] = self.times_s.get(self._open[-1], 0.0) + now - self._since
        self._since = now


def make_call() -> Call:
    """Return a function that sends one flower through the whole WSGI application, its call log to nowhere."""
    from soapsvc.metrics.counts import read_counts
    from soapsvc.metrics.notes import NotesInMemory
    from soapsvc.metrics.recent import LastHour
    from soapsvc.settings import Settings
    from soapsvc.transport.log_format import LineFormatter, LineHandler
    from soapsvc.transport.run import load_models, make_application

    handler = LineHandler(open(os.devnull, "w"))  # noqa: SIM115  (open for good)
    handler.setFormatter(LineFormatter(""))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    settings = Settings(models=MODELS)
    manager, contracts, _ = load_models(settings)
    last_hour = LastHour(NotesInMemory(), read_counts)
    web = make_application(settings, manager, contracts, dict, lambda: None, last_hour)

    def call(flower: Flower) -> bytes:
        body = envelope(flower)
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": PATH, "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)), "HTTP_SOAPACTION": f'"{NAMESPACE}:predict"',
            "wsgi.input": io.BytesIO(body),
        }  # fmt: skip
        return b"".join(web(environ, lambda status, headers: None))

    return call


def wrap_stages(clock: StageClock) -> None:
    """Put the clock into the product, at the places where modules hand over to each other."""
    from soapsvc.model.binding import Binding
    from soapsvc.model.graph import FrozenGraph
    from soapsvc.model.servable import Servable
    from soapsvc.soap.application import SoapEndpoint
    from soapsvc.soap.codec import Codec
    from soapsvc.soap.outlines import Outlines
    from soapsvc.soap.service import _Predictor
    from soapsvc.transport.application import WebApplication
    from soapsvc.transport.soap_handler import SoapHandler

    clock.wrap(WebApplication, "__call__", "HTTP: route, limits, headers")
    clock.wrap(SoapHandler, "_answered", "note for log and metrics")
    clock.wrap(SoapEndpoint, "answer", "SOAP: checks, Spyne's dispatch")
    clock.wrap(Outlines, "read", "reader: message to values")
    clock.wrap(_Predictor, "predict", "service: handle to the model")
    clock.wrap(Binding, "pack", "binding: values to tensors")
    clock.wrap(Servable, "run", "servable: feeds and fetches")
    clock.wrap(FrozenGraph, "run", "graph: TensorFlow")
    clock.wrap(Binding, "unpack", "binding: tensors to values")
    clock.wrap(Codec, "write", "writer: values to message")


def median_stages(call: Call, calls: int, clock: StageClock) -> dict[str, float]:
    """Return the median time of each stage in microseconds. Fails at a wrong answer."""
    seen: dict[str, list[float]] = {}
    for number in range(calls):
        flower = FLOWERS[number % len(FLOWERS)]
        clock.times_s = {}
        answer = call(flower)
        assert names_species(answer, flower.species), answer
        for stage, time_s in clock.times_s.items():
            seen.setdefault(stage, []).append(time_s)
    return {stage: statistics.median(times) * 1e6 for stage, times in seen.items()}


def main() -> None:
    """Print the stages of a call, the longest first."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument("--calls", type=int, default=5000, help="how many calls the medians are of (default 5000)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    print(surroundings())
    print(stages_table(options.calls, options.markdown))


def stages_table(calls: int, markdown: bool) -> str:
    """Return the stages of a call, the longest first."""
    call, clock = make_call(), StageClock()
    wrap_stages(clock)
    median_stages(call, max(1, calls // 10), clock)  # warm-up
    stages = median_stages(call, calls, clock)
    whole = sum(stages.values())
    longest_first = sorted(stages.items(), key=lambda item: -item[1])
    rows = [(stage, f"{time_us:.0f}", f"{time_us / whole:.0%}") for stage, time_us in longest_first]
    return table(("stage", "us", "share"), [*rows, ("sum", f"{whole:.0f}", "100%")], markdown)


if __name__ == "__main__":
    main()
