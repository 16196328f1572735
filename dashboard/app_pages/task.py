"""Task: what became of one generation, and why."""

from __future__ import annotations

import streamlit as st

from dashboard import resources
from dashboard.access.login import visitor
from dashboard.navigation import TASK
from dashboard.task import page
from dashboard.task.finding import find
from dashboard.task.nothing import nothing_chosen, unknown


def show() -> None:
    """The generation that the address names, if any."""
    st.title(TASK.title)
    wanted = st.query_params.get("id", "").strip()
    if not wanted:
        nothing_chosen()
    elif generation := find(resources.core().queries, wanted):
        page.show(generation, visitor())
    else:
        unknown(wanted, visitor())


show()
