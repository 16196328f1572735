"""Create: one of three examples, or anything that KIE has a model for."""

from __future__ import annotations

import streamlit as st

from core.checks.inside import STALE_AFTER
from core.kie.families import FAMILIES
from core.settings import is_loopback
from dashboard import resources
from dashboard.access.login import visitor
from dashboard.boundary import live
from dashboard.create.examples import EXAMPLES, USER, Example
from dashboard.create.form import FormError, read_form
from dashboard.create.placing import place
from dashboard.navigation import CREATE
from dashboard.words import common
from dashboard.words import create as words

MONOSPACE = (
    "<style>.st-key-create_input textarea {font-family: var(--font-mono, monospace)}</style>"
)
KINDS = ("", "image", "video", "audio", "text")
FORM = "any"
ICONS = {
    "image": ":material/image:",
    "video": ":material/movie:",
    "audio": ":material/graphic_eq:",
}


def show() -> None:
    """The page."""
    st.title(CREATE.title)
    who = visitor()
    costs = {model: usual.credits for model, usual in resources.usual().items()}
    if not who.may_act:
        st.info(words.VIEWERS, icon=":material/visibility:")
        return
    _warnings()
    _examples(who.name, costs)
    _any_model(who.name, costs)


@live(5)
def _warnings() -> None:
    now, beat_at = resources.core().store.now(), resources.core().queries.beat_at("poller")
    if beat_at is None or now - beat_at > STALE_AFTER:
        st.warning(words.POLLER_AWAY, icon=":material/hourglass_disabled:")
    if resources.settings().kie_api_key is None:
        st.warning(words.NO_KEY, icon=":material/key_off:")


def _examples(by: str, costs: dict[str, float | None]) -> None:
    st.subheader(words.TESTS, help=words.TESTS_HELP)
    for column, example in zip(st.columns(len(EXAMPLES)), EXAMPLES, strict=True):
        with column, st.container(border=True, height="stretch", gap="small"):
            _example(example, by, costs)


def _example(example: Example, by: str, costs: dict[str, float | None]) -> None:
    st.markdown(f"{ICONS[example.kind]} **{common.KIND[example.kind]}**")
    st.text(example.words)
    st.caption(example.model)
    st.caption(_cost(example.model, costs))
    st.space("stretch")
    pressed = st.button(
        words.test(example.name), key=f"create_test_{example.kind}", width="stretch"
    )
    if pressed:
        place(example.body, by, form=example.kind)


def _any_model(by: str, costs: dict[str, float | None]) -> None:
    st.subheader(words.FORM)
    st.html(MONOSPACE)
    known = sorted({*costs, *(example.model for example in EXAMPLES)})
    model = st.selectbox(
        words.MODEL,
        known,
        index=None,
        key="create_model",
        placeholder=words.MODEL_PLACEHOLDER,
        help=words.MODEL_HELP,
        accept_new_options=True,
    )
    with st.form("create_form", border=False, enter_to_submit=False):
        with st.container(horizontal=True):
            kind = st.selectbox(
                words.KIND,
                KINDS,
                format_func=lambda kind: common.KIND[kind] if kind else _told(model),
                key="create_kind",
                help=words.KIND_HELP,
            )
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
            st.caption(_cost(model, costs))
        pressed = st.form_submit_button(words.CREATE, type="primary")
    if pressed:
        _read_and_place(model or "", user, kind, text, by)


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


def _told(model: str | None) -> str:
    kind = FAMILIES["market"].kind_of(model, {}) if model else None
    return f"{words.KIND_TOLD}: {common.KIND[kind]}" if kind else words.KIND_TOLD


def _cost(model: str, costs: dict[str, float | None]) -> str:
    if is_loopback(resources.settings().kie_base_url):
        return words.FREE
    return words.cost(costs.get(model))


show()
