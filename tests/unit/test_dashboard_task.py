"""The task page: empty, unknown, in progress, ended each way, and as a viewer sees it."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from core.generation.model import Generation
from core.kie.report import Refused
from core.store.inbox import Received
from dashboard.access.policy import Role
from dashboard.markdown import plain
from dashboard.navigation import TASK, to_task
from dashboard.task.watching import REFRESH_SECONDS
from dashboard.words import task as words
from tests.support.dashboard import Dashboard, texts
from tests.support.fake_kie import report
from tests.support.serialized import serialized

PROMPT = "a heron made of blown glass"
HOSTILE = "**x** :material/skull: [y](https://evil.test) <script>$z$"


def delivered(dashboard: Dashboard) -> Generation:
    """A generation with two files in storage."""
    generation = dashboard.world.add_submitted()
    dashboard.world.finish("task-1", "a.png", "b.png")
    return dashboard.world.advance(generation)


def failed(dashboard: Dashboard) -> Generation:
    """One that KIE failed, in words that repeat the prompt, after a callback that did so too."""
    generation = dashboard.world.add_submitted(prompt=PROMPT, input={"prompt": PROMPT})
    received = Received(
        body=PROMPT,
        body_sha256=hashlib.sha256(PROMPT.encode()).hexdigest(),
        headers={"user-agent": PROMPT},
        task_id="task-1",
        generation_id=generation.id,
        stage="fail",
        claimed_state="fail",
    )
    dashboard.world.core.store.inbox.accept(received)
    answer = report(state="fail", fail_code="422", fail_message=f"refused: {PROMPT}")
    dashboard.world.kie.will_say("task-1", answer)
    return dashboard.world.advance(generation)


def answered(dashboard: Dashboard, generation: Generation) -> AppTest:
    """The page once KIE has answered, or has failed to."""
    page = dashboard.open(to_task(generation.id))
    deadline = time.monotonic() + 20
    while plain(words.ASKING_KIE) in texts(page) and time.monotonic() < deadline:
        page.run()
    return page


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How often, in seconds, each part refreshes itself, as browsers are told."""
    told, enqueue = [], ForwardMsgQueue.enqueue

    def listen(queue: ForwardMsgQueue, message: ForwardMsg) -> None:
        if message.HasField("auto_rerun"):
            told.append(message.auto_rerun.interval)
        enqueue(queue, message)

    monkeypatch.setattr(ForwardMsgQueue, "enqueue", listen)
    return told


def labels(page: AppTest) -> list[str]:
    """What stands on the buttons, but for the sidebar's."""
    return [button.label for button in page.main.button]


def test_without_an_id_it_says_what_to_paste(dashboard: Dashboard) -> None:
    page = dashboard.open(TASK)
    assert words.NOTHING_CHOSEN in texts(page)
    assert words.NONE_YET in texts(page)


def test_without_an_id_the_newest_generations_are_linked(dashboard: Dashboard) -> None:
    generation = dashboard.world.add(model="flux-of-today")
    page = dashboard.open(TASK)
    assert generation.id.encode() in serialized(page)
    assert plain("flux-of-today").encode() in serialized(page)


@pytest.mark.parametrize("wanted", ["nothing", "two words", "\x00", HOSTILE, "x" * 5000])
def test_an_unknown_id_is_said_to_be_unknown(dashboard: Dashboard, wanted: str) -> None:
    page = dashboard.open(to_task(wanted))
    assert words.UNKNOWN in texts(page)
    assert not page.exception


def test_callbacks_that_named_an_unknown_task_are_shown(dashboard: Dashboard) -> None:
    foreign = Received(body="{}", body_sha256="0", task_id="task-of-others", stage="success")
    dashboard.world.core.store.inbox.accept(foreign)
    page = dashboard.open(to_task("task-of-others"))
    assert words.NAMED_BY_CALLBACKS in texts(page)
    assert words.VERDICT["unmatched"].word in texts(page)


@pytest.mark.parametrize("by", ["id", "task_id"])
def test_a_delivered_one_shows_its_files(dashboard: Dashboard, by: str) -> None:
    generation = delivered(dashboard)
    page = dashboard.open(to_task(getattr(generation, by)))
    assert "Delivered" in texts(page)
    for asset in generation.assets:
        assert f"{asset.url}?download=1".encode() in serialized(page)


def test_a_failed_one_says_why_and_what_to_do(dashboard: Dashboard) -> None:
    page = dashboard.open(to_task(failed(dashboard).id))
    assert "Failed" in texts(page)
    assert plain("provider.failed") in texts(page)
    assert PROMPT.encode() in serialized(page)


def test_a_refused_one_has_no_task_to_ask_about(dashboard: Dashboard) -> None:
    generation = dashboard.world.add()
    dashboard.world.kie.create_script = [Refused(402, "no credits")]
    dashboard.world.advance(generation)
    page = dashboard.open(to_task(generation.id))
    assert plain("provider.402") in texts(page)
    assert plain(words.NO_TASK_TO_ASK_ABOUT) in texts(page)


def test_an_open_one_says_where_it_stands_and_how_long_that_takes(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted()
    page = dashboard.open(to_task(generation.id))
    assert page.info[0].value == plain("KIE has accepted it")
    assert b"With KIE for" in serialized(page)


def test_a_finished_one_shows_where_kie_keeps_its_file(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted()
    url = "https://media.test/only-here.png"
    dashboard.world.kie.will_say("task-1", report(state="success", urls=[url]))
    dashboard.world.advance(generation)
    page = dashboard.open(to_task(generation.id))
    assert words.TEMPORARY in texts(page)
    assert url in [code.value for code in page.code]


def test_an_address_that_is_none_is_not_shown(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted(result_urls=("javascript:alert(1)",))
    page = dashboard.open(to_task(generation.id))
    assert b"javascript:" not in serialized(page)
    assert words.NO_RESULT in texts(page)


def test_what_comes_from_outside_is_never_markup(dashboard: Dashboard) -> None:
    generation = dashboard.world.add_submitted(
        model=HOSTILE, user_id=HOSTILE, prompt=HOSTILE, error_code=HOSTILE, error=HOSTILE
    )
    page = dashboard.open(to_task(generation.id))
    assert not page.exception
    assert HOSTILE not in texts(page)
    assert plain(HOSTILE) in texts(page)


def test_a_viewer_finds_the_prompt_nowhere(dashboard: Dashboard) -> None:
    generation = failed(dashboard)
    page = dashboard.open(to_task(generation.id), role=Role.VIEWER)
    assert "Failed" in texts(page)
    assert PROMPT.encode() not in serialized(page)
    assert b"heron" not in serialized(page)


def test_a_viewer_gets_no_actions(dashboard: Dashboard) -> None:
    link = to_task(dashboard.world.add_submitted().id)
    as_operator = labels(dashboard.open(link, role=Role.OPERATOR))
    as_viewer = labels(dashboard.open(link, role=Role.VIEWER))
    assert as_operator
    assert not as_viewer


def test_that_kie_cannot_be_asked_is_a_line(dashboard: Dashboard) -> None:
    page = answered(dashboard, delivered(dashboard))
    assert plain(words.failures_of_asking("kie.unavailable")).encode() in serialized(page)
    assert not page.exception


@pytest.mark.parametrize(("role", "is_hurried"), [(Role.OPERATOR, True), (Role.VIEWER, False)])
def test_an_operator_who_watches_brings_the_next_look_forward(
    dashboard: Dashboard, role: Role, is_hurried: bool
) -> None:
    now = dashboard.world.clock()
    asked_at, due_at = now - timedelta(minutes=1), now + timedelta(minutes=5)
    generation = dashboard.world.add_submitted(asked_at=asked_at, due_at=due_at)
    dashboard.open(to_task(generation.id), role=role)
    due = dashboard.world.row(generation).due_at
    assert due is not None
    assert (due < due_at) is is_hurried


def test_a_file_lost_from_storage_is_marked(dashboard: Dashboard) -> None:
    generation = delivered(dashboard)
    (dashboard.world.core.settings.assets_dir / str(generation.assets[1].path)).unlink()
    page = dashboard.open(to_task(generation.id))
    assert words.DIFFERS.word.encode() in serialized(page)
    assert "missing in permanent storage" in texts(page)


def test_a_generation_that_ended_is_not_watched(
    dashboard: Dashboard, refreshed: list[float]
) -> None:
    page = answered(dashboard, delivered(dashboard))
    refreshed.clear()
    page.run()
    assert "Delivered" in texts(page)
    assert not refreshed


def test_an_open_generation_is_watched(dashboard: Dashboard, refreshed: list[float]) -> None:
    dashboard.open(to_task(dashboard.world.add_submitted().id))
    assert set(refreshed) == {REFRESH_SECONDS}
