"""`attach`: KIE's task of a generation of which nobody knows whether KIE has made one."""

from __future__ import annotations

import click

from core.commands.running import NOT_WELL, WELL, Console, command
from core.commands.telling import generation_lines
from core.commands.working import (
    by_option,
    opened_core,
    opened_workers,
    patience,
    require_generation,
)
from core.generation.model import Generation
from core.generation.operating import Order
from core.looking import look_at
from core.settings import Settings
from core.views import generation_view
from core.wiring import Core

WAIT_SECONDS = 120.0


@command("attach")
@click.argument("generation_id", metavar="ID")
@click.argument("task_id", metavar="TASK")
@by_option
@click.option("--wait/--no-wait", default=True, help="Ask KIE at once, and say what it says.")
def attach(
    settings: Settings, console: Console, generation_id: str, task_id: str, by: str, wait: bool
) -> int:
    """Name KIE's TASK of the generation ID, as found in KIE's log. Taken once KIE confirms it.

    Exit code 1: KIE did not confirm it (yet). 2: refused, with the reason; nothing was changed.
    """
    with opened_core(settings) as core:
        generation = require_generation(core.queries, generation_id)
        seen = core.operator.attach(generation.id, task_id, Order(by=by))
        if wait:
            with opened_workers(core) as workers:
                seen = look_at(core, workers, seen.id, patience(WAIT_SECONDS)) or seen
        verdict = _verdict(core, seen, task_id.strip())
    confirmed = seen.task_id == task_id.strip()
    data = {"confirmed": confirmed, "verdict": verdict, "generation": generation_view(seen)}
    console.result(data, [verdict, *generation_lines(seen)])
    return WELL if confirmed or not wait else NOT_WELL


def _verdict(core: Core, seen: Generation, task_id: str) -> str:
    if seen.task_id == task_id:
        return "KIE confirms it: the task is taken over"
    if seen.candidate_task_id == task_id:
        return "named; KIE has not confirmed it yet, and is asked again"
    refusals = [
        event["detail"]
        for event in core.queries.events_of(seen)
        if event["name"] == "callback.task_refused" and event["detail"].get("task_id") == task_id
    ]
    return f"not taken over: {refusals[-1]['why']}" if refusals else "not taken over"
