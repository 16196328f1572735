"""What is stored, by kind and month: the frame of `core.figures.counts.read_storage` in. Pure."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboard import formats
from dashboard.colors import HEX
from dashboard.words import system as words
from dashboard.words.common import KIND

HEIGHT = 240
_WORD = {kind: look.word for kind, look in KIND.items()}
_BYTES = "datum.value ? replace(format(datum.value, '.3~s'), 'G', ' G') + 'B' : '0'"


def table(storage: pd.DataFrame) -> pd.DataFrame:
    """One row per month, the newest first: a column of bytes per kind that occurs, and of files."""
    named = storage.assign(kind=storage["kind"].map(_WORD))
    wide = named.pivot_table(index="month", columns="kind", values="bytes", aggfunc="sum")
    kinds = [word for word in _WORD.values() if word in wide.columns]
    sizes = wide[kinds].map(formats.size).assign(**{words.BYTES_ALL: _total(named, "bytes")})
    sizes[words.BYTES_ALL] = sizes[words.BYTES_ALL].map(formats.size)
    sizes[words.FILES] = _total(named, "files").map(formats.count)
    shown = sizes.sort_index(ascending=False).reset_index(names=words.MONTH)
    return shown.assign(**{words.MONTH: shown[words.MONTH].dt.strftime("%b %Y")})


def chart(storage: pd.DataFrame) -> alt.Chart:
    """Bytes by month of creation, stacked by kind in the order of the legend."""
    in_order = storage.sort_values("month")
    shown = in_order.assign(
        month=in_order["month"].dt.strftime("%b %Y"),
        word=in_order["kind"].map(_WORD),
        place=in_order["kind"].map(list(KIND).index),
        size=in_order["bytes"].map(formats.size),
    )
    looks = [look for kind, look in KIND.items() if kind in set(storage["kind"])]
    colors = alt.Scale(
        domain=[look.word for look in looks], range=[HEX[look.color] for look in looks]
    )
    chart: alt.Chart = (
        alt.Chart(shown, height=HEIGHT)
        .mark_bar(size=28)
        .encode(
            x=alt.X("month:O", title=words.MONTH, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("bytes:Q", title=words.SIZE, axis=alt.Axis(labelExpr=_BYTES, tickCount=5)),
            color=alt.Color("word:N", title=None, scale=colors, legend=alt.Legend(orient="top")),
            order="place:Q",
            tooltip=[
                alt.Tooltip("month:O", title=words.MONTH),
                alt.Tooltip("word:N", title=words.KIND),
                alt.Tooltip("size:N", title=words.SIZE),
                alt.Tooltip("files:Q", title=words.FILES, format=","),
            ],
        )
    )
    return chart


def _total(storage: pd.DataFrame, column: str) -> pd.Series[int]:
    return storage.groupby("month")[column].sum()
