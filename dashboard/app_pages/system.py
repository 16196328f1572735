"""System: what is configured and reachable, what is stored, and what runs here."""

from __future__ import annotations

import streamlit as st

from core.checks.run import versions
from dashboard import address, formats, resources
from dashboard.access.login import visitor
from dashboard.boundary import boundary
from dashboard.navigation import SYSTEM
from dashboard.system import settings, storage
from dashboard.system.checks import checks
from dashboard.words import system as words

ALL, TRUE, ALL_KEY = "all", "true", "system_all"


def show() -> None:
    """The page. The checks are drawn last, as they may take seconds, though they stand first."""
    who = visitor()
    st.title(SYSTEM.title)
    first = st.container()
    st.subheader(words.VERSIONS)
    place_of_versions = st.empty()
    place_of_versions.text(_in_words(versions()))
    _settings(for_viewer=not who.may_act)
    with first, boundary():
        place_of_versions.text(_in_words(versions(resources.core().store.database)))
        place_of_checks = st.container()
        _storage()
        with place_of_checks:
            st.subheader(words.CHECKS)
            checks(shows_found=who.may_act)


def _storage() -> None:
    stored = resources.figures().storage()
    st.subheader(words.STORED)
    if stored.empty:
        st.caption(words.STORED_NOTHING)
        return
    with st.container(horizontal=True):
        st.metric(words.FILES, formats.count(stored["files"].sum()), border=True)
        st.metric(words.SIZE, formats.size(stored["bytes"].sum()), border=True)
    st.altair_chart(storage.chart(stored))
    table = storage.table(stored)
    right = st.column_config.TextColumn(alignment="right")
    numbers = {name: right for name in table.columns if name != words.MONTH}
    st.dataframe(table, hide_index=True, column_config=numbers)


def _in_words(versions: dict[str, str]) -> str:
    return " · ".join(f"{name} {version}" for name, version in versions.items())


def _settings(*, for_viewer: bool) -> None:
    st.subheader(words.SETTINGS)
    shown = settings.table(resources.settings(), for_viewer=for_viewer)
    is_all = st.query_params.get(ALL) == TRUE
    if not st.toggle(words.ALL, key=address.remember(ALL_KEY, is_all), on_change=_all_chosen):
        shown = shown[shown[words.DIFFERS] == words.CHANGED]
    if shown.empty:
        st.caption(words.NONE_CHANGED)
        return
    widths = {words.SETTING: 220, words.VALUE: 260, words.DIFFERS: 80, words.MEANING: 460}
    columns = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    st.dataframe(
        shown,
        hide_index=True,
        key="system_settings",
        height="content",
        column_config=columns,
    )


def _all_chosen() -> None:
    address.put(ALL, TRUE if st.session_state[ALL_KEY] else None)


show()
