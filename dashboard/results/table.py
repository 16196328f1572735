"""The results as a table. Pure, but for showing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import pandas as pd
import streamlit as st

from core.generation.model import Generation, Status
from dashboard.navigation import to_task
from dashboard.words import results as words
from dashboard.words.common import STATUS, kind

MOMENT = "D MMM YYYY, HH:mm:ss"


def frame(generations: Sequence[Generation], zone: tzinfo) -> pd.DataFrame:
    """One row each, in this order; columns as in `words.COLUMN`.

    `created` by the zone's clock (naive), `took` in seconds, `size` of all stored files in bytes.
    """
    rows = [_row(generation, zone) for generation in generations]
    return pd.DataFrame(rows, columns=list(words.COLUMN))


def show_table(generations: Sequence[Generation], zone: tzinfo) -> None:
    """The same, newest first."""
    column, label = st.column_config, words.COLUMN
    configured: dict[str, Any] = {
        "link": column.LinkColumn(label["link"], display_text=words.LINK, width=60),
        "created": column.DatetimeColumn(label["created"], format=MOMENT, width=165),
        "status": column.MultiselectColumn(
            label["status"],
            options=[STATUS[status].word for status in Status],
            color=[STATUS[status].color for status in Status],
            width=100,
        ),
        "took": column.NumberColumn(label["took"], format="%.1f s"),
        "credits": column.NumberColumn(label["credits"], format="localized"),
        "size": column.NumberColumn(label["size"], format="bytes"),
        "code": column.Column(label["code"], width=150),
        "model": column.Column(label["model"], width=230),
        **{name: label[name] for name in ("kind", "user", "via")},
    }
    st.dataframe(
        frame(generations, zone).dropna(axis="columns", how="all"),
        column_config=configured,
        hide_index=True,
        height="content",
        placeholder="",
        key="results_table",
    )


def _row(generation: Generation, zone: tzinfo) -> dict[str, object]:
    delivered, via = generation.delivered_at, generation.delivered_via
    took = (delivered - generation.created_at).total_seconds() if delivered else None
    credits = generation.credits_consumed
    sizes = [asset.size_bytes or 0 for asset in generation.assets if asset.stored_at]
    return {
        "link": to_task(generation.id).url,
        "created": generation.created_at.astimezone(zone).replace(tzinfo=None),
        "status": [STATUS[generation.status].word],
        "kind": kind(generation.kind),
        "model": generation.model,
        "user": generation.user_id,
        "took": took,
        "credits": float(credits) if credits is not None else None,
        "code": generation.error_code,
        "via": words.VIA[via],
        "size": sum(sizes) if sizes else None,
    }
