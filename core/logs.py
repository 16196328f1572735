"""One line per thing that happened: JSON off a terminal, text on one."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

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


def set_up_logs(level: str, style: str | None) -> None:
    """Send all logs to standard output; `style` is json, text, or None for what fits it."""
    style = style or ("text" if sys.stdout.isatty() else "json")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "apscheduler", "alembic"):  # httpx prints whole URLs
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
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


class TextFormatter(logging.Formatter):
    """A line for people: what the message does not say itself follows it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")

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
