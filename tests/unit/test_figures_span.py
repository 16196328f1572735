"""Spans: their last step is the one in which now lies, and their days are the reader's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures.span import PERIODS, span

NOW = datetime(2026, 11, 22, 14, 43, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "since"),
    [
        ("1h", "2026-11-22T13:45"),
        ("24h", "2026-11-21T15:00"),
        ("7d", "2026-11-15T18:00"),
        ("30d", "2026-10-24T00:00"),
    ],
)
def test_a_span_ends_with_the_step_in_which_now_lies(period: str, since: str) -> None:
    assert span(period, NOW).since == datetime.fromisoformat(since).replace(tzinfo=UTC)


def test_an_unknown_period_is_an_error() -> None:
    with pytest.raises(KeyError):
        span("2d", NOW)


@pytest.mark.parametrize(
    ("seconds", "first_day"), [(-1, "2026-10-23"), (0, "2026-10-24"), (1, "2026-10-24")]
)
def test_a_day_begins_at_midnight(seconds: int, first_day: str) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    since = span("30d", midnight + timedelta(seconds=seconds)).since
    assert since.isoformat() == f"{first_day}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("zone", "begins_at"),
    [
        ("Europe/Berlin", "00:00"),
        ("America/New_York", "00:00"),
        ("Asia/Kolkata", "00:30"),  # whole hours are counted, and midnight is in the middle of one
        ("America/St_Johns", "00:30"),
        ("Asia/Kathmandu", "00:45"),
        ("Pacific/Kiritimati", "00:00"),
    ],
)
def test_the_last_day_begins_by_the_readers_clock(zone: str, begins_at: str) -> None:
    shown = span("30d", NOW, ZoneInfo(zone))
    last_day = shown.since + 29 * shown.step
    assert f"{last_day.astimezone(ZoneInfo(zone)):%H:%M}" == begins_at


@pytest.mark.parametrize(
    ("now", "begins_at"),
    [
        ("2026-10-24T22:30:00Z", "00:00"),  # the clock goes back three hours after
        ("2026-10-25T00:30:00Z", "00:00"),  # the hour from two to three, for the first time
        ("2026-10-25T01:30:00Z", "01:00"),  # and again
        ("2026-10-26T11:00:00Z", "00:00"),
        ("2026-03-29T12:00:00Z", "23:00"),  # the clock went forward
        ("2026-03-30T12:00:00Z", "00:00"),
    ],
)
def test_a_day_on_which_clocks_change_begins_an_hour_off_at_most(now: str, begins_at: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    shown = span("30d", datetime.fromisoformat(now), berlin)
    last_day = shown.since + 29 * shown.step
    assert f"{last_day.astimezone(berlin):%H:%M}" == begins_at


@given(
    st.sampled_from(sorted(PERIODS)),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(sorted(available_timezones())),
)
def test_every_span_has_its_number_of_steps(period: str, now: datetime, zone: str) -> None:
    steps, step = PERIODS[period]
    shown = span(period, now, ZoneInfo(zone))
    assert shown.step == step
    assert (steps - 1) * step <= shown.until - shown.since < steps * step


@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_what_is_rolled_up_begins_with_a_whole_hour(period: str, zone: str) -> None:
    shown = span(period, NOW, ZoneInfo(zone))
    assert shown.is_rolled_up
    assert (shown.since.minute, shown.since.second) == (0, 0)


def test_the_last_hour_is_counted_live() -> None:
    assert not span("1h", NOW).is_rolled_up
