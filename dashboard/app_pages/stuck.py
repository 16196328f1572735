"""Stuck: what has been open for too long, why, and what can be done about it."""

from __future__ import annotations

import streamlit as st

from dashboard import resources
from dashboard.access.login import visitor
from dashboard.navigation import STUCK
from dashboard.stuck.bar import offer_bar
from dashboard.stuck.filters import offer_filters
from dashboard.stuck.listing import explain, show_list
from dashboard.stuck.reasons import last_counts, offer_reasons
from dashboard.stuck.view import read
from dashboard.words import stuck as words


def show() -> None:
    """The page."""
    st.title(STUCK.title)
    reasons = st.container()
    view = read(st.query_params)
    offer_filters(view.filter)
    with reasons:
        offer_reasons(view)
    counts, bar = last_counts(), st.container()
    show_list(view)
    with bar:
        offer_bar(view, counts, visitor())
    with st.expander(words.WHAT_COUNTS, expanded=not counts.get(None), icon=":material/help:"):
        explain(resources.limits())


show()
