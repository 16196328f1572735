"""What the address of the results says, and how it is changed."""

from __future__ import annotations

import streamlit as st

from core.store.listing import Cursor
from dashboard import address
from dashboard.results.view import NAMES

BEFORE = "before"  # another filter begins the list anew


def remember(name: str, value: str | None) -> str:
    """The key of a widget that shows a filter, to be followed by `chosen`."""
    return address.remember(f"results_{name}", value)


def chosen(name: str) -> None:
    """Another value was chosen."""
    change(name, st.session_state[f"results_{name}"])


def change(name: str, value: str | None) -> None:
    """The same from elsewhere; None takes it out."""
    address.put(name, value, BEFORE)


def turn_to(before: Cursor | None) -> None:
    """Another page of the same list; None: the newest.

    A link from a page to itself would change the page, but leave the browser's address as it was.
    """
    address.put(BEFORE, str(before) if before else None)


def clear() -> None:
    """Filter by nothing."""
    for name in NAMES:
        change(name, None)
