"""What the page says where the address names no generation."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, resources
from dashboard.access.login import Visitor
from dashboard.markdown import plain
from dashboard.navigation import to_task
from dashboard.parts.links import page_link
from dashboard.parts.looks import badge
from dashboard.task.finding import callbacks_naming
from dashboard.task.story import callbacks
from dashboard.viewing import shown_callbacks
from dashboard.words import common
from dashboard.words import task as words

NEWEST = 10


def nothing_chosen() -> None:
    """What to paste, and the newest generations."""
    st.info(words.NOTHING_CHOSEN, icon=":material/search:")
    core = resources.core()
    newest, now = core.queries.page(limit=NEWEST).items, core.store.now()
    if not newest:
        st.caption(words.NONE_YET)
        return
    st.subheader(words.NEWEST)
    for generation in newest:
        about = f"{formats.ago(generation.created_at, now)} · {generation.model}"
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            badge(common.STATUS[generation.status])
            page_link(plain(about), to_task(generation.id))


def unknown(wanted: str, visitor: Visitor) -> None:
    """That there is no such generation, and who named it all the same."""
    st.warning(words.UNKNOWN, icon=":material/search_off:")
    st.code(wanted.encode("utf-8", "replace").decode()[:200], language=None, wrap_lines=True)
    st.markdown(words.UNKNOWN_ADVICE)
    named = shown_callbacks(callbacks_naming(resources.core().queries, wanted), visitor.may_act)
    if named:
        st.subheader(words.CALLBACKS)
        st.markdown(words.NAMED_BY_CALLBACKS)
        callbacks(named)
