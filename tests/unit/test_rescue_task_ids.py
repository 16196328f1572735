"""Finding task ids in whatever somebody pastes."""

from __future__ import annotations

import json

import pytest

from core.rescuing.task_ids import read_task_ids

HEX = "281e5b0a11aa22bb33cc44dd55ee66ff"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (HEX, HEX),
        (f'  "{HEX}",', HEX),
        (f"2026-11-22 10:00\tgoogle/nano-banana\t{HEX}\tsuccess", HEX),
        (f"{HEX},success,0.5", HEX),
        ("see task_kling-2.6_1765182425861.", "task_kling-2.6_1765182425861"),
        ("task_12345678", "task_12345678"),
        ("veo_task_77", "veo_task_77"),
        (json.dumps({"data": {"taskId": "abc", "state": "fail"}}), "abc"),
        (json.dumps(json.dumps({"task_id": "abc"})), "abc"),
        ("Task ID: abc", "abc"),
        (f'{{"recordId":"{HEX}"}}', HEX),
        (f"2026-11-20,https://tempfile.example/x.png,{HEX},success", HEX),
        (f"https://tempfile.example/x.png;{HEX}", HEX),
        (f"https://tempfile.example/x.png|{HEX}", HEX),
        (f"[link](https://tempfile.example/x.png)({HEX})", HEX),
    ],
)
def test_every_shape_of_an_id_is_found(line: str, found: str) -> None:
    assert read_task_ids([line]).task_ids == (found,)


@pytest.mark.parametrize(
    "line",
    [
        "task_id,model,state",
        "hello world",
        f"https://tempfile.example/s/{HEX}.png",
        f"https://ours.test/api/kie/callback?generation=x&token={HEX}",
        '"taskId": null',
        "a" * 129 + "1",
        f"sha256 {HEX}{HEX}",
        "2026-11-22",
        "2026-11-22T10:00:00.123",
        "12:30:00.5",
        "2026-11-20,https://tempfile.example/x.png,success",
    ],
)
def test_what_is_no_id_is_passed_over_and_counted(line: str) -> None:
    reading = read_task_ids([line, ""])
    assert (reading.task_ids, reading.without) == ((), 1)


def test_each_is_named_once_in_the_order_of_the_text() -> None:
    reading = read_task_ids([f"task_2 and {HEX}", "task_10 task_2", HEX])
    assert (reading.task_ids, reading.repeated) == (("task_2", HEX, "task_10"), 2)


@pytest.mark.parametrize(
    "piece", ["task_", "taskid:", "taskid\\", " ", "http://", '"', "task_1 ", "task_1.", "a:"]
)
def test_a_line_without_end_costs_its_length(piece: str) -> None:
    """It would take hours where a pattern looked at everything again from each place."""
    assert read_task_ids([piece * 100_000 + "!"]).without in (0, 1)
