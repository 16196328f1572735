"""The examples, each with a button that creates it."""

from __future__ import annotations

import streamlit as st

from dashboard.create.cost import cost
from dashboard.create.examples import EXAMPLES, Example
from dashboard.create.placing import place
from dashboard.words import create as words
from dashboard.words.common import KIND


def offer_tests(by: str) -> None:
    """All of them, side by side. `by`: on whose word."""
    st.subheader(words.TESTS, help=words.TESTS_HELP)
    for column, example in zip(st.columns(len(EXAMPLES)), EXAMPLES, strict=True):
        with column, st.container(border=True, height="stretch", gap="small"):
            _example(example, by)


def _example(example: Example, by: str) -> None:
    look = KIND[example.kind]
    st.markdown(f"{look.icon} **{look.word}**")
    st.text(example.words)
    st.caption(example.model)
    st.caption(cost(example.model))
    st.space("stretch")
    pressed = st.button(
        words.test(example.name), key=f"create_test_{example.kind}", width="stretch"
    )
    if pressed:
        place(example.body, by, form=example.kind)
