"""What is to be saved while the database fails: nothing is sent twice, and no task id is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import StoreUnavailableError
from core.generation.model import Channel
from core.kie.client import NotNow
from tests.support.world import World


def fail_first(times: int, call: Callable[..., Any]) -> Callable[..., Any]:
    failures = [StoreUnavailableError("locked")] * times

    def sometimes(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return call(*args)

    return sometimes


def test_a_task_id_that_cannot_be_saved_is_tried_until_it_can(world: World) -> None:
    generations = world.core.store.generations
    generations.save_task_id = fail_first(3, generations.save_task_id)  # type: ignore[method-assign]
    assert world.advance(world.add()).task_id == "task-1"
    assert world.sleeps == [0.5, 1]


def answer_lost(call: Callable[..., Any]) -> Callable[..., Any]:
    """It is done, and the first time nobody hears of it."""
    lost = [StoreUnavailableError("the connection is gone")]

    def deaf(*args: Any) -> Any:
        answer = call(*args)
        if lost:
            raise lost.pop()
        return answer

    return deaf


def test_a_submission_whose_record_was_saved_unheard_of_goes_on(world: World) -> None:
    generations = world.core.store.generations
    generations.save = answer_lost(generations.save)  # type: ignore[method-assign]
    row = world.advance(world.add())
    assert (row.task_id, len(world.kie.creates)) == ("task-1", 1)


def test_a_generation_that_was_saved_unheard_of_is_a_new_one(world: World) -> None:
    database = world.core.store.database
    database.run = answer_lost(database.run)  # type: ignore[method-assign]
    assert world.row(world.add()).status == "queued"


def test_a_task_id_that_is_refused_is_not_forgotten(world: World) -> None:
    def refuse(*_args: Any) -> Any:
        raise ValueError("somebody's trigger")

    generations = world.core.store.generations
    generations.save_task_id, save = refuse, generations.save_task_id  # type: ignore[method-assign]
    generation = world.add()
    world.core.delivery.advance(generation.id, Channel.POLL)
    generations.save_task_id = save  # type: ignore[method-assign]
    world.core.submission.hand_in()
    assert world.row(generation).task_id == "task-1"


def test_a_task_id_survives_a_process_that_could_not_save_it(world: World) -> None:
    generation = world.add()
    generations = world.core.store.generations
    save = generations.save_task_id
    generations.save_task_id = fail_first(99, save)  # type: ignore[method-assign]
    world.core.delivery.advance(generation.id, Channel.POLL)
    generations.save_task_id = save  # type: ignore[method-assign]
    world.core.submission.hand_in()
    assert world.row(generation).task_id == "task-1"
    assert list((world.core.settings.data_dir / "accepted-tasks").iterdir()) == []


def test_a_refusal_that_cannot_be_saved_at_once_is_not_an_unknown_outcome(world: World) -> None:
    world.kie.create_script = [NotNow("kie.rate_limited", "slow down")]
    grants, generations = world.core.store.grants, world.core.store.generations
    grants.close_window = fail_first(1, grants.close_window)  # type: ignore[method-assign]
    generation = world.add()
    world.kie.on_create = lambda: setattr(generations, "save", fail_first(2, generations.save))
    row = world.advance(generation)
    assert (row.error_code, row.submit_started_at) == ("kie.rate_limited", None)


def test_a_task_id_is_insisted_on_although_no_file_can_be_written(world: World) -> None:
    generations = world.core.store.generations
    generations.save_task_id = fail_first(3, generations.save_task_id)  # type: ignore[method-assign]
    (world.core.settings.data_dir / "accepted-tasks").write_text("a file where the folder was")
    assert world.advance(world.add()).task_id == "task-1"
