"""The files of a generation: played by the browser straight from where they are."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.generation.model import Generation
from dashboard import formats, reader
from dashboard.markdown import plain
from dashboard.task.files import File, Medium, files_of, host, preview_of
from dashboard.words import task as words

WIDTH, DETAILS_WIDTH = 480, 300  # px


def result(generation: Generation) -> None:
    """Every file with a player, a download and its address; or why there is none."""
    st.subheader(words.RESULT)
    files, preview = files_of(generation), preview_of(generation)
    for file in files:
        with st.container(horizontal=True, gap="medium"):
            _file(file, generation)
    if preview is not None:
        st.image(preview, caption=words.PREVIEW, width=WIDTH)
    if not files and preview is None:
        st.caption(words.NO_RESULT_EVER if generation.is_final else words.NO_RESULT)
    _data(generation)


def _file(file: File, generation: Generation) -> None:
    if file.url is not None:
        plays = file.medium is not Medium.OTHER
        if plays:
            _player(file, file.url)
        with st.container(width=DETAILS_WIDTH if plays else "stretch", gap="small"):
            _stored(file, file.url)
        return
    with st.container(gap="small"):
        st.markdown(f"**{plain(words.not_stored(_name(file), file.error_code))}**")
        if file.temporary_url is not None:
            _temporary(file.temporary_url, generation.expires_at)


def _player(file: File, url: str) -> None:
    with st.container(width=WIDTH):
        if file.medium is Medium.IMAGE:
            st.image(url, width="stretch")
        elif file.medium is Medium.VIDEO:
            st.video(url, format=file.content_type or "video/mp4")
        elif file.medium is Medium.AUDIO:
            st.audio(url, format=file.content_type or "audio/mpeg")


def _stored(file: File, url: str) -> None:
    about = f"{plain(file.content_type or '')} · {formats.size(file.size_bytes)}"
    st.markdown(f"**{plain(_name(file))}**  \n{about}")
    label, icon = (words.DOWNLOAD, "download") if file.download_url else (words.OPEN_FILE, "link")
    st.link_button(label, file.download_url or url, icon=f":material/{icon}:")
    st.caption(words.PERMANENT_URL)
    st.code(url, language=None, wrap_lines=True)


def _temporary(url: str, expires_at: datetime | None) -> None:
    """KIE's own address: shown, and never opened by us."""
    dies = formats.clock(expires_at, reader.zone()) if expires_at else None
    st.badge(words.TEMPORARY, icon=":material/timer:", color="orange")
    st.caption(plain(words.temporary(host(url), dies)))
    st.code(url, language=None, wrap_lines=True)


def _name(file: File) -> str:
    return words.role(file.role, file.position)


def _data(generation: Generation) -> None:
    """A result that is data and not files; a viewer's generation has none."""
    if generation.result_object is not None:
        with st.expander(words.DATA_OF_RESULT, icon=":material/data_object:"):
            st.code(generation.result_object, language="json", wrap_lines=True, height=320)
