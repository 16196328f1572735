"""The script that Streamlit runs: lets people in, shows the navigation, runs a page."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from dashboard import resources
from dashboard.access.login import known_visitor, leave, visitor
from dashboard.access.oidc import has_oidc
from dashboard.access.policy import asks_who
from dashboard.boundary import boundary
from dashboard.navigation import OVERVIEW, PLACES, TASK
from dashboard.words import access as access_words
from dashboard.words import common as words

ICON = Path(__file__).with_name("icon.svg")
STYLE = Path(__file__).with_name("style.css")
SEARCH_BOX, SEARCHED = "search_box", "search_wanted"


def main() -> None:
    """One run of the script."""
    st.set_page_config(page_title=words.PRODUCT, page_icon=ICON, layout="wide")
    st.html(STYLE)
    with boundary():
        is_known = known_visitor() is not None
        page = _navigation("sidebar" if is_known else "hidden")  # the address is kept at the door
        who = visitor()
        with st.sidebar:
            _search()
            if not who.may_act:
                st.caption(access_words.VIEWING)
            if asks_who(resources.settings(), has_oidc=has_oidc()):
                st.button(access_words.SIGN_OUT, on_click=leave, icon=":material/logout:")
        page.run()


def _navigation(position: Literal["sidebar", "hidden"]) -> StreamlitPage:
    pages = [
        st.Page(
            place.file,
            title=place.title,
            icon=place.icon,
            url_path=place.url_path,
            default=place is OVERVIEW,
        )
        for place in PLACES
    ]
    return st.navigation(pages, position=position)


def _search() -> None:
    st.text_input(
        words.SEARCH,
        key=SEARCH_BOX,
        placeholder=words.SEARCH_PLACEHOLDER,
        icon=":material/search:",
        max_chars=128,
        on_change=_remember_search,
    )
    if wanted := st.session_state.pop(SEARCHED, None):
        st.switch_page(TASK.file, query_params={"id": wanted})


def _remember_search() -> None:
    """A page can be left from the script only, and a box be emptied only before it is drawn."""
    st.session_state[SEARCHED] = st.session_state[SEARCH_BOX].strip()
    st.session_state[SEARCH_BOX] = ""


main()
