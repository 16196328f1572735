"""What the address says, and widgets whose memory it is.

Streamlit's own binding puts the words of an option there, and drops what it has bound when the
page is left, so that links would lose it. So each widget is set from the address before it is
shown, and writes what is chosen back.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.store.listing import Cursor

MAX_LENGTH = 256  # of what somebody types


def text(query: Mapping[str, str], name: str) -> str | None:
    """What the address says, without the space around; None for nothing that could be meant.

    A NUL is in no text of PostgreSQL.
    """
    value = query.get(name, "").strip()
    return value if 0 < len(value) <= MAX_LENGTH and "\0" not in value else None


def cursor(query: Mapping[str, str], name: str) -> Cursor | None:
    """The place in a list that the address names; None where it names none."""
    try:
        return Cursor.parse(query.get(name, ""))
    except ValueError:
        return None


def remember(key: str, value: object) -> str:
    """The key of a widget that shows what the address says, to be followed by `chosen`.

    Browsers empty a text field for "" only, and a selection for None only.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def chosen(name: str, key: str, *ended: str) -> None:
    """Another value was chosen for a name; these other names make no sense any more."""
    put(name, st.session_state[key], *ended)


def put(name: str, value: str | None, *ended: str) -> None:
    """The same from elsewhere; None takes it out."""
    for each in ended:
        put(each, None)
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
