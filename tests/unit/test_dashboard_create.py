"""Creating generations from the dashboard."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.creating import new_generation
from core.generation.model import Generation, Status
from dashboard.access.policy import Role
from dashboard.create.examples import EXAMPLES
from dashboard.create.form import FormError, read_form, read_input
from dashboard.navigation import CREATE, TASK, Link
from dashboard.words import create as words
from tests.support.clock import NOON
from tests.support.dashboard import Dashboard, texts

MODEL = "flux-2/pro-text-to-image"


def problems(model: str = MODEL, user: str = "", kind: str = "", input: str = "{}") -> list[str]:
    try:
        read_form(model, user, kind, input)
    except FormError as error:
        return error.problems
    return []


# What was typed


def test_what_was_typed_becomes_an_order() -> None:
    body = read_form(" m ", " ada ", "video", '{"prompt": "a kite", "n": 1.5}')
    assert (body.model, body.user_id, body.kind) == ("m", "ada", "video")
    assert body.input == {"prompt": "a kite", "n": 1.5}


def test_nobody_and_no_kind_are_none() -> None:
    body = read_form("m", " ", "", "{}")
    assert (body.user_id, body.kind) == (None, None)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_the_examples_can_be_ordered(example: Any) -> None:
    generation = new_generation(example.body, NOON)
    assert (generation.kind, bool(generation.prompt)) == (example.kind, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", words.INPUT_EMPTY),
        (" \n", words.INPUT_EMPTY),
        ("[]", words.INPUT_NO_OBJECT),
        ('"a"', words.INPUT_NO_OBJECT),
        ("null", words.INPUT_NO_OBJECT),
        ('{"a": 1,\n "b": oops}', "line 2, column 7: expecting value."),
        ('{"a": 1', "line 1, column 8: expecting ',' delimiter."),
        ("{'a': 1}", "line 1, column 2: expecting property name enclosed in double quotes."),
        ('{"a": NaN}', "cannot hold: NaN"),
        ('{"a": -Infinity}', r"cannot hold: \-Infinity"),
        ('{"a": 1e999}', "cannot hold: 1e999"),
        ('{"a": ' + "1" * 5000 + "}", words.INPUT_TOO_MANY_DIGITS),
        ('{"a": 1, "b": {"a": 1, "c": 2, "c": 3}}', "twice: c"),
        ("[" * 200_000, words.INPUT_TOO_DEEP),
        ('{"a": "' + "ü" * (1 << 19) + '"}', words.INPUT_TOO_LARGE),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_json_object_is_told(text: str, problem: str) -> None:
    with pytest.raises(FormError) as refused:
        read_input(text)
    assert problem in refused.value.problems[0]


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ('{"a": 1,\n "b": oops}', ' "b": oops}\n      ^'),
        ("x" * 100 + "{", "x" * 40 + "\n^"),
        ('{"a":' + " " * 60 + "x" * 60 + "}", " " * 40 + "x" * 40 + "\n" + " " * 40 + "^"),
        ('{"a":\t]', '{"a": ]\n      ^'),
    ],
)
def test_the_place_of_an_error_is_shown(text: str, excerpt: str) -> None:
    with pytest.raises(FormError) as refused:
        read_input(text)
    assert refused.value.excerpt == excerpt


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": " "}, ["Model is missing."]),
        ({"model": "m" * 201}, ["Model is longer than 200 characters."]),
        ({"model": "a\nb"}, ["Model needs text in one line, without control characters."]),
        ({"user": "u" * 129}, ["User id is longer than 128 characters."]),
        ({"kind": "smell"}, ["What it makes"]),
        ({"model": "", "user": "a\x00b"}, ["Model is missing.", "User id needs text"]),
        ({}, []),
    ],
)
def test_what_is_wrong_is_told_by_field(fields: dict[str, str], said: list[str]) -> None:
    found = problems(**fields)
    assert len(found) == len(said)
    assert all(problem.startswith(words) for problem, words in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("credits", "said"),
    [(None, words.COST_UNKNOWN), (12.5, "About 12.5 credits"), (0.0, "About 0 credits")],
)
def test_the_cost_is_what_others_did(credits: float | None, said: str) -> None:
    assert words.cost(credits).startswith(said)


# The page


def created(dashboard: Dashboard) -> list[Generation]:
    return dashboard.world.core.queries.page().items


def fill(page: AppTest, model: str | None, text: str, *, key: str | None = None) -> AppTest:
    page.session_state["create_model"] = model  # what is typed anew is no option
    page.run()
    if key is not None:  # as if the page had not been drawn since another order
        page.session_state["create_keys"] = {"any": key}
    page.text_area(key="create_input").set_value(text)
    return next(button for button in page.button if button.label == words.CREATE).click().run()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_a_test_button_creates_and_shows_it(dashboard: Dashboard, example: Any) -> None:
    page = dashboard.open(CREATE)
    page.button(key=f"create_test_{example.kind}").click().run()
    (generation,) = created(dashboard)
    assert (generation.model, generation.kind) == (example.model, example.kind)
    assert (generation.status, generation.due_at is not None) == (Status.QUEUED, True)
    assert generation.id in page.query_params["id"]
    assert page.title[0].value.startswith(TASK.title)


def test_the_timeline_says_who_created_it(dashboard: Dashboard) -> None:
    page = dashboard.open(CREATE, role=Role.OPERATOR)
    page.button(key="create_test_image").click().run()
    (event,) = dashboard.world.core.queries.events_of(created(dashboard)[0])
    assert event["detail"]["by"] == "a test's operator"


def test_a_form_creates_what_was_typed(dashboard: Dashboard) -> None:
    page = fill(dashboard.open(CREATE), MODEL, '{"prompt": "a kite"}')
    (generation,) = created(dashboard)
    assert (generation.model, generation.input) == (MODEL, {"prompt": "a kite"})
    assert page.title[0].value.startswith(TASK.title)


@pytest.mark.parametrize(
    ("model", "text", "problem"),
    [
        (None, "{}", "Model is missing"),
        (MODEL, '{"prompt": }', "line 1, column 12"),
        (MODEL, '{"![x](http://evil)": 1, "![x](http://evil)": 2}', r"\!\[x\]"),
        (MODEL, '{"prompt": "\\ud800"}', "half of a surrogate pair"),
    ],
)
def test_what_cannot_be_ordered_is_not_sent(
    dashboard: Dashboard, model: str | None, text: str, problem: str
) -> None:
    page = fill(dashboard.open(CREATE), model, text)
    assert problem in page.error[0].value
    assert page.text_area(key="create_input").value == text
    assert created(dashboard) == []


def test_pressing_twice_creates_once(dashboard: Dashboard) -> None:
    for _ in range(2):  # two runs of one rendering: the key is the session's
        page = dashboard.open(CREATE)
        page.session_state["create_keys"] = {"image": "one-rendering"}
        page.button(key="create_test_image").click().run()
    assert len(created(dashboard)) == 1


def test_what_was_created_unseen_is_told_before_something_else_is(dashboard: Dashboard) -> None:
    fill(dashboard.open(CREATE), MODEL, '{"prompt": "one"}', key="one-rendering")
    page = fill(dashboard.open(CREATE), MODEL, '{"prompt": "two"}', key="one-rendering")
    assert page.warning[-1].value == words.ORDERED_BEFORE
    fill(page, MODEL, '{"prompt": "two"}')
    assert len(created(dashboard)) == 2


@pytest.mark.parametrize(("beat_seconds_ago", "warned"), [(None, True), (31, True), (29, False)])
def test_a_poller_that_is_not_there_is_told(
    dashboard: Dashboard, beat_seconds_ago: float | None, warned: bool
) -> None:
    dashboard.set(KIE_API_KEY="key")
    if beat_seconds_ago is not None:
        dashboard.world.clock.advance(-beat_seconds_ago)
        dashboard.world.core.store.processes.started("poller")
    page = dashboard.open(CREATE)
    assert (words.POLLER_AWAY in texts(page)) is warned
    assert words.NO_KEY not in texts(page)


def test_the_simulator_costs_nothing(dashboard: Dashboard) -> None:
    assert words.FREE in texts(dashboard.open(CREATE))


def test_what_kie_costs_is_said_where_it_is_kie(dashboard: Dashboard) -> None:
    dashboard.set(KIE_BASE_URL="https://api.kie.ai")
    assert words.COST_UNKNOWN in texts(dashboard.open(CREATE))


def test_a_viewer_has_no_button(dashboard: Dashboard) -> None:
    page = dashboard.open(CREATE, role=Role.VIEWER)
    assert words.VIEWERS in texts(page)
    assert not page.main.button
    assert not page.main.text_area


def test_an_address_fills_no_form(dashboard: Dashboard) -> None:
    page = dashboard.open(Link(CREATE, {"create_input": "{}", "create_model": "x"}))
    assert page.text_area(key="create_input").value == words.INPUT_START
    assert page.selectbox(key="create_model").value is None
