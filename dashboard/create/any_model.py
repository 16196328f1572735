"""The form that creates with any model."""

from __future__ import annotations

import streamlit as st

from core.kie.families import FAMILIES
from dashboard import resources
from dashboard.create.cost import cost
from dashboard.create.examples import EXAMPLES, USER
from dashboard.create.form import FormError, read_form
from dashboard.create.placing import place
from dashboard.words import common
from dashboard.words import create as words

KINDS = ("", "image", "video", "audio", "text")
FORM = "any"


def offer_any_model(by: str) -> None:
    """The model, and then the form. `by`: on whose word."""
    st.subheader(words.FORM)
    model = _model()
    with st.form("create_form", border=False, enter_to_submit=False):
        with st.container(horizontal=True):
            kind = _kind(model)
            user = st.text_input(
                words.USER, USER, key="create_user", max_chars=128, help=words.USER_HELP
            )
        text = st.text_area(
            words.INPUT,
            words.INPUT_START,
            key="create_input",
            height=220,
            help=words.INPUT_HELP,
        )
        if model:
            st.caption(cost(model))
        pressed = st.form_submit_button(words.CREATE, type="primary")
    if pressed:
        _read_and_place(model or "", user, kind, text, by)


def _model() -> str | None:
    return st.selectbox(
        words.MODEL,
        sorted({*resources.usual(), *(example.model for example in EXAMPLES)}),
        index=None,
        key="create_model",
        placeholder=words.MODEL_PLACEHOLDER,
        help=words.MODEL_HELP,
        accept_new_options=True,
    )


def _kind(model: str | None) -> str:
    return st.selectbox(
        words.KIND,
        KINDS,
        format_func=lambda kind: common.kind(kind) if kind else _told(model),
        key="create_kind",
        help=words.KIND_HELP,
    )


def _told(model: str | None) -> str:
    kind = FAMILIES["market"].kind_of(model, {}) if model else None
    return f"{words.KIND_TOLD}: {common.kind(kind)}" if kind else words.KIND_TOLD


def _read_and_place(model: str, user: str, kind: str, text: str, by: str) -> None:
    try:
        body = read_form(model, user, kind, text)
    except FormError as error:
        for problem in error.problems:
            st.error(problem, icon=":material/error:")
        if error.excerpt:
            st.code(error.excerpt, language=None)
        return
    place(body, by, form=FORM)
