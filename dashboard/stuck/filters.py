"""The filters above the stuck list. The address is their memory."""

from __future__ import annotations

import streamlit as st

from core.store.stuck import StuckFilter
from dashboard import address, resources
from dashboard.stuck.view import AFTER, MODEL, USER
from dashboard.words import stuck as words


def offer_filters(filter: StuckFilter) -> None:
    """By model and user; the reasons, which are counted, have a part of their own."""
    model, user = filter.model, filter.user_id
    with st.container(horizontal=True):
        st.selectbox(
            words.MODEL,
            sorted({*resources.usual(), *([model] if model else [])}),
            index=None,
            placeholder=words.ANY_MODEL,
            accept_new_options=True,
            key=address.remember("stuck_model", model),
            on_change=address.chosen,
            args=(MODEL, "stuck_model", AFTER),
            width=320,
        )
        st.text_input(
            words.USER,
            placeholder=words.ANY_USER,
            max_chars=address.MAX_LENGTH,
            key=address.remember("stuck_user", user or ""),
            on_change=address.chosen,
            args=(USER, "stuck_user", AFTER),
            width=240,
        )
