"""The filters above the results."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import resources
from dashboard.address import MAX_LENGTH
from dashboard.markdown import plain
from dashboard.results import address
from dashboard.results.view import CHOICES, NAMES, View
from dashboard.words import results as words


def offer_filters(view: View, *, may_search: bool) -> None:
    """The usual ones side by side, the others behind a button."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choice(view, "status", width=140)
        _choice(view, "kind", width=120)
        _choice(view, "period", width=140)
        if may_search:
            _text(view, "words", width=200)
        with st.popover(words.MORE, icon=":material/tune:", key="results_more"):
            _model(view)
            _text(view, "user")
            _choice(view, "via")
            _text(view, "code")


def show_active(view: View) -> None:
    """What is filtered by, each with a way to undo it."""
    if not view.filters:
        return
    with st.container(horizontal=True, gap="xsmall", key="results_active"):
        for name in NAMES:
            if name in view.filters:
                _active(name, view.filters[name])
        st.button(
            words.CLEAR, on_click=address.clear, type="tertiary", icon=":material/filter_alt_off:"
        )


def _active(name: str, value: str) -> None:
    shown = words.CHOICE.get(name, {}).get(value) or plain(value)
    st.button(
        f"{words.NAME[name]}: **{shown}**",
        key=f"results_without_{name}",
        on_click=address.change,
        args=(name, None),
        icon=":material/close:",
        icon_position="right",
        help=words.REMOVE,
    )


def _choice(view: View, name: str, width: int | Literal["stretch"] = "stretch") -> None:
    st.selectbox(
        words.NAME[name],
        list(CHOICES[name]),
        index=None,
        format_func=lambda value: words.CHOICE[name].get(value, value),
        placeholder=words.ANY[name],
        key=address.remember(name, view.filters.get(name)),
        on_change=address.chosen,
        args=(name,),
        width=width,
    )


def _model(view: View) -> None:
    """Those that figures know of, and whatever else is typed."""
    chosen = view.filters.get("model")
    st.selectbox(
        words.NAME["model"],
        sorted({*resources.usual(), *([chosen] if chosen else [])}),
        index=None,
        placeholder=words.ANY["model"],
        accept_new_options=True,
        key=address.remember("model", chosen),
        on_change=address.chosen,
        args=("model",),
    )


def _text(view: View, name: str, width: int | Literal["stretch"] = "stretch") -> None:
    st.text_input(
        words.NAME[name],
        placeholder=words.ANY[name],
        max_chars=MAX_LENGTH,
        key=address.remember(name, view.filters.get(name, "")),
        on_change=address.chosen,
        args=(name,),
        width=width,
    )
