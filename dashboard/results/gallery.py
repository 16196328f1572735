"""The results as pictures, players and cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.generation.model import Generation, Status
from dashboard import formats
from dashboard.markdown import plain
from dashboard.navigation import to_task
from dashboard.parts.links import page_link
from dashboard.parts.looks import badge
from dashboard.words import common
from dashboard.words import results as words
from dashboard.words.common import STATUS, Look

ACROSS = 4


def show_gallery(generations: Sequence[Generation], now: datetime) -> None:
    """A card for each, from left to right; below one another on a phone."""
    for start in range(0, len(generations), ACROSS):
        columns = st.columns(ACROSS)
        for column, generation in zip(columns, generations[start : start + ACROSS], strict=False):
            with column:
                _card(generation, now)


def _card(generation: Generation, now: datetime) -> None:
    with st.container(border=True, gap="xsmall", key=f"results_card_{generation.id}"):
        with st.container(
            key=f"results_face_{generation.id}",
            horizontal_alignment="center",
            vertical_alignment="center",
            gap="xsmall",
        ):
            _face(generation)
        badge(STATUS[generation.status])
        page_link(f":primary[{plain(generation.model)}]", to_task(generation.id))
        st.caption(plain(words.made(formats.ago(generation.created_at, now), generation.user_id)))


def _face(generation: Generation) -> None:
    """The result itself; where there is none, why."""
    url = generation.asset_url
    kind = common.kind(generation.kind)
    gray = common.KIND.get(generation.kind or "", common.KIND[""])._replace(color="gray")
    if generation.status is not Status.SUCCESS or url is None:
        _placeholder(STATUS[generation.status], _state(generation))
    elif generation.kind == "video":
        st.video(url, alt=kind)
    elif generation.kind == "audio":
        _placeholder(gray, "")
        st.audio(url)
    elif generation.preview_url:
        st.image(generation.preview_url, alt=kind, width="stretch")
    else:
        _placeholder(gray, kind)


def _state(generation: Generation) -> str:
    """Why there is nothing to see: the error's code, or how far it is."""
    if generation.error_code:
        return generation.error_code
    if generation.progress is not None:
        return f"{generation.progress} %"
    return generation.provider_state or ""


def _placeholder(look: Look, text: str) -> None:
    st.subheader(f":{look.color}[{look.icon}]", anchor=False, text_alignment="center")
    if text:
        st.markdown(f":small[:{look.color}[{plain(text)}]]", text_alignment="center")
