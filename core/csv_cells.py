"""Values as cells of a CSV that spreadsheets read, and that runs nothing in them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

ENCODING = "utf-8-sig"  # with a mark by which Excel knows it

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> object:
    """The value, a time in ISO 8601 with Z, or text that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS):
        return "'" + value
    return value
