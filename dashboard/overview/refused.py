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
from dashboard.words.callbacks import REASONS, reason

SHOWN = ("received_at", "verdict", "task_id", "generation_id", "stage", "detail", "body")


def show_refused(refusals: pd.DataFrame, who: Visitor) -> None:
    """By reason; those with the reason of a selected row one by one."""
    st.subheader(words.REFUSED)
    asked = st.query_params.get("refused", "")
    if refusals.empty:
        st.caption(words.NO_REFUSED)
    else:
        _table(refusals, asked)
        if not asked:
            st.caption(words.SELECT_REASON)
    if asked in {*REASONS, *refusals["reason"]}:
        st.markdown(f"**{words.NEWEST}** {reason(asked)}.")
        _newest(shown_callbacks(reads.callbacks(asked), who.may_act))


def _table(refusals: pd.DataFrame, asked: str) -> None:
    """A selected row changes the reason that the address asks for."""
    reasons = list(refusals["reason"])
    key = f"overview_refusals_{'_'.join(reasons)}"  # a selection is of one order of rows
    st.dataframe(
        refusals.assign(meaning=refusals["reason"].map(reason)),
        hide_index=True,
        key=key,
        on_select=lambda: _choose(reasons, st.session_state[key]["selection"]["rows"]),
        selection_mode="single-row",
        selection_default={
            "selection": {"rows": [row for row, each in enumerate(reasons) if each == asked]}
        },
        column_order=("meaning", "reason", "callbacks", "last_hour"),
        column_config={
            "meaning": st.column_config.TextColumn(words.MEANING, width="large"),
            "reason": words.REASON,
            "callbacks": st.column_config.NumberColumn(words.COUNT, format="localized"),
            "last_hour": _moment(words.LAST_HOUR),
        },
    )


def _choose(reasons: Sequence[str], rows: Sequence[int]) -> None:
    address.put("refused", reasons[rows[0]] if rows else None)


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
