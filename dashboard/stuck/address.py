"""How the address of the stuck list is changed."""

from __future__ import annotations

import streamlit as st

from core.store.listing import Cursor
from core.store.stuck import Reason
from dashboard import address
from dashboard.stuck.view import AFTER, REASON

_MOVED = "stuck_moved"


def choose_reason(reason: Reason | None) -> None:
    """Show those with this reason, from the oldest on."""
    address.put(REASON, reason, AFTER)
    move()


def go_on(after: Cursor | None) -> None:
    """Show the page that begins after this one; None: the first."""
    address.put(AFTER, str(after) if after else None)
    move()


def move() -> None:
    """Have the whole page run again, not only the part in which somebody clicked."""
    st.session_state[_MOVED] = True


def run_page_if_moved() -> None:
    """To be called at the beginning of a part in which somebody may have clicked."""
    if st.session_state.pop(_MOVED, False):
        st.rerun()
