"""Numbers, sizes, durations and moments as people read them. Pure.

What is not known is a dash: None, and what frames say instead of it (NaN, NaT).
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

NONE = "–"  # noqa: RUF001 - an en dash is meant
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def count(number: float | None) -> str:
    """`12,345`."""
    return NONE if number is None or _is_nothing(number) else f"{number:,.0f}"


def credits(number: float | None) -> str:
    """`12`, `0.5`, `1,234.25`; never 0 unless it is nothing."""
    if number is None or _is_nothing(number):
        return NONE
    if 0 < number < 0.005:
        return "< 0.01"
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def percent(share: float | None) -> str:
    """`93.4 %`; never 100 or 0 unless it is all or nothing."""
    if share is None or _is_nothing(share):
        return NONE
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def size(byte_count: float | None) -> str:
    """`980 B`, `1.4 MB`, `214 MB`."""
    if byte_count is None or _is_nothing(byte_count):
        return NONE
    value, unit = float(byte_count), 0
    while value >= 999.5 and unit < len(_SIZES) - 1:
        value, unit = value / 1000, unit + 1
    digits = 1 if unit and value < 99.95 else 0
    return f"{value:.{digits}f} {_SIZES[unit]}"


def duration(length: timedelta | None) -> str:
    """The two largest units: `420 ms`, `3.2 s`, `2 min 5 s`, `3 d 4 h`."""
    if length is None or _is_nothing(length):
        return NONE
    seconds = length.total_seconds()
    return f"-{_span(-seconds)}" if seconds < 0 else _span(seconds)


def milliseconds(number: float | None) -> str:
    """The same, from milliseconds."""
    if number is None or _is_nothing(number):
        return NONE
    return duration(timedelta(milliseconds=number))


def ago(moment: datetime | None, now: datetime) -> str:
    """`2 min 5 s ago`, `in 40 s`, `now`."""
    if moment is None or _is_nothing(moment):
        return NONE
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    words = _two_units(round(abs(seconds)))
    return f"{words} ago" if seconds > 0 else f"in {words}"


def clock(moment: datetime | None, zone: tzinfo, now: datetime | None = None) -> str:
    """`22 Nov 2026, 14:03:12`; without the date where it is today's."""
    if moment is None or _is_nothing(moment):
        return NONE
    local = moment.astimezone(zone)
    time = f"{local:%H:%M:%S}"
    if now is not None and now.astimezone(zone).date() == local.date():
        return time
    return f"{local.day} {local:%b %Y}, {time}"


def _is_nothing(value: object) -> bool:
    return value != value  # true of NaN and NaT only


def _span(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else _two_units(round(seconds))


def _two_units(seconds: int) -> str:
    """The second unit is cut and not rounded, as a clock does."""
    for index, (length, unit) in enumerate(_UNITS):
        if seconds >= length:
            whole, rest = divmod(seconds, length)
            smaller = _UNITS[index + 1 : index + 2]
            more = [f"{rest // each} {name}" for each, name in smaller if rest >= each]
            return " ".join([f"{whole} {unit}", *more])
    return "0 s"
