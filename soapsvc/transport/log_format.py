"""The form of log lines, made for a line at each call: what a call costs includes its line."""

from __future__ import annotations

import logging
import sys
import time
from logging import LogRecord


class LineFormatter(logging.Formatter):
    """Writes date, time, level, process, logger and message; the text of a second is made once."""

    def __init__(self, who: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {who and who + ' '}%(name)s %(message)s")
        self._second = (0, "")

    def formatTime(self, record: LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  (logging's name)
        """Return local time as `2026-11-23 04:35:29,123`."""
        second, text = self._second
        if second != int(record.created):
            second = int(record.created)
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = second, text
        return f"{text},{int(record.msecs):03d}"


def log_to_stderr(level: str, who: str = "") -> None:
    """Send log lines of a level and above to stderr. who: the process whose lines these are, where there are several.

    What no line shows is not looked up (the optimizations of logging's HOWTO).
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(who))
    logging.basicConfig(level=level.upper(), handlers=[handler])
