from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.tasks import RETENTION_SECONDS
from tests.support.simulator import IMAGE, KEY, InProcessKie

Start = Callable[..., InProcessKie]
CREATE = "/api/v1/jobs/createTask"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[InProcessKie] = []

    def with_faults(**faults: Any) -> InProcessKie:
        opened.append(InProcessKie(tmp_path, **faults))
        return opened[-1]

    yield with_faults
    for kie in opened:
        kie.close()


@pytest.mark.parametrize(("faults", "status"), [({}, 200), ({"auth_http_401": True}, 401)])
def test_a_wrong_key_is_answered_with_code_401(
    start: Start, faults: dict[str, Any], status: int
) -> None:
    answer = start(**faults).client.get(
        "/api/v1/chat/credit", headers={"Authorization": "Bearer x"}
    )
    assert (answer.status_code, answer.json["code"]) == (status, 401)


def test_a_create_answers_with_the_task_id_twice(start: Start) -> None:
    answer = start().client.post(CREATE, json=IMAGE, headers=KEY)
    data = answer.json["data"]
    assert answer.json["code"] == 200
    assert data == {"taskId": f"{1:032x}", "recordId": f"{1:032x}"}


def test_a_wrong_create_is_422_within_http_200_and_no_task(start: Start) -> None:
    kie = start()
    answer = kie.client.post(CREATE, json={"model": "flux-9", "input": {}}, headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (200, 422)
    assert kie.ledger.tasks == {}
    assert kie.ledger.refused[0]["code"] == 422


@pytest.mark.parametrize(("fault", "made"), [("create_error_before", 0), ("create_error_after", 1)])
def test_a_create_can_end_in_http_500(start: Start, fault: str, made: int) -> None:
    kie = start(**{fault: True})
    answer = kie.client.post(CREATE, json=IMAGE, headers=KEY)
    assert (answer.status_code, len(kie.ledger.tasks)) == (500, made)


def test_a_cut_create_makes_the_task_and_tells_nobody(start: Start) -> None:
    kie = start(create_cut=True)
    answer = kie.client.post(CREATE, json=IMAGE, headers=KEY)
    assert (answer.data, len(kie.ledger.tasks)) == (b"", 1)


def test_a_create_can_take_long(start: Start) -> None:
    kie = start(create_delay={"value": 95})
    kie.create()
    assert kie.slept == 95


@pytest.mark.parametrize("code", [402, 433, 455, 505])
def test_a_create_can_be_refused(start: Start, code: int) -> None:
    kie = start(create_refusal={"value": code})
    assert kie.client.post(CREATE, json=IMAGE, headers=KEY).json["code"] == code
    assert kie.ledger.tasks == {}


@pytest.mark.parametrize(("way", "status"), [("http", 429), ("body", 200)])
def test_the_twenty_first_create_in_ten_seconds_is_refused(
    start: Start, way: str, status: int
) -> None:
    kie = start(rate_limit={"value": way})
    answers = [kie.client.post(CREATE, json=IMAGE, headers=KEY) for _ in range(21)]
    assert [answer.json["code"] for answer in answers] == [200] * 20 + [429]
    assert answers[-1].status_code == status
    kie.advance(10)
    assert kie.create()


@pytest.mark.parametrize("task_id", ["", "0" * 32])
def test_an_unknown_task_has_no_record(start: Start, task_id: str) -> None:
    body = start().record(task_id)
    assert body["code"] == (422 if task_id else 400)


def test_a_record_is_gone_after_fourteen_days(start: Start) -> None:
    kie = start()
    task_id = kie.create()
    kie.kie.advance(100 + RETENTION_SECONDS)
    assert kie.record(task_id)["code"] == 422


@pytest.mark.parametrize(("value", "at", "code"), [(30, 29, 422), (30, 30, 200), (None, 9999, 422)])
def test_a_fresh_record_can_be_unknown_for_a_while(
    start: Start, value: float | None, at: float, code: int
) -> None:
    kie = start(record_null={"value": value})
    task_id = kie.create()
    kie.advance(at)
    assert kie.record(task_id)["code"] == code


def ask(kie: InProcessKie) -> Any:
    task_id = kie.create()
    return kie.client.get(f"/api/v1/jobs/recordInfo?taskId={task_id}", headers=KEY)


def test_a_truncated_record_is_no_json(start: Start) -> None:
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(ask(start(record_truncated=True)).data)


def test_a_record_can_be_a_page_of_a_proxy(start: Start) -> None:
    answer = ask(start(record_html=True))
    assert (answer.status_code, answer.mimetype) == (502, "text/html")


def test_a_record_can_be_an_error_once(start: Start) -> None:
    kie = start(record_error={"times": 1})
    assert ask(kie).status_code == 500
    assert kie.record(f"{1:032x}")["code"] == 200


def test_a_record_can_hang(start: Start) -> None:
    kie = start(record_hang={"value": 60})
    ask(kie)
    assert kie.slept == 60


def test_a_record_can_hold_an_unknown_state_until_its_end(start: Start) -> None:
    kie = start(record_unknown_state={"value": "dreaming"})
    task_id = kie.create()
    assert kie.record(task_id)["data"]["state"] == "dreaming"
    kie.advance(100)
    assert kie.record(task_id)["data"]["state"] == "success"


def test_a_record_can_hold_fields_nobody_knows(start: Start) -> None:
    assert "region" in ask(start(record_extra_fields=True)).json["data"]


def test_a_result_can_have_several_files(start: Start) -> None:
    kie = start(outcome_files={"value": 3})
    task_id = kie.create()
    kie.advance(100)
    assert len(json.loads(kie.record(task_id)["data"]["resultJson"])["resultUrls"]) == 3


def test_a_task_can_be_stuck(start: Start) -> None:
    kie = start(outcome_stuck=True)
    task_id = kie.create()
    kie.advance(1e6)
    assert kie.record(task_id)["data"]["state"] == "waiting"


def test_credits_go_down_with_each_task(start: Start) -> None:
    kie = start()
    before = kie.client.get("/api/v1/chat/credit", headers=KEY).json["data"]
    kie.create()
    assert kie.client.get("/api/v1/chat/credit", headers=KEY).json["data"] == before - 5


def test_an_upload_can_be_downloaded(start: Start) -> None:
    kie = start()
    text = "data:text/plain;base64," + base64.b64encode(b"a kite").decode()
    fields = {"base64Data": text, "uploadPath": "in", "fileName": "a.txt"}
    answer = kie.client.post("/api/file-base64-upload", json=fields, headers=KEY).json
    assert (answer["success"], answer["data"]["fileSize"]) == (True, 6)
    with kie.client.get("/media/uploads/a.txt") as file:
        assert file.data == b"a kite"


def test_a_form_upload_is_taken(start: Start) -> None:
    form = {"file": (io.BytesIO(b"a kite"), "a.txt"), "uploadPath": "in"}
    answer = start().client.post("/api/file-stream-upload", data=form, headers=KEY).json
    assert answer["data"]["downloadUrl"] == "http://kie.test/media/uploads/a.txt"


def test_an_upload_without_path_is_refused(start: Start) -> None:
    answer = start().client.post(
        "/api/file-base64-upload", json={"base64Data": "YQ=="}, headers=KEY
    )
    assert answer.json["code"] == 400
