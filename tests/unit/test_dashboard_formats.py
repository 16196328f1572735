"""Numbers, sizes, durations and moments as people read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboard import formats, reader

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
NOTHING = (None, float("nan"))


@pytest.mark.parametrize("number", NOTHING)
@pytest.mark.parametrize(
    "format",
    [formats.count, formats.credits, formats.percent, formats.size, formats.milliseconds],
)
def test_what_is_not_known_is_a_dash(format: Callable[[Any], str], number: float | None) -> None:
    assert format(number) == formats.NONE


@pytest.mark.parametrize("moment", [None, pd.NaT])
@pytest.mark.parametrize(
    "format",
    [formats.duration, partial(formats.ago, now=NOON), partial(formats.clock, zone=UTC)],
)
def test_a_time_that_is_not_known_is_a_dash(format: Callable[[Any], str], moment: object) -> None:
    assert format(moment) == formats.NONE


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
)
def test_counts(number: float, text: str) -> None:
    assert formats.count(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.004, "< 0.01"),
        (0.006, "0.01"),
        (0.5, "0.5"),
        (10, "10"),
        (100.0, "100"),
        (1234.25, "1,234.25"),
        (1234.999, "1,235"),
    ],
)
def test_credits(number: float, text: str) -> None:
    assert formats.credits(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0009, "< 0.1 %"),
        (0.001, "0.1 %"),
        (0.0011, "0.1 %"),
        (0.5, "50 %"),
        (0.9345, "93.5 %"),
        (0.9989, "99.9 %"),
        (0.999, "99.9 %"),
        (0.9991, "> 99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares_are_never_all_or_nothing_unless_they_are(share: float, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(
    ("byte_count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1001, "1.0 kB"),
        (9_960, "10.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_400, "999 kB"),
        (999_600, "1.0 MB"),
        (1_400_000, "1.4 MB"),
        (2 << 30, "2.1 GB"),
        (3e18, "3000 PB"),
    ],
)
def test_sizes(byte_count: float, text: str) -> None:
    assert formats.size(byte_count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.42, "420 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.96, "1 min"),
        (61, "1 min 1 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h"),
        (3601, "1 h"),
        (3660, "1 h 1 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (86_400 * 3 + 3600 * 4 + 59, "3 d 4 h"),
        (-65, "-1 min 5 s"),
        (-0.2, "-200 ms"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert formats.duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("number", "text"), [(999, "999 ms"), (1000, "1.0 s"), (60_000, "1 min")])
def test_durations_of_milliseconds(number: float, text: str) -> None:
    assert formats.milliseconds(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.9, "now"),
        (1, "1 s ago"),
        (59.6, "1 min ago"),
        (125, "2 min 5 s ago"),
        (-0.9, "now"),
        (-1, "in 1 s"),
        (-40, "in 40 s"),
    ],
)
def test_ages_look_back_and_ahead(seconds: float, text: str) -> None:
    assert formats.ago(NOON - timedelta(seconds=seconds), NOON) == text


@pytest.mark.parametrize(
    ("zone", "now", "text"),
    [
        ("UTC", None, "22 Nov 2026, 12:00:00"),
        ("UTC", NOON, "12:00:00"),
        ("UTC", NOON + timedelta(days=1), "22 Nov 2026, 12:00:00"),
        ("Pacific/Auckland", NOON - timedelta(hours=2), "23 Nov 2026, 01:00:00"),
        ("Pacific/Auckland", NOON, "01:00:00"),
    ],
)
def test_a_moment_has_its_date_unless_that_is_todays_in_the_zone(
    zone: str, now: datetime | None, text: str
) -> None:
    assert formats.clock(NOON, ZoneInfo(zone), now) == text


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (None, "UTC"),
        ("", "UTC"),
        ("Mars/Olympus", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("America", "UTC"),
        ("a\0b", "UTC"),
        ("\ud800", "UTC"),
        ("x" * 5000, "UTC"),
    ],
)
def test_only_a_zone_that_exists_is_the_readers(told: str | None, name: str) -> None:
    assert reader.known(told) == name
