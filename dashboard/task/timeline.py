"""The timeline of a generation as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from dashboard import formats
from dashboard.words import task as words


class Line(NamedTuple):
    """One event."""

    when: str
    after: str  # the gap since the line before; empty in the first
    who: str
    what: str
    why: str  # as somebody put it; empty where nobody did


def tell(events: Iterable[Mapping[str, Any]], zone: tzinfo, now: datetime) -> list[Line]:
    """Rows of `events`, oldest first, in words; times in a reader's zone."""
    lines, before = [], None
    for row in events:
        detail = row["detail"] or {}
        gap = "" if before is None else f"+{formats.duration(row['at'] - before)}"
        lines.append(
            Line(
                formats.clock(row["at"], zone, now),
                gap,
                words.who(row["name"], detail),
                words.sentence(row["name"], detail),
                str(detail.get("why") or ""),
            )
        )
        before = row["at"]
    return lines
