"""`sync`: one generation, looked at now."""

from __future__ import annotations

import click

from core.commands.running import NOT_WELL, WELL, Console, command
from core.commands.telling import generation_lines
from core.commands.working import opened_core, opened_workers, patience, require_generation
from core.generation.model import Status
from core.looking import look_at
from core.settings import Settings
from core.views import generation_view


@command("sync")
@click.argument("task")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0, 3600),
    default=120.0,
    show_default=True,
    help="For how many seconds at most to wait for KIE, the file, and whoever is at it.",
)
def sync(settings: Settings, console: Console, task: str, seconds: float) -> int:
    """Ask KIE how TASK stands, and deliver it. TASK is our id or KIE's.

    KIE is asked at most once in two seconds; what is delivered, or failed at KIE, is only shown.
    Exit code 1: it is not delivered (yet).
    """
    with opened_core(settings) as core:
        generation = require_generation(core.queries, task)
        with opened_workers(core) as workers:
            seen = look_at(core, workers, generation.id, patience(seconds)) or generation
    console.result(generation_view(seen), generation_lines(seen))
    return WELL if seen.status is Status.SUCCESS else NOT_WELL
