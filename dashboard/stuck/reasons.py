"""The reasons to choose from, each with how many are stuck for it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.store.stuck import Reason
from dashboard import resources
from dashboard.boundary import live
from dashboard.stuck.address import choose_reason, run_page_if_moved
from dashboard.stuck.view import View
from dashboard.words import stuck as words
from dashboard.words.common import REASON

REFRESH_SECONDS = 10
_STATE = "stuck_counts"

Counts = Mapping[Reason | None, int]


@live(REFRESH_SECONDS)
def offer_reasons(view: View) -> None:
    """A button for each, the chosen one marked."""
    run_page_if_moved()
    counts = resources.figures().stuck_counts(view.filter, resources.limits())
    st.session_state[_STATE] = counts
    with st.container(horizontal=True, key="stuck_reasons"):
        for reason in (None, *Reason):
            st.button(
                words.choice(reason, counts[reason]),
                key=f"stuck_reason_{reason or 'all'}",
                type="primary" if view.filter.reason is reason else "secondary",
                icon=REASON[reason].icon if reason else ":material/list:",
                on_click=choose_reason,
                args=(reason,),
            )


def last_counts() -> Counts:
    """How many there were for each reason, and at all (None), when last counted."""
    counts: Counts = st.session_state.get(_STATE, {})
    return counts
