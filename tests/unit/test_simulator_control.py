from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulator import IMAGE, NOON, InProcessKie


@pytest.fixture
def kie(tmp_path: Path) -> Iterator[InProcessKie]:
    made = InProcessKie(tmp_path)
    yield made
    made.close()


def test_it_says_that_it_lives(kie: InProcessKie) -> None:
    assert kie.client.get("/simulator/health").json == {"status": "ok"}


def test_the_ledger_shows_every_task(kie: InProcessKie) -> None:
    task_id = kie.create()
    everything = kie.client.get("/simulator/ledger").json
    one = kie.client.get(f"/simulator/ledger?taskId={task_id}").json
    assert everything["tasks"] == [one]
    assert (one["callBackUrl"], one["request"], one["charged"]) == (IMAGE["callBackUrl"], IMAGE, 5)


def test_the_ledger_counts_how_often_a_task_was_asked_about(kie: InProcessKie) -> None:
    task_id = kie.create()
    kie.record(task_id)
    assert kie.client.get(f"/simulator/ledger?taskId={task_id}").json["asked"] == 1


def test_faults_can_be_replaced_and_added_to(kie: InProcessKie) -> None:
    kie.client.post("/simulator/faults", json={"create_cut": True})
    merged = kie.client.post("/simulator/faults?merge=true", json={"media_html": {"next": 1}}).json
    assert set(merged) == {"create_cut", "media_html"}
    assert kie.client.post("/simulator/faults", json={}).json == {}
    assert kie.client.get("/simulator/faults").json == {}


@pytest.mark.parametrize(
    ("given", "state", "code"),
    [({}, "success", None), ({"state": "fail", "failCode": "422"}, "fail", "422")],
)
def test_a_task_can_be_finished_now(
    kie: InProcessKie, given: dict[str, str], state: str, code: str | None
) -> None:
    task_id = kie.create()
    kie.client.post(f"/simulator/tasks/{task_id}/finish", json=given)
    kie.kie.sender.send_due()
    assert kie.record(task_id)["data"]["state"] == state
    assert json.loads(kie.receiver.got[0][1])["data"]["failCode"] == code


def test_a_final_task_cannot_be_finished(kie: InProcessKie) -> None:
    task_id = kie.create()
    kie.advance(100)
    assert kie.client.post(f"/simulator/tasks/{task_id}/finish").status_code == 409


def test_a_callback_can_be_sent_now_and_shows_in_the_ledger(kie: InProcessKie) -> None:
    task_id = kie.create()
    given = {"state": "success", "idPlace": "taskId", "signature": "none", "times": 2}
    answer = kie.client.post(f"/simulator/tasks/{task_id}/callback", json=given).json
    body = json.loads(kie.receiver.got[0][1])
    assert [one["status"] for one in answer] == [200, 200]
    assert (body["taskId"], body["data"]["state"]) == (task_id, "success")
    assert [one["name"] for one in kie.view(task_id)["callbacks"]] == ["control", "control"]


def test_the_real_end_is_still_told_after_an_extra_callback(kie: InProcessKie) -> None:
    task_id = kie.create()
    kie.client.post(f"/simulator/tasks/{task_id}/callback")
    kie.advance(100)
    assert [one["name"] for one in kie.view(task_id)["callbacks"]] == ["control", "final"]


def test_a_callback_can_be_of_another_family(kie: InProcessKie) -> None:
    task_id = kie.create()
    given = {"family": "suno", "stage": "first", "state": "success"}
    kie.client.post(f"/simulator/tasks/{task_id}/callback", json=given)
    assert json.loads(kie.receiver.got[0][1])["data"]["callbackType"] == "first"


def test_a_callback_can_have_any_body(kie: InProcessKie) -> None:
    task_id = kie.create()
    given = {"body": {"code": 200}, "url": "http://other.test/"}
    kie.client.post(f"/simulator/tasks/{task_id}/callback", json=given)
    assert kie.receiver.got[0][:2] == ("http://other.test/", b'{"code": 200}')


def test_the_clock_can_be_moved(kie: InProcessKie) -> None:
    task_id = kie.create()
    assert kie.client.post("/simulator/clock", json={"advance": 100}).json == {"now": NOON + 100}
    assert kie.record(task_id)["data"]["state"] == "success"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"create_cutt": True}),
        ("clock", {"advance": -1}),
        ("clock", [1]),
        ("tasks/{id}/finish", {"state": "done"}),
        ("tasks/{id}/callback", {"idPlace": "header"}),
        ("tasks/{id}/callback", {"padBytes": "1"}),
        ("tasks/{id}/callback", {"when": 1}),
        ("tasks/{id}/callback", {"times": "2"}),
    ],
)
def test_a_mistake_is_answered_with_400_and_words(kie: InProcessKie, path: str, body: Any) -> None:
    answer = kie.client.post(f"/simulator/{path.format(id=kie.create())}", json=body)
    assert answer.status_code == 400
    assert answer.json["error"]


@pytest.mark.parametrize("path", ["finish", "callback"])
def test_an_unknown_task_is_404(kie: InProcessKie, path: str) -> None:
    answer = kie.client.post(f"/simulator/tasks/nobody/{path}", json={})
    assert (answer.status_code, answer.json) == (404, {"error": "no such task"})


def test_another_familys_callback_names_the_files_whatever_their_shape(tmp_path: Path) -> None:
    kie = InProcessKie(tmp_path, outcome_shape={"value": "bare"})
    task_id = kie.create()
    given = {"family": "veo", "state": "success"}
    kie.client.post(f"/simulator/tasks/{task_id}/callback", json=given)
    kie.close()
    urls = json.loads(kie.receiver.got[0][1])["data"]["info"]["resultUrls"]
    assert urls == [f"http://kie.test/media/{task_id}/0/1.png"]
