"""The stuck list itself, which refreshes itself."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.diagnosis.storing import AT_RISK_AFTER
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.listing import Cursor
from core.store.stuck import Limits, Stuck
from dashboard import formats, resources
from dashboard.boundary import live
from dashboard.navigation import to_stuck
from dashboard.parts.freshness import freshness
from dashboard.parts.links import page_link
from dashboard.stuck.address import go_on, move, run_page_if_moved
from dashboard.stuck.reasons import REFRESH_SECONDS
from dashboard.stuck.shown import Shown, remember
from dashboard.stuck.table import in_words, limit_table, table
from dashboard.stuck.view import View
from dashboard.words import stuck as words

ROWS = 50


@live(REFRESH_SECONDS)
def show_list(view: View) -> None:
    """A page of the list."""
    run_page_if_moved()
    limits, now = resources.limits(), resources.core().store.now()
    rows = resources.figures().stuck(view.filter, limits, after=view.after, limit=ROWS + 1)
    shown = Shown(view, [one.generation for one in rows[:ROWS]])
    remember(shown)
    if rows:
        _show_table(rows[:ROWS], view, limits, now)
        _offer_pages(shown, has_more=len(rows) > ROWS)
    else:
        _say_nothing(view)
    freshness(now)


def explain(limits: Limits) -> None:
    """What counts as stuck."""
    st.markdown(words.explanation(limits, AT_RISK_AFTER, CRASHES_SET_ASIDE))
    if limits.by_model:
        st.dataframe(
            limit_table(limits),
            hide_index=True,
            width=460,
            column_config={"model": words.MODEL, "limit": words.USUAL_LIMIT},
        )


def _show_table(rows: list[Stuck], view: View, limits: Limits, now: datetime) -> None:
    frame = table(rows, limits, resources.settings(), now)
    column = st.column_config
    st.dataframe(
        in_words(frame),
        key=view.key,
        hide_index=True,
        on_select=move,
        selection_mode="multi-row",
        placeholder=formats.NONE,
        column_config={
            "task": column.LinkColumn(words.TASK, display_text=words.OPEN_LINK, width=52),
            "age": column.NumberColumn(words.AGE, width=85),
            "verdict": column.TextColumn(words.VERDICT, width=272),
            "why": column.TextColumn(words.WHY, width=145, help=words.WHY_HELP),
            "next": column.NumberColumn(words.NEXT, width=138),
            "dies": column.NumberColumn(words.DIES, width=87),
            "kie": column.TextColumn(words.KIE, width=100),
            "model": column.TextColumn(words.MODEL, width=180),
            "user": column.TextColumn(words.USER, width=100),
        },
    )


def _offer_pages(shown: Shown, *, has_more: bool) -> None:
    if shown.view.after is None and not has_more:
        return
    with st.container(horizontal=True):
        if shown.view.after is not None:
            _offer_first_page()
        if has_more:
            last = shown.generations[-1]
            st.button(
                words.next_page(ROWS),
                key="stuck_next",
                icon=":material/arrow_forward:",
                on_click=go_on,
                args=(Cursor(last.created_at, last.id),),
            )


def _offer_first_page() -> None:
    st.button(
        words.FIRST_PAGE,
        key="stuck_first",
        icon=":material/first_page:",
        on_click=go_on,
        args=(None,),
    )


def _say_nothing(view: View) -> None:
    if view.after is not None:
        st.info(words.PAST_THE_END, icon=":material/last_page:")
        _offer_first_page()
    elif view.is_filtered:
        st.info(words.NOTHING_HERE, icon=":material/filter_alt:")
        page_link(words.SHOW_ALL, to_stuck())
    else:
        st.success(f"**{words.NOTHING}.**", icon=":material/check_circle:")
