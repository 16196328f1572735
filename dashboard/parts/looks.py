"""Badges: a word, an icon and a colour, so that none of them has to be understood alone."""

from __future__ import annotations

import streamlit as st

from dashboard.words.common import Look


def badge(look: Look) -> None:
    """How something looks, as a badge."""
    st.badge(look.word, icon=look.icon, color=look.color)


def inline(look: Look) -> str:
    """The same inside a sentence of Markdown."""
    return f":{look.color}-badge[{look.icon} {look.word}]"
