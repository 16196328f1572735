"""What becomes of a new task: decided when it is made, by its number and the faults then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.faults import Fault, Switches
from simulator.models import MODELS
from simulator.tasks import REAL_SECONDS, Task

LARGEST_FILE = 1 << 30


def new_task(
    task_id: str,
    number: int,
    request: Mapping[str, Any],
    now: float,
    speed: float,
    switches: Switches,
) -> Task:
    """The task for a valid request."""
    model = MODELS[request["model"]]
    least, most = REAL_SECONDS[model.kind]
    seconds = (least + (most - least) * switches.draw("seconds", number)) / speed
    if fixed := switches.hit("outcome_seconds", number):
        seconds = fixed.value
    task = Task(
        id=task_id,
        number=number,
        kind=model.kind,
        request=request,
        created_at=now,
        finishes_at=now + seconds,
        charged=model.credits,
    )
    return replace(task, **_changes(switches, number))


def _changes(switches: Switches, number: int) -> dict[str, Any]:
    def hit(name: str) -> Fault | None:
        return switches.hit(name, number)

    changes: dict[str, Any] = {}
    if fault := hit("outcome_fail"):
        changes["fail_code"] = str(fault.value.get("failCode", "501"))
        changes["fail_message"] = str(fault.value.get("failMsg", ""))
    if fault := hit("outcome_files"):
        changes["files"] = int(fault.value)
    if fault := hit("outcome_shape"):
        changes["shape"] = fault.value
    if fault := hit("outcome_no_files"):
        changes["no_files_seconds"] = fault.value
    if fault := hit("media_bytes"):
        changes["file_bytes"] = int(min(fault.value, LARGEST_FILE))
    if hit("outcome_stuck"):
        changes["finishes_at"] = None
    return changes
