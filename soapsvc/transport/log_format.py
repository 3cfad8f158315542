"""The log on stderr, made for a line at each call: what a call costs includes its line."""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from logging import LogRecord
from typing import Any, Literal, TextIO

import orjson

from soapsvc.later import Later

LogForm = Literal["text", "json"]
_NUMBERS = {"ms": float, "in": int, "out": int}
_DELAY_S = 0.02  # how long a line may wait for others
_PIPE_BUF = 4096  # bytes that a pipe takes at once, so that lines of several processes do not mix; pipe(7)


class LineFormatter(logging.Formatter):
    """Writes date, time, level, process, logger and message; the text of a second is made once."""

    def __init__(self, who: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {who and who + ' '}%(name)s %(message)s")
        self._who = who and f"{who} "
        self._second = (0, "")

    def format(self, record: LogRecord) -> str:
        """Return a record's line; that of most, which are a message and no more, in a shorter way than logging's."""
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        return f"{self.formatTime(record)} {record.levelname} {self._who}{record.name} {record.getMessage()}"

    def formatTime(self, record: LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  (logging's name)
        """Return local time as `2026-11-23 04:35:29,123`."""
        second, text = self._second
        if second != int(record.created):
            second = int(record.created)
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = second, text
        return f"{text},{int(record.msecs):03d}"


class JsonFormatter(logging.Formatter):
    """Writes an object for each line: time (UTC), level, process, logger, and message, or a call's own fields."""

    def __init__(self, who: str) -> None:
        super().__init__()
        self._who = who

    def format(self, record: LogRecord) -> str:
        """Return a record as JSON."""
        line: dict[str, Any] = {"time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}
        line |= {"level": record.levelname, **({"process": self._who} if self._who else {}), "logger": record.name}
        message = record.getMessage()
        line |= _fields(message) if record.name == "soapsvc.calls" else {"message": message}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def _fields(message: str) -> dict[str, Any]:
    """Return the fields of a call's line, whose values hold no blank."""
    fields = dict(part.split("=", 1) for part in message.split(" "))
    return {name: _NUMBERS[name](value) if name in _NUMBERS else value for name, value in fields.items()}


_OF_CALLS = vars(logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO"}))


class CallRecord(LogRecord):
    """The record of an answered call, at a third of the price: where in the code it was made is not looked up."""

    def __init__(self, name: str, line: str, at: float) -> None:
        """name: of its logger.  at: when the call was answered, on time.time."""
        vars(self).update(_OF_CALLS, name=name, msg=line, created=at, msecs=at % 1 * 1000)


class LineHandler(logging.Handler):
    """Writes what calls tell a moment later, on a thread of its own and many lines at once; warnings at once.

    A write lets other threads run, and costs a call on a busy server more than all else that it does in Python.
    A process that is killed takes the lines of its last moment with it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines = Later("log", _DELAY_S, self._write)

    def handle(self, record: LogRecord) -> bool:
        """Take a record, without the lock that logging takes around `emit`: nothing here needs it."""
        passes = bool(self.filter(record))
        if passes:
            self.emit(record)
        return passes

    def emit(self, record: LogRecord) -> None:
        """Take a record."""
        self._lines.add(record)
        if record.levelno >= logging.WARNING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._lines.flush()

    def _write(self, records: deque[LogRecord]) -> None:
        for text in self._texts(records):
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):  # nobody reads the log, or its disk is full: calls go on without it
                return

    def _texts(self, records: deque[LogRecord]) -> Iterator[str]:
        """Yield the lines of records, joined as far as one write takes them whole."""
        text, size = "", 0
        while records:
            record = records.popleft()
            try:
                line = self.format(record) + "\n"
            except Exception:  # a defect of who logged; told as logging tells it
                self.handleError(record)
                continue
            more = len(line.encode(errors="replace"))
            if text and size + more > _PIPE_BUF:
                yield text
                text, size = "", 0
            text, size = text + line, size + more
        if text:
            yield text


def log_to_stderr(level: str, form: LogForm = "text", who: str = "") -> None:
    """Send log lines of a level and above to stderr. who: the process whose lines these are, where there are several.

    What no line shows is not looked up (the optimizations of logging's HOWTO).
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = LineHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(who) if form == "json" else LineFormatter(who))
    logging.basicConfig(level=level.upper(), handlers=[handler])
