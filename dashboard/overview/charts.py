"""Charts of the overview: frames of `dashboard.overview.view` in, Altair charts out. Pure.

Every chart covers the whole window, so that what is missing is seen to be missing, and so that
nothing moves when figures are refreshed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import altair as alt
import pandas as pd

from core.generation.model import Channel, Status
from dashboard import formats
from dashboard.colors import HEX, LINE
from dashboard.overview.view import Window
from dashboard.words import common
from dashboard.words import overview as words
from dashboard.words.common import Look

HEIGHT, STACK_HEIGHT = 240, 300
STACKED = (Status.SUCCESS, Status.GENERATING, Status.QUEUED, Status.FAILED)
PERCENTILES = {"p50": words.P50, "p95": words.P95}


def outcomes(frame: pd.DataFrame, window: Window) -> alt.Chart:
    """How many were created in each step, stacked by status."""
    looks = {status: common.STATUS[status] for status in STACKED}
    axis = alt.Axis(format=",d", tickMinStep=1)
    y = alt.Y("generations:Q", title=words.GENERATIONS, axis=axis, stack="zero")
    counted = alt.Tooltip("generations:Q", title=words.GENERATIONS, format=",")
    return _stacked(frame, "status", looks, words.STATUS, y, counted, window)


def channels(frame: pd.DataFrame, window: Window) -> alt.Chart:
    """Who brought the results of each step, as shares."""
    looks = {channel: common.CHANNEL[channel] for channel in Channel}
    axis = alt.Axis(format="%")
    y = alt.Y("results:Q", title=words.SHARE, axis=axis, stack="normalize")
    counted = alt.Tooltip("results:Q", title=words.RESULTS, format=",")
    return _stacked(frame, "via", looks, words.WHO, y, counted, window)


def success_rate(frame: pd.DataFrame, window: Window) -> alt.Chart:
    """Delivered of those that ended."""
    line = alt.MarkDef(type="line", color=LINE, strokeWidth=2, point=_point(LINE))
    return alt.Chart(_centred(frame), mark=line, height=HEIGHT).encode(
        x=_time("at:T", window),
        y=alt.Y("success_rate:Q", title=None, axis=alt.Axis(format="%"), scale=_WHOLE),
        tooltip=[
            *_when(window),
            alt.Tooltip("success_rate:Q", title=words.SUCCESS_OVER_TIME, format=".1%"),
            alt.Tooltip("ended:Q", title=words.ENDED, format=","),
        ],
    )


def latency(frame: pd.DataFrame, window: Window) -> alt.Chart:
    """How long it took from KIE's completion to stored; logarithmic, as outages are far off."""
    named = _centred(frame).assign(
        word=frame["percentile"].map(PERCENTILES),
        took=[formats.milliseconds(seconds * 1000) for seconds in frame["seconds"]],
    )
    domain = list(PERCENTILES.values())
    line = alt.MarkDef(type="line", color=LINE, strokeWidth=2, point=_point(LINE))
    return alt.Chart(named, mark=line, height=HEIGHT).encode(
        x=_time("at:T", window),
        y=alt.Y(
            "seconds:Q",
            title=None,
            scale=alt.Scale(type="log", nice=True),
            axis=alt.Axis(labelExpr=_SECONDS, values=_SECONDS_SHOWN),
        ),
        strokeDash=alt.StrokeDash(
            "word:N",
            scale=alt.Scale(domain=domain, range=[[1, 0], [5, 3]]),
            legend=_legend("stroke"),
        ),
        tooltip=[
            *_when(window),
            alt.Tooltip("word:N", title=words.LATENCY_OVER_TIME),
            alt.Tooltip("took:N", title=words.TOOK),
        ],
    )


def _stacked(
    frame: pd.DataFrame,
    column: str,
    looks: Mapping[Status, Look] | Mapping[Channel, Look],
    title: str,
    y: alt.Y,
    counted: alt.Tooltip,
    window: Window,
) -> alt.Chart:
    names = list(looks)
    shown = frame[frame[column].isin(names)]
    shown = shown.assign(
        word=shown[column].map({name: look.word for name, look in looks.items()}),
        order=shown[column].map({name: place for place, name in enumerate(names)}),
    )
    scale = alt.Scale(
        domain=[look.word for look in looks.values()],
        range=[HEX[look.color] for look in looks.values()],
    )
    chart: alt.Chart = (
        alt.Chart(shown, height=STACK_HEIGHT)
        .mark_bar(orient="vertical", stroke=None, x2Offset=-1)
        .encode(
            x=_time("start:T", window),
            x2="end:T",
            y=y,
            color=alt.Color("word:N", scale=scale, legend=_legend()),
            order=alt.Order("order:O"),
            tooltip=[*_when(window), alt.Tooltip("word:N", title=title), counted],
        )
    )
    return chart


_WHOLE = alt.Scale(domain=[0, 1])
_SECONDS_SHOWN = [0.1, 1, 10, 60, 600, 3600, 36_000, 360_000]
_SECONDS = (
    "datum.value < 60 ? datum.value + ' s'"
    " : datum.value < 3600 ? datum.value / 60 + ' min' : datum.value / 3600 + ' h'"
)


def _time(field: str, window: Window) -> alt.X:
    shown = "%-d %b" if window.is_by_day else "%H:%M"
    return alt.X(
        field,
        title=None,
        scale=alt.Scale(domain=[_moment(window.since), _moment(window.until)]),
        axis=alt.Axis(format=shown, labelOverlap=True, grid=False, tickCount=8),
    )


def _moment(moment: datetime) -> alt.DateTime:
    return alt.DateTime(
        year=moment.year,
        month=moment.month,
        date=moment.day,
        hours=moment.hour,
        minutes=moment.minute,
    )


def _when(window: Window) -> Iterable[alt.Tooltip]:
    shown = "%-d %b %Y, %H:%M" if window.is_by_day else "%-d %b, %H:%M"
    return (
        alt.Tooltip("start:T", title=words.FROM, format=shown),
        alt.Tooltip("end:T", title=words.TO, format=shown),
    )


def _centred(frame: pd.DataFrame) -> pd.DataFrame:
    """With `at`: the middle of each step."""
    return frame.assign(at=frame["start"] + (frame["end"] - frame["start"]) / 2)


def _point(color: str) -> alt.OverlayMarkDef:
    return alt.OverlayMarkDef(size=28, color=color, filled=True)


def _legend(symbol: str = "square") -> alt.Legend:
    return alt.Legend(orient="top", title=None, columns=2, symbolType=symbol)
