"""Tables whose rows open lists: by model, and failures by cause."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.generation.model import Status
from dashboard import reader
from dashboard.navigation import to_results, to_task
from dashboard.parts.links import page_link
from dashboard.words import overview as words
from dashboard.words.common import STATUS, kind


def show_models(period: str, models: pd.DataFrame) -> None:
    """One row per model; a selected one leads to its generations."""
    st.subheader(words.BY_MODEL)
    seconds = "%.1f s"
    row = _selected(
        models.assign(
            kind=models["kind"].map(kind),
            success_rate=models["success_rate"] * 100,
        ),
        "overview_models",
        {
            "model": words.MODEL,
            "kind": words.KIND,
            "generations": _number(words.GENERATIONS, "localized"),
            "success_rate": _number(words.SUCCESS, "%.1f %%"),
            "made_p50_s": _number(words.MADE_P50, seconds),
            "made_p95_s": _number(words.MADE_P95, seconds),
            "credits": _number(words.CREDITS, "localized"),
        },
    )
    with st.container(horizontal=True):
        if row is None:
            st.caption(words.SELECT_MODEL)
            return
        model = models.iloc[row]
        page_link(
            words.open_these(model["generations"], words.GENERATIONS.lower()),
            to_results(model=model["model"], period=period),
            icon=":material/photo_library:",
        )
        for status in (Status.SUCCESS, Status.FAILED):
            look = STATUS[status]
            to = to_results(model=model["model"], status=status, period=period)
            page_link(look.word, to, icon=look.icon)


def show_failures(period: str, failures: pd.DataFrame) -> None:
    """One row per code and model; a selected one leads to its generations."""
    st.subheader(words.FAILURES)
    if failures.empty:
        st.caption(words.NO_FAILURES)
        return
    row = _selected(
        failures.assign(cause=failures["error_code"].map(words.cause)),
        "overview_failures",
        {
            "cause": st.column_config.TextColumn(words.CAUSE, width=190),
            "error_code": st.column_config.TextColumn(words.CODE, width=110),
            "model": st.column_config.TextColumn(words.MODEL, width=160),
            "generations": _number(words.FAILED_COUNT, "localized"),
            "first_at": _moment(words.FIRST, words.FIRST_HELP),
            "last_at": _moment(words.LAST, words.LAST_HELP),
        },
    )
    with st.container(horizontal=True):
        if row is None:
            st.caption(words.SELECT_FAILURE)
            return
        failure = failures.iloc[row]
        page_link(
            words.open_these(failure["generations"], words.GENERATIONS.lower()),
            to_results(
                status=Status.FAILED,
                code=failure["error_code"],
                model=failure["model"],
                period=period,
            ),
            icon=":material/photo_library:",
        )
        page_link(words.EXAMPLE, to_task(failure["example"]), icon=":material/fingerprint:")


def _selected(frame: pd.DataFrame, key: str, columns: dict[str, Any]) -> int | None:
    """Show a table; the number of the selected row."""
    event = st.dataframe(
        frame,
        hide_index=True,
        key=key,
        column_order=list(columns),
        column_config=columns,
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    return rows[0] if rows and rows[0] < len(frame) else None


def _number(label: str, format: str) -> Any:
    return st.column_config.NumberColumn(label, format=format)


def _moment(label: str, help: str) -> Any:
    return st.column_config.DatetimeColumn(
        label, format="D MMM, HH:mm", timezone=reader.zone_name(), help=help
    )
