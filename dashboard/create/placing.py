"""Placing an order: it is recorded and due at once; poller and web do the rest."""

from __future__ import annotations

import streamlit as st

from core.creating import CreateBody, CreateError, new_generation
from core.ids import new_id
from core.store.generations import IdempotencyConflictError
from dashboard.navigation import to_task
from dashboard.resources import core
from dashboard.words import create as words

_KEYS = "create_keys"


def place(body: CreateBody, by: str, *, form: str) -> None:
    """Record what a form asks for, once however often its button is pressed, and show it live."""
    keys = st.session_state.setdefault(_KEYS, {})
    key = keys.setdefault(form, new_id())
    try:
        wanted = new_generation(body, core().store.now(), idempotency_key=f"dashboard:{key}")
        generation, _ = core().store.generations.add(wanted, by=by)
    except CreateError as error:
        st.error(str(error), icon=":material/error:")
    except IdempotencyConflictError:
        st.warning(words.ORDERED_BEFORE, icon=":material/warning:")
    else:
        link = to_task(generation.id)
        st.switch_page(link.place.file, query_params=dict(link.query))


def begin_anew() -> None:
    """Whatever is asked for next is something new.

    For runs that placed no order: after one the browser may still show the page, and its button
    be pressed a second time.
    """
    st.session_state.pop(_KEYS, None)
