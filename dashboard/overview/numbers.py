"""The first row: each number, and the list behind it."""

from __future__ import annotations

import streamlit as st

from core.figures.summary import Totals
from core.generation.model import Status
from core.store.stuck import Reason
from dashboard import formats
from dashboard.navigation import SYSTEM, Link, to_results, to_stuck
from dashboard.overview.reads import Stored, StuckCounts
from dashboard.overview.view import View
from dashboard.parts.links import page_link
from dashboard.words import overview as words


def show_numbers(period: str, view: View, stuck: StuckCounts, stored: Stored) -> None:
    """All of them, in two rows; these wrap where the window is narrow."""
    with st.container(horizontal=True, key="overview_outcome_numbers"):
        _show_outcomes(period, view.totals)
    with st.container(horizontal=True, key="overview_delivery_numbers"):
        _show_delivery(period, view.totals, stuck, stored)


def _show_outcomes(period: str, totals: Totals) -> None:
    _card(
        words.CREATED,
        formats.count(totals.created),
        words.within(period),
        to_results(period=period),
    )
    _card(
        words.DELIVERED,
        formats.count(totals.delivered),
        words.failed(totals.failed),
        to_results(status=Status.SUCCESS, period=period),
    )
    _card(
        words.SUCCESS_RATE,
        formats.percent(totals.success_rate),
        words.of_all_created(totals.success_rate_of_all),
        to_results(status=Status.FAILED, period=period),
        help=words.SUCCESS_RATE_HELP,
    )
    _card(
        words.OPEN,
        formats.count(totals.open),
        words.OPEN_NOTE,
        to_results(status="open", period=period),
    )


def _show_delivery(period: str, totals: Totals, stuck: StuckCounts, stored: Stored) -> None:
    _card(
        words.STUCK, formats.count(stuck.all), words.STUCK_NOTE, to_stuck(), help=words.STUCK_HELP
    )
    _card(
        words.AT_RISK,
        formats.count(stuck.at_risk),
        words.AT_RISK_NOTE,
        to_stuck(reason=Reason.AT_RISK),
        help=words.AT_RISK_HELP,
    )
    _card(
        words.STORED_AFTER,
        formats.milliseconds(totals.stored_p50_ms),
        words.in_time(formats.milliseconds(totals.stored_p95_ms)),
        to_results(status=Status.SUCCESS, period=period),
        help=words.STORED_AFTER_HELP,
    )
    _card(words.STORAGE, formats.size(stored.bytes), words.files(stored.files), Link(SYSTEM, {}))


def _card(label: str, value: str, note: str, to: Link, *, help: str | None = None) -> None:
    """A number under the link to its list."""
    with st.container(border=True, gap=None):
        page_link(f"{label} :material/chevron_right:", to, help=help)
        st.metric(label, value, label_visibility="collapsed")
        st.caption(note)
