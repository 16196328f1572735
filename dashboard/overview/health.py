"""Callback health: who brings the results, and which callbacks were refused."""

from __future__ import annotations

import streamlit as st

from core.figures.news import LOOKED_AT, Silence
from core.generation.model import Channel
from dashboard import formats, reader, resources
from dashboard.navigation import RESULTS, SYSTEM, Link, to_results
from dashboard.overview import charts
from dashboard.overview.view import View
from dashboard.parts.links import page_link
from dashboard.words import overview as words
from dashboard.words.common import CHANNEL


def show_silence(period: str, silence: Silence) -> None:
    """That callbacks have stopped, what was found since, and what to do."""
    since = silence.last_callback_at
    stopped = words.callbacks_stopped(
        None
        if since is None
        else formats.clock(since, reader.zone(), resources.core().store.now()),
        silence.results,
        or_more=silence.results == LOOKED_AT,
    )
    st.warning(f"{stopped} {words.SILENCE_ADVICE}", icon=":material/phone_disabled:")
    with st.container(horizontal=True):
        page_link(words.CHECK_ADDRESS, Link(SYSTEM, {}), icon=SYSTEM.icon)
        page_link(words.OPEN_FOUND, _found(period), icon=RESULTS.icon)


def show_callback_health(period: str, view: View) -> None:
    """The share that came without a callback, over time and as a number."""
    st.subheader(words.CALLBACKS)
    if not resources.settings().sends_callback_url:
        st.info(words.NO_CALLBACK_URL, icon=":material/phone_disabled:")
    number, chart = st.columns([1, 3], gap="large")
    with number, st.container(key="overview_callback_numbers", gap="xsmall"):
        loss = view.without_callback / view.results if view.results else None
        page_link(f"{words.LOSS} :material/chevron_right:", _found(period), help=words.LOSS_HELP)
        st.metric(words.LOSS, formats.percent(loss), label_visibility="collapsed")
        st.caption(words.found_by_asking(view.without_callback, view.results))
        for channel in Channel:
            look = CHANNEL[channel]
            label = words.brought(channel, view.channels[channel])
            page_link(label, to_results(via=channel, period=period), icon=look.icon)
    with chart:
        st.altair_chart(charts.channels(view.news, view.window), key="overview_channels")


def _found(period: str) -> Link:
    return to_results(via=Channel.POLL, period=period)
