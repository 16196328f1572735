from __future__ import annotations

import json
from dataclasses import replace

import pytest

from simulator.results import SHAPES, Urls, result_json
from simulator.tasks import RETENTION_SECONDS, Task, file_names, record
from tests.support.simulator import IMAGE, NOON

TASK = Task(
    id="a" * 32,
    number=1,
    kind="image",
    request=IMAGE,
    created_at=NOON,
    finishes_at=NOON + 100,
    charged=5,
)
MARKED = ["1-watermark.png", "2-watermark.png"]
FAILED = replace(TASK, fail_code="501", fail_message="Generation Failed")


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (0, "waiting"),
        (9, "waiting"),
        (10, "queuing"),
        (30, "generating"),
        (99, "generating"),
        (100, "success"),
    ],
)
def test_a_task_goes_through_kies_states(seconds: float, state: str) -> None:
    assert TASK.state(NOON + seconds) == state


def test_a_stuck_task_waits_for_ever() -> None:
    assert replace(TASK, finishes_at=None).state(NOON + 1e9) == "waiting"


def test_only_a_failed_task_is_refunded_and_only_at_its_end() -> None:
    assert [FAILED.refunded(NOON + at) for at in (99, 100)] == [0, 5]
    assert TASK.refunded(NOON + 100) == 0


@pytest.mark.parametrize(
    ("no_files", "at", "seen"),
    [(0, 100, True), (0, 99, False), (50, 149, False), (50, 150, True), (None, 1e9, False)],
)
def test_files_can_be_seen_from_their_time_on(
    no_files: float | None, at: float, seen: bool
) -> None:
    assert replace(TASK, no_files_seconds=no_files).has_files(NOON + at) is seen


def test_a_task_is_gone_fourteen_days_after_its_end() -> None:
    end = NOON + 100 + RETENTION_SECONDS
    assert [TASK.is_expired(at) for at in (end - 1, end)] == [False, True]


def test_param_holds_the_input_encoded_twice() -> None:
    param = json.loads(record(TASK, NOON, "http://kie.test")["param"])
    assert json.loads(param["input"]) == IMAGE["input"]
    assert param["callBackUrl"] == IMAGE["callBackUrl"]


def test_a_running_task_has_no_result() -> None:
    data = record(TASK, NOON + 50, "http://kie.test")
    assert (data["resultJson"], data["costTime"], data["completeTime"]) == (None, None, None)


def test_a_finished_task_says_where_its_file_is_and_what_it_cost() -> None:
    data = record(TASK, NOON + 200, "http://kie.test/media")
    assert json.loads(data["resultJson"]) == {"resultUrls": ["http://kie.test/media/1.png"]}
    assert (data["costTime"], data["creditsConsumed"]) == (100, 5)
    assert data["completeTime"] == (NOON + 100) * 1000


def test_a_failed_task_says_why() -> None:
    data = record(FAILED, NOON + 200, "http://kie.test")
    assert (data["failCode"], data["failMsg"], data["costTime"]) == ("501", "Generation Failed", 0)


def test_a_text_task_has_an_object_and_no_files() -> None:
    data = record(replace(TASK, kind="text"), NOON + 200, "http://kie.test")
    assert "kite" in json.loads(data["resultJson"])["resultObject"]["text"]


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("urls", {"main": ["1.png", "2.png"]}),
        ("object", {"main": []}),
        ("watermark", {"main": ["1.png", "2.png"], "watermark": MARKED}),
    ],
)
def test_the_shape_decides_which_files_there_are(shape: str, names: dict[str, list[str]]) -> None:
    assert file_names(replace(TASK, files=2, shape=shape)) == names


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_can_be_written_as_json(shape: str) -> None:
    urls = Urls(["http://kie.test/1.mp4"], ["http://kie.test/1-w.mp4"])
    assert json.dumps(result_json(shape, urls, "a kite"))


def test_without_files_every_shape_is_an_empty_list() -> None:
    assert result_json("bare", Urls([]), "") == '{"resultUrls": []}'
