"""What the overview shows: small frames in the reader's time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

import pandas as pd

from core.figures import summary
from core.figures.figures import Overview
from core.figures.news import Silence
from core.figures.span import Span
from core.figures.summary import Totals
from core.generation.model import Channel


@dataclass(frozen=True, slots=True)
class Window:
    """The steps that a span is cut into, by the reader's clock (naive)."""

    since: datetime
    until: datetime
    is_by_day: bool  # steps are so long that the day says more than the hour


@dataclass(frozen=True, slots=True)
class View:
    """Frames as core.figures.summary documents them; `start` and `end` by the reader's clock."""

    window: Window
    totals: Totals
    outcomes: pd.DataFrame
    rates: pd.DataFrame
    latency: pd.DataFrame
    news: pd.DataFrame
    channels: Mapping[Channel, int]  # results that each brought
    models: pd.DataFrame
    failures: pd.DataFrame
    refusals: pd.DataFrame
    silence: Silence | None
    counted_at: datetime | None

    @property
    def results(self) -> int:
        """How many results are known of."""
        return sum(self.channels.values())

    @property
    def without_callback(self) -> int:
        """How many of them no callback announced in time."""
        return self.results - self.channels[Channel.CALLBACK]


def view_of(overview: Overview, span: Span, zone: tzinfo) -> View:
    """Everything that the page shows of a span."""
    cohorts, durations = overview.cohorts, overview.durations
    outcomes, rates, latency, news = (
        _local(frame, span, zone)
        for frame in (
            summary.outcomes_over_time(cohorts.by_step),
            summary.rates_over_time(cohorts.by_step),
            summary.latency_over_time(durations.stored),
            summary.news_over_time(cohorts.by_step),
        )
    )
    return View(
        window=window_of(span, zone),
        totals=summary.totals(cohorts.by_step, durations.stored),
        outcomes=outcomes,
        rates=rates,
        latency=latency,
        news=news,
        channels=_channels(news),
        models=summary.by_model(cohorts.by_model, durations.made),
        failures=summary.failures(cohorts.by_model),
        refusals=overview.refusals,
        silence=overview.silence,
        counted_at=overview.counted_at if span.is_rolled_up else span.until,
    )


def window_of(span: Span, zone: tzinfo) -> Window:
    """From the beginning of the first step to the end of the last one."""
    steps = (span.until - span.since) // span.step + 1
    ends = (span.since, span.since + steps * span.step)
    since, until = (moment.astimezone(zone).replace(tzinfo=None) for moment in ends)
    return Window(since, until, is_by_day=steps * span.step > pd.Timedelta(days=2))


def _local(frame: pd.DataFrame, span: Span, zone: tzinfo) -> pd.DataFrame:
    start = pd.to_datetime(frame["start"], utc=True)
    by_clock = [
        (start + add).dt.tz_convert(zone).dt.tz_localize(None) for add in (_NO_TIME, span.step)
    ]
    return frame.assign(start=by_clock[0], end=by_clock[1])


_NO_TIME = pd.Timedelta(0)


def _channels(news: pd.DataFrame) -> Mapping[Channel, int]:
    by_channel = news.groupby("via")["results"].sum()
    return {channel: int(by_channel.get(channel, 0)) for channel in Channel}
