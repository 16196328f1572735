"""One line per thing that happened: JSON off a terminal, text on one."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.masking import mask

#: What may be added to a line by `extra`. Nothing else is copied, so no secret or prompt can leak
#: by being added somewhere.
FIELDS = (
    "event",
    "process",
    "generation",
    "task",
    "task_id",
    "accepted_task",
    "family",
    "verdict",
    "reason",
    "stage",
    "state",
    "position",
    "code",
    "attempt",
    "bytes",
    "ms",
    "ms_after_completion",
    "host",
    "path",
    "url",
    "via",
    "method",
    "status",
    "count",
)


OURS = ("core", "webhook", "poller", "dashboard")
#: Whose path and query may open a file for whoever reads the log.
_ADDRESS = re.compile(r"(https?://[^\s/?#\"'<>]+)[^\s\"'<>]+", re.IGNORECASE)


def set_up_logs(level: str, style: str | None, secrets: Sequence[str] = ()) -> None:
    """Send all logs to standard output; `style` is json, text, or None for what fits it.

    `secrets` are masked in tracebacks: nobody knows what an unexpected error quotes.
    """
    style = style or ("text" if sys.stdout.isatty() else "json")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(secrets) if style == "json" else TextFormatter(secrets))
    # Libraries print whole URLs and headers, at DEBUG and some at INFO.
    of_libraries = max(logging.WARNING, logging.getLevelNamesMapping()[level])
    logging.basicConfig(level=of_libraries, handlers=[handler], force=True)
    for package in OURS:
        logging.getLogger(package).setLevel(level)


class _Formatter(logging.Formatter):
    def __init__(
        self, secrets: Sequence[str] = (), fmt: str | None = None, datefmt: str | None = None
    ) -> None:
        super().__init__(fmt, datefmt)
        self._secrets = secrets

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The traceback, without credentials, and of addresses the host only."""
        return _ADDRESS.sub(r"\1/…", mask(super().formatException(ei), self._secrets))


class JsonFormatter(_Formatter):
    """A line as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(_Formatter):
    """A line for people: what the message does not say itself follows it."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__(secrets, "%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage()
        more = [
            f"{name}={value}"
            for name, value in _fields(record).items()
            if name != "event" and str(value) not in message
        ]
        return "  ".join([super().format(record), " ".join(more)]).rstrip()


def _fields(record: logging.LogRecord) -> dict[str, object]:
    values = {name: getattr(record, name, None) for name in FIELDS}
    values["process"] = record.processName if record.processName != "MainProcess" else None
    return {name: value for name, value in values.items() if value is not None}
