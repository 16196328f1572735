"""Task: what became of one generation, and why."""

from __future__ import annotations

import streamlit as st

from dashboard import resources
from dashboard.access.login import visitor
from dashboard.task.finding import find
from dashboard.task.nothing import nothing_chosen, unknown
from dashboard.task.page import show
from dashboard.words import task as words


def main() -> None:
    """The generation that the address names, if any."""
    st.title(words.TITLE)
    wanted = st.query_params.get("id", "").strip()
    if not wanted:
        nothing_chosen()
    elif generation := find(resources.core().queries, wanted):
        show(generation, visitor())
    else:
        unknown(wanted, visitor())


main()
