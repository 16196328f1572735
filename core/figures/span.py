"""Periods that figures are shown for, cut into steps that fit the reader's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from core.store.counting import HOUR


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to `until`, in steps of `step`; aware UTC."""

    since: datetime
    until: datetime
    step: timedelta

    @property
    def is_rolled_up(self) -> bool:
        """Whether it is made of whole hours, which are counted already."""
        return self.step >= HOUR


#: How many steps of which length, by name.
PERIODS: Mapping[str, tuple[int, timedelta]] = {
    "1h": (12, timedelta(minutes=5)),
    "24h": (24, HOUR),
    "7d": (28, timedelta(hours=6)),
    "30d": (30, timedelta(days=1)),
}

_MIDNIGHT = datetime(2020, 1, 1, tzinfo=UTC)


def span(period: str, now: datetime, zone: tzinfo = UTC) -> Span:
    """The newest span of a period: its last step is the one in which `now` lies.

    Days begin at midnight in the zone; at the full hour (UTC) within an hour of it where the zone
    is off by part of an hour, or its clock is changed meanwhile. KeyError for a name that is not
    in PERIODS.
    """
    steps, step = PERIODS[period]
    last = _beginning(step, now, zone)
    return Span(last - (steps - 1) * step, now, step)


def _beginning(step: timedelta, now: datetime, zone: tzinfo) -> datetime:
    """Steps are laid end to end from a midnight long ago, told by the clock as it is set now."""
    offset = now.astimezone(zone).utcoffset() or timedelta()
    midnight = _MIDNIGHT - offset // HOUR * HOUR
    return midnight + (now - midnight) // step * step
