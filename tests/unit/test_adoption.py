"""Whose task a callback names is read from KIE's own record, by the real parser."""

from __future__ import annotations

import pytest

from core.generation.model import Channel
from core.kie.families import FAMILIES
from tests.support.world import World

OURS = "https://example.org/api/kie/callback?generation={id}&token=t"


@pytest.mark.parametrize(
    ("callback_url", "adopted"),
    [
        (None, True),
        (OURS, True),
        (OURS.replace("{id}", "another"), False),
        ("https://example.org/another-app", False),
        ("no url", False),
    ],
)
def test_a_task_made_for_somebody_else_is_not_adopted(
    world: World, callback_url: str | None, adopted: bool
) -> None:
    generation = world.add(submit_started_at=world.clock())
    param = {"callBackUrl": callback_url and callback_url.format(id=generation.id)}
    record = {"taskId": "task-9", "state": "generating", "param": param}
    world.kie.will_say("task-9", FAMILIES["market"].read_report(record))
    world.call_back(generation, "task-9")
    assert (world.advance(generation, Channel.CALLBACK).task_id == "task-9") is adopted
