"""Callbacks that were refused, and the newest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import address, formats, reader
from dashboard.access.login import Visitor
from dashboard.overview import reads
from dashboard.viewing import shown_callbacks
from dashboard.words import overview as words

SHOWN = ("received_at", "verdict", "task_id", "generation_id", "stage", "detail", "body")


def show_refused(refusals: pd.DataFrame, who: Visitor) -> None:
    """By reason; those with a chosen reason one by one."""
    st.subheader(words.REFUSED)
    if refusals.empty:
        st.caption(words.NO_REFUSED)
    else:
        _table(refusals)
    asked = st.query_params.get("refused", "")
    reason = st.selectbox(
        words.CHOOSE_REASON,
        list(words.REASONS),
        index=None,
        placeholder=words.CHOOSE_REASON_PLACEHOLDER,
        key=address.remember("overview_refused", asked if asked in words.REASONS else None),
        on_change=address.chosen,
        args=("refused", "overview_refused"),
    )
    if reason is not None:
        st.caption(f"{words.reason(reason)}.")
        _newest(shown_callbacks(reads.callbacks(reason), who.may_act))


def _table(refusals: pd.DataFrame) -> None:
    st.dataframe(
        refusals.assign(meaning=refusals["reason"].map(words.reason)),
        hide_index=True,
        key="overview_refusals",
        column_order=("meaning", "reason", "callbacks", "last_hour"),
        column_config={
            "meaning": st.column_config.TextColumn(words.MEANING, width="large"),
            "reason": words.REASON,
            "callbacks": st.column_config.NumberColumn(words.COUNT, format="localized"),
            "last_hour": _moment(words.LAST_HOUR),
        },
    )


def _newest(callbacks: Sequence[Mapping[str, Any]]) -> None:
    if not callbacks:
        st.caption(words.NO_CALLBACKS)
        return
    st.dataframe(
        pd.DataFrame(callbacks),
        column_order=[name for name in SHOWN if name in callbacks[0]],
        hide_index=True,
        key="overview_callbacks",
        placeholder=formats.NONE,
        column_config={
            "received_at": _moment(words.RECEIVED),
            "verdict": words.VERDICT,
            "task_id": words.TASK_ID,
            "generation_id": words.GENERATION,
            "stage": words.STAGE,
            "detail": st.column_config.TextColumn(words.DETAIL, width="medium"),
            "body": st.column_config.TextColumn(words.BODY, width="medium"),
        },
    )


def _moment(label: str) -> Any:
    return st.column_config.DatetimeColumn(
        label, format="D MMM YYYY, HH:mm", timezone=reader.zone_name()
    )
