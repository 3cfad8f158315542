"""Log lines come whole, in their order and soon; warnings at once; none stops a call that can't be written."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Iterator

import pytest

from soapsvc.transport.log_format import CallRecord, JsonFormatter, LineFormatter, LineHandler


class Stream(io.StringIO):
    """Keeps what each write held. broken: whether writing fails."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.broken = False

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError("disk full")
        self.writes.append(text)
        return len(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def logger(stream: Stream) -> Iterator[logging.Logger]:
    handler = LineHandler(stream)
    handler.setFormatter(LineFormatter("worker-1"))
    made = logging.Logger("test", logging.INFO)
    made.addHandler(handler)
    yield made
    handler.close()


def lines(stream: Stream) -> list[str]:
    return "".join(stream.writes).splitlines()


def test_lines_come_by_themselves_and_in_their_order(logger: logging.Logger, stream: Stream) -> None:
    for number in range(1000):
        logger.info("call %d", number)
    until = time.monotonic() + 60
    while len(lines(stream)) < 1000 and time.monotonic() < until:
        time.sleep(0.01)
    assert [line.rpartition(" ")[2] for line in lines(stream)] == [str(number) for number in range(1000)]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO worker-1 test call 0", lines(stream)[0])
    assert len(stream.writes) < 500


def test_a_write_ends_with_a_line_and_fits_a_pipe(logger: logging.Logger, stream: Stream) -> None:
    for size in (10, 3000, 3000, 9000, 10):
        logger.info("é" * (size // 2))
    logger.handlers[0].flush()
    assert all(text.endswith("\n") for text in stream.writes)
    assert all(len(text.encode()) <= 4096 or text.count("\n") == 1 for text in stream.writes)


def test_warning_is_written_before_the_call_goes_on(logger: logging.Logger, stream: Stream) -> None:
    logger.info("before")
    logger.warning("now")
    assert [line.rpartition(" ")[2] for line in lines(stream)] == ["before", "now"]


def test_a_log_that_cannot_be_written_stops_nobody(logger: logging.Logger, stream: Stream) -> None:
    stream.broken = True
    logger.error("lost")
    stream.broken = False
    logger.error("told")
    assert [line.rpartition(" ")[2] for line in lines(stream)] == ["told"]


def test_json_has_a_call_in_fields_and_a_traceback_in_its_line(stream: Stream) -> None:
    handler = LineHandler(stream)
    handler.setFormatter(JsonFormatter("worker-1"))
    calls, other = logging.Logger("soapsvc.calls"), logging.Logger("soapsvc.other")
    for logger in (calls, other):
        logger.addHandler(handler)
    calls.info("request=%s model=%s ms=%.2f in=%d out=%d peer=%s%s", "a=b", "iris", 1.5, 7, 9, "::1", " steps=cut:1.00")
    try:
        raise ValueError("a\nb")
    except ValueError:
        other.exception('broken "here"')
    handler.close()
    call, broken = map(json.loads, lines(stream))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", call.pop("time"))
    assert call == {
        "level": "INFO", "process": "worker-1", "logger": "soapsvc.calls", "request": "a=b", "model": "iris", "ms": 1.5,
        "in": 7, "out": 9, "peer": "::1", "steps": "cut:1.00",
    }  # fmt: skip
    assert (broken["message"], broken["level"]) == ('broken "here"', "ERROR")
    assert broken["traceback"].endswith("ValueError: a\nb")


@pytest.mark.parametrize("form", [LineFormatter("worker-1"), JsonFormatter("worker-1")])
def test_record_of_a_call_reads_as_any_other(form: logging.Formatter) -> None:
    usual = logging.LogRecord("soapsvc.calls", logging.INFO, "a.py", 1, "model=%s ms=%.2f", ("iris", 1.5), None)
    light = CallRecord("soapsvc.calls", "model=iris ms=1.50", usual.created)
    assert usual.__dict__.keys() == light.__dict__.keys()
    assert abs(light.msecs - usual.msecs) < 1
    light.msecs = usual.msecs
    assert form.format(light) == form.format(usual)
