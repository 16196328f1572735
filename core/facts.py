"""Gathering what a diagnosis needs. Whoever cannot be asked becomes a fact, not an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from core.diagnosis import Facts
from core.errors import StorageError
from core.generation.model import Generation
from core.wiring import Core


def recorded_facts(core: Core, generation: Generation) -> Facts:
    """What the database knows of a generation. Raises StoreUnavailableError."""
    return Facts(
        generation=generation,
        now=core.store.now(),
        callbacks=core.queries.callbacks_of(generation),
        events=core.queries.events_of(generation),
        callbacks_expected=core.settings.sends_callback_url,
        stuck_after=timedelta(minutes=core.settings.stuck_after_minutes),
        give_up_after=timedelta(hours=core.settings.give_up_after_hours),
    )


def with_storage(core: Core, facts: Facts) -> Facts:
    """The facts, and what storage shows of the stored files."""
    try:
        return replace(facts, stored_sizes=_stored_sizes(core, facts.generation))
    except StorageError as error:
        return replace(facts, storage_problem=str(error))


def with_kie(core: Core, facts: Facts) -> Facts:
    """The facts, and what KIE says of the task right now."""
    generation = facts.generation
    task_id = generation.task_id or generation.candidate_task_id
    if task_id is None:
        return facts
    return replace(facts, kie=core.kie.ask(generation.family, task_id))


def _stored_sizes(core: Core, generation: Generation) -> Mapping[str, int | None]:
    paths = [asset.path for asset in generation.assets if asset.path and asset.stored_at]
    return {path: core.stored_size(path) for path in paths}
