"""From one page of the list to the next, and what has come since."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.store.listing import Cursor, Filter
from core.store.queries import Page
from dashboard import formats, reader, resources
from dashboard.boundary import live
from dashboard.results import address
from dashboard.results.view import View
from dashboard.words import results as words

LOOKED_FOR_EVERY_S = 10

Shown = frozenset[tuple[str, str]]


def show_range(page: Page, now: datetime) -> None:
    """When what is shown was created."""
    if page.items:
        zone, newest, oldest = reader.zone(), page.items[0].created_at, page.items[-1].created_at
        is_of_today = oldest.astimezone(zone).date() == now.astimezone(zone).date()
        last, first = (
            formats.clock(end, zone, now if is_of_today else None) for end in (newest, oldest)
        )
        st.caption(words.range_of(last, first, len(page.items)), width="content")
    if page.looked_back_to is not None:
        st.caption(words.looked_back(formats.clock(page.looked_back_to, reader.zone())))


def offer_pages(view: View, filter: Filter, page: Page) -> None:
    """Buttons to the pages on both sides."""
    with st.container(horizontal=True, key="results_pages"):
        if view.before is not None:
            _offer(words.NEWEST, None, icon=":material/first_page:")
            if page.items and not view.searches:
                beyond = _before_newer(filter, page, view.limit)
                _offer(words.NEWER, beyond, icon=":material/chevron_left:")
        if page.next_cursor is not None:
            label = words.NEXT if page.looked_back_to is None else words.FURTHER
            _offer(label, page.next_cursor, icon=":material/chevron_right:")


def _offer(label: str, before: Cursor | None, *, icon: str) -> None:
    st.button(label, icon=icon, on_click=address.turn_to, args=(before,))


def _before_newer(filter: Filter, page: Page, limit: int) -> Cursor | None:
    """Where the page begins that ends just before this one; None: at the newest."""
    first = Cursor(page.items[0].created_at, page.items[0].id)
    newer = resources.core().queries.newer(filter, first, limit=limit + 1)
    return newer[limit] if len(newer) > limit else None


def shown(page: Page) -> Shown:
    """What a reader of this page has seen."""
    return frozenset((generation.id, generation.status) for generation in page.items)


@live(LOOKED_FOR_EVERY_S)
def show_news(filter: Filter, limit: int, seen: Shown) -> None:
    """Says what has come or ended since, instead of moving what is being read."""
    core = resources.core()
    news, now = shown(core.queries.page(filter, limit=limit)) - seen, core.store.now()
    if not news:
        st.caption(words.no_news(formats.clock(now, reader.zone(), now)), width="content")
    elif st.button(words.news(len(news)), type="tertiary", icon=":material/arrow_upward:"):
        st.rerun()
