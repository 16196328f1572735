"""Reading values that may come in any shape: what cannot be read is None, never an exception.

Texts come back fit for any database: no lone surrogates, no NUL, no endless length.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

MAX_ENCODINGS = 4  # `param.input` is JSON in JSON; two more than ever seen
MAX_URL_LENGTH = 8_000
CREDITS = (Decimal("0.000001"), Decimal(10**12))
YEARS = range(2020, 2100)
MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138

_TASK_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def _finite(literal: str) -> float | None:
    number = float(literal)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(
    strict=False,  # raw newlines inside strings do no harm
    parse_float=_finite,
    parse_constant=lambda _: None,  # NaN and Infinity are not JSON: whoever writes on, writes null
)


def parse(body: bytes) -> object:
    """The JSON value of a whole body; ValueError where there is none (or it is nested too deep)."""
    try:
        return _DECODER.decode(body.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def unwrap(value: object) -> object:
    """The value behind JSON text, however often it was encoded; junk after it is ignored.

    Text that is no JSON (a bare URL, a truncated answer) comes back as it is.
    """
    for _ in range(MAX_ENCODINGS):
        if not isinstance(value, str):
            break
        try:
            value, _ = _DECODER.raw_decode(value.lstrip("\ufeff \t\r\n"))
        except (ValueError, RecursionError):
            break
    return value


def fields(value: object) -> dict[str, object]:
    """The value as an object, decoded where it is JSON text; an empty one for anything else."""
    found = unwrap(value)
    return found if isinstance(found, dict) else {}


def json_text(value: object) -> str | None:
    """The value as JSON text with readable non-ASCII."""
    try:
        return _storable(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return None


def text(value: object, limit: int = 2_000) -> str | None:
    """The value as text of at most `limit` characters; None where it says nothing."""
    if value is not None and not isinstance(value, str):
        value = json_text(value)
    return _storable(value.strip()[:limit]) or None if value else None


def task_id(value: object) -> str | None:
    """A task id within the bounds that every documented form keeps; opaque otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and _TASK_ID.fullmatch(value) else None


def url(value: object) -> str | None:
    """An absolute http or https URL, as it was written."""
    if not isinstance(value, str) or len(value) > MAX_URL_LENGTH:
        return None
    stripped = value.strip()
    try:
        parts = urlsplit(stripped)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return stripped if usable and stripped.isprintable() else None


def credits(value: object) -> Decimal | None:
    """An amount of credits: zero or more, from int, float or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value)[:40])
    except (InvalidOperation, ValueError):
        return None
    least, most = CREDITS
    if amount == 0:
        return amount
    is_sane = amount.is_finite() and least <= amount < most
    return amount if is_sane and round(amount, 6) < most else None  # as it is kept


def percent(value: object) -> int | None:
    """Progress from 0 to 100; a fraction ("0.42", of the 4o family) counts as a share of 1."""
    literal = text(value, 20)
    try:
        number = float(literal.rstrip("%")) if literal else math.nan
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    if literal and "." in literal and number <= 1:
        number *= 100
    return round(min(max(number, 0), 100))


def moment(value: object) -> datetime | None:
    """A time from epoch milliseconds or seconds, or ISO-like text (UTC where it names no zone)."""
    literal = text(value, 40)
    if literal is None or isinstance(value, bool):
        return None
    try:
        found = _epoch(float(literal))
    except ValueError:
        found = _written(literal)
    return found if found and found.year in YEARS else None


def _epoch(number: float) -> datetime | None:
    seconds = number / 1000 if number >= MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _written(literal: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(literal)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _storable(value: str) -> str:
    return value.encode("utf-8", "replace").decode().replace("\x00", "")
