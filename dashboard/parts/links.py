"""Links to other pages, with the whole view that they lead to."""

from __future__ import annotations

import streamlit as st

from dashboard.navigation import Link


def page_link(label: str, to: Link, *, icon: str | None = None, help: str | None = None) -> None:
    """A link to a page of ours."""
    st.page_link(to.place.file, label=label, icon=icon, help=help, query_params=dict(to.query))
