"""Placing an order: it is recorded and due at once; poller and web do the rest."""

from __future__ import annotations

import streamlit as st

from core.ids import new_id
from core.ordering import CreateBody, OrderError, ordered
from core.store.generations import IdempotencyConflictError
from dashboard.navigation import to_task
from dashboard.resources import core
from dashboard.words import create as words


def place(body: CreateBody, by: str, *, form: str) -> None:
    """Record what a form asks for, once however often its button is pressed, and show it live."""
    state = f"create_key_{form}"
    key = st.session_state.setdefault(state, new_id())
    try:
        wanted = ordered(body, core().store.now(), idempotency_key=f"dashboard:{key}")
        generation, _ = core().store.generations.add(wanted, by=by)
    except OrderError as error:
        st.error(str(error), icon=":material/error:")
    except IdempotencyConflictError:
        del st.session_state[state]
        st.warning(words.ORDERED_BEFORE, icon=":material/warning:")
    else:
        del st.session_state[state]
        link = to_task(generation.id)
        st.switch_page(link.place.file, query_params=dict(link.query))
