"""Results: every generation, as pictures or as a table, filtered by whatever is asked."""

from __future__ import annotations

import streamlit as st

from core.store.listing import Filter
from core.store.queries import Page
from dashboard import reader, resources
from dashboard.access.login import visitor
from dashboard.navigation import CREATE, RESULTS, Link
from dashboard.parts.freshness import freshness
from dashboard.parts.links import page_link
from dashboard.results import address
from dashboard.results.download import download
from dashboard.results.filters import offer_filters, show_active
from dashboard.results.gallery import show_gallery
from dashboard.results.pages import offer_pages, show_news, show_range, shown
from dashboard.results.table import show_table
from dashboard.results.view import TABLE, View, read
from dashboard.words import results as words


def show() -> None:
    """The page."""
    who, now = visitor(), resources.core().store.now()
    view = read(st.query_params, may_search=who.may_act)
    filter = view.filter(now, reader.zone())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(RESULTS.title)
        _offer_layout(view)
        download(filter, with_texts=who.may_act)
    offer_filters(view, may_search=who.may_act)
    show_active(view)
    page = resources.core().queries.page(filter, before=view.before, limit=view.limit)
    _show_list(view, filter, page)
    freshness(now)


def _show_list(view: View, filter: Filter, page: Page) -> None:
    now = resources.core().store.now()
    with st.container(horizontal=True, vertical_alignment="center", key="results_head"):
        show_range(page, now)
        if view.before is None and not view.searches:
            show_news(filter, view.limit, shown(page))
    if not page.items:
        _show_nothing(view, page)
    elif view.is_table:
        show_table(page.items, reader.zone())
    else:
        show_gallery(page.items, now)
    offer_pages(view, filter, page)


def _show_nothing(view: View, page: Page) -> None:
    if page.next_cursor is not None:
        st.info(f"**{words.NOTHING_YET}.** {words.NOTHING_YET_ADVICE}", icon=":material/search:")
    elif view.before is not None:
        st.info(words.NOTHING_HERE, icon=":material/search_off:")
    elif view.filters:
        st.info(f"**{words.NOTHING}.** {words.NOTHING_ADVICE}", icon=":material/filter_alt_off:")
    else:
        st.info(f"**{words.EMPTY}.** {words.EMPTY_ADVICE}", icon=":material/photo_library:")
        page_link(words.CREATE, Link(CREATE, {}), icon=CREATE.icon)


def _offer_layout(view: View) -> None:
    st.segmented_control(
        words.VIEW,
        [words.GALLERY, words.TABLE],
        key=address.remember("view", words.TABLE if view.is_table else words.GALLERY),
        on_change=_layout_chosen,
        required=True,
        label_visibility="collapsed",
    )


def _layout_chosen() -> None:
    is_table = st.session_state["results_view"] == words.TABLE
    address.change("view", TABLE if is_table else None)


show()
