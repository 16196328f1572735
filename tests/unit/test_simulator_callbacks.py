from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.bodies import sign
from tests.support.simulator import IMAGE, NOON, InProcessKie

Start = Callable[..., InProcessKie]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[InProcessKie] = []

    def with_faults(**faults: Any) -> InProcessKie:
        opened.append(InProcessKie(tmp_path, **faults))
        return opened[-1]

    yield with_faults
    for kie in opened:
        kie.close()


def bodies(kie: InProcessKie) -> list[Any]:
    return [json.loads(body) for _, body, _ in kie.receiver.got]


def test_the_end_is_told_once_with_the_data_of_record_info(start: Start) -> None:
    kie = start()
    task_id = kie.create()
    kie.advance(99)
    assert kie.receiver.got == []
    kie.advance(1)
    kie.advance(1000)
    assert [body["data"] for body in bodies(kie)] == [kie.record(task_id)["data"]]
    assert kie.receiver.got[0][0] == IMAGE["callBackUrl"]


def test_a_failure_is_told_with_code_501(start: Start) -> None:
    kie = start(outcome_fail={"value": {"failCode": "422", "failMsg": "bad"}})
    kie.create()
    kie.advance(100)
    assert (bodies(kie)[0]["code"], bodies(kie)[0]["data"]["failCode"]) == (501, "422")


def test_without_a_callback_url_nobody_is_told(start: Start) -> None:
    kie = start()
    kie.create({**IMAGE, "callBackUrl": None})
    kie.advance(1000)
    assert kie.receiver.got == []


def test_a_refused_callback_is_tried_three_times_more(start: Start) -> None:
    kie = start()
    kie.receiver.answers = [500, None, 404, 503, 200]
    task_id = kie.create()
    for seconds in (100, 1, 5, 30, 1000):
        kie.advance(seconds)
    tries = kie.view(task_id)["callbacks"]
    assert [one["at"] - NOON for one in tries] == [100, 101, 106, 136]
    assert [one["status"] for one in tries] == [500, None, 404, 503]


def test_a_restart_goes_on_with_the_tries(start: Start) -> None:
    kie = start()
    kie.receiver.answers = [500]
    task_id = kie.create()
    kie.advance(100)
    again = kie.reopened()
    again.advance(1)
    again.close()
    assert [one["status"] for one in again.view(task_id)["callbacks"]] == [500, 200]


def test_a_task_that_ends_while_nobody_runs_is_told_at_the_start(start: Start) -> None:
    kie = start()
    kie.create()
    kie.time += 500
    again = kie.reopened()
    again.kie.sender.send_due()
    again.close()
    assert len(again.receiver.got) == 1


def test_callbacks_are_signed_with_the_key(start: Start) -> None:
    kie = start()
    task_id = kie.create()
    kie.advance(100)
    headers = kie.receiver.got[0][2]
    assert headers["X-Webhook-Timestamp"] == str(int(NOON + 100))
    assert headers["X-Webhook-Signature"] == sign("whk_test", task_id, str(int(NOON + 100)))


def test_a_wrong_signature_is_one_of_another_key(start: Start) -> None:
    kie = start(callback_wrong_signature=True)
    task_id = kie.create()
    kie.advance(100)
    signature = kie.receiver.got[0][2]["X-Webhook-Signature"]
    assert signature != sign("whk_test", task_id, str(int(NOON + 100)))


def test_an_old_timestamp_is_signed_rightly(start: Start) -> None:
    kie = start(callback_old_timestamp={"value": 900})
    task_id = kie.create()
    kie.advance(100)
    old = str(int(NOON + 100 - 900))
    assert kie.receiver.got[0][2]["X-Webhook-Signature"] == sign("whk_test", task_id, old)


@pytest.mark.parametrize(
    ("fault", "seconds", "states"),
    [
        ({"callback_none": True}, 1000, []),
        ({"callback_parallel": {"value": 2}}, 0, ["success"] * 3),
        ({"callback_late": {"value": 60}}, 59, ["success"]),
        ({"callback_late": {"value": 60}}, 60, ["success"] * 2),
        ({"callback_out_of_order": True}, 1, ["success", "generating"]),
        ({"callback_then_fail": True}, 1, ["success", "fail"]),
    ],
)
def test_faults_change_who_is_told_what(
    start: Start, fault: dict[str, Any], seconds: float, states: list[str]
) -> None:
    kie = start(**fault)
    kie.create()
    kie.advance(100)
    kie.advance(seconds)
    assert [body["data"]["state"] for body in bodies(kie)] == states


def test_an_early_callback_comes_before_the_create_answer(start: Start) -> None:
    kie = start(callback_early=True)
    task_id = kie.create()
    assert bodies(kie)[0]["data"]["taskId"] == task_id
    kie.advance(1000)
    assert len(kie.receiver.got) == 1


def test_the_id_can_be_somewhere_else(start: Start) -> None:
    kie = start(callback_id_place={"value": "task_id"})
    task_id = kie.create()
    kie.advance(100)
    assert bodies(kie)[0]["task_id"] == task_id
    assert "taskId" not in bodies(kie)[0]["data"]


def test_invalid_json_cannot_be_parsed(start: Start) -> None:
    kie = start(callback_invalid_json=True)
    kie.create()
    kie.advance(100)
    with pytest.raises(ValueError, match="Expecting"):
        bodies(kie)


def test_a_huge_body_is_huge(start: Start) -> None:
    kie = start(callback_huge={"value": 3_000_000})
    kie.create()
    kie.advance(100)
    assert len(kie.receiver.got[0][1]) > 3_000_000
