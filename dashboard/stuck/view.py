"""What the page's address says: which of the stuck, and from where on."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.figures.stuck import Reason, StuckFilter
from core.store.listing import Cursor
from dashboard import address

REASON, MODEL, USER, AFTER = "reason", "model", "user", "after"
_MOVED = "stuck_moved"


class View(NamedTuple):
    """Some of the stuck; `after`: a page's last one, where the page begins."""

    filter: StuckFilter
    after: Cursor | None

    @property
    def key(self) -> str:
        """Of its table: another view has a selection of its own."""
        return f"stuck_table_{hash(self)}"

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves any out."""
        return self.filter != StuckFilter()


def read_view() -> View:
    """The view that the address asks for; what it cannot mean is ignored."""
    query = st.query_params
    model, user = _name(query.get(MODEL)), _name(query.get(USER))
    filter = StuckFilter(reason=_reason(query.get(REASON)), model=model, user_id=user)
    return View(filter, _cursor(query.get(AFTER)))


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


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text in list(Reason) else None


def _name(text: str | None) -> str | None:
    """A name that a database takes; PostgreSQL's texts have no NUL."""
    return text.replace("\0", "\ufffd") if text else None


def _cursor(text: str | None) -> Cursor | None:
    try:
        return Cursor.parse(text or "")
    except ValueError:
        return None
