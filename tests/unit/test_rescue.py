"""What becomes of tasks that KIE made for others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from core.generation.model import Channel, Code, Generation, Status
from core.kie.report import AskFailed, TaskRequest
from core.rescuing.asking import Asker, KieClosedError
from core.rescuing.fate import Fate, Rescued, fate_of, fate_without_row
from core.rescuing.rescue import Rescue
from core.rescuing.run import Run
from tests.support.clock import NOON
from tests.support.fake_kie import report
from tests.support.world import World

TASK = "task-1"
HOUR = timedelta(hours=1)


def asker(world: World) -> Asker:
    """Nobody waits: time passes."""
    return Asker(world.kie, pause=world.clock.advance, monotonic=lambda: world.clock().timestamp())


def rescue(world: World, **more: Any) -> Rescue:
    return Rescue(world.core, asker(world), by="ann", **more)


def names(world: World, generation: Generation, state: str = "success") -> None:
    """KIE's record of the task repeats our callback URL."""
    files = world.kie.ask_scripts[TASK][0].files if state == "success" else ()
    named = {"files": files, "has_callback_url": True, "generation_id": generation.id}
    world.kie.will_say(TASK, report(TASK, state, **named))


def rows(world: World) -> list[Generation]:
    return world.core.queries.page().items


def test_a_strangers_finished_task_becomes_a_generation_with_its_file(world: World) -> None:
    world.finish()
    found = rescue(world, user_id="bob").look(TASK)
    [row] = rows(world)
    assert (found.fate, found.generation_id, found.url) == (Fate.SAVED, row.id, row.asset_url)
    assert (row.status, row.task_id, row.user_id) == (Status.SUCCESS, TASK, "bob")
    assert (row.model, row.kind, row.prompt) == (world.kie.request.model, "image", "a red kite")
    assert list(world.stored()) == [row.assets[0].path]
    assert world.events(row)[0] == "generation.rescued"
    assert world.kie.creates == []


def test_it_is_as_old_as_kie_says_and_on_record_since_now(world: World) -> None:
    made_at = world.clock() - 3 * HOUR
    world.kie.request = TaskRequest(model="m", input={}, created_at=made_at)
    world.finish()
    rescue(world).look(TASK)
    [row] = rows(world)
    assert (row.submitted_at, row.submit_started_at) == (made_at, made_at)
    assert row.created_at == world.clock()


def test_once_more_costs_nothing(world: World) -> None:
    world.finish()
    first = rescue(world).look(TASK)
    asks, fetched = len(world.kie.asks), len(world.media.requests)
    assert rescue(world).look(TASK) == first
    assert (len(world.kie.asks), len(world.media.requests)) == (asks, fetched)


def test_what_failed_at_kie_is_dead_and_leaves_no_row(world: World) -> None:
    world.kie.will_say(TASK, report(state="fail", fail_code="501", fail_message="no"))
    found = rescue(world).look(TASK)
    assert (found.fate, found.reason) == (Fate.DEAD, "failed at KIE: 501: no")
    assert rows(world) == []


def test_what_kie_does_not_know_leaves_no_row(world: World) -> None:
    assert rescue(world).look(TASK).fate is Fate.UNKNOWN
    assert rows(world) == []


def test_what_is_in_progress_is_followed(world: World) -> None:
    world.kie.will_say(TASK, report(state="generating"))
    rescuing = rescue(world)
    waiting = rescuing.look(TASK)
    assert (waiting.fate, waiting.reason) == (Fate.WAITING, "KIE says generating")
    world.finish()
    assert rescuing.look_again(waiting).fate is Fate.WAITING  # its next look is not due
    world.clock.advance(60)
    assert rescuing.look_again(waiting).fate is Fate.SAVED


def test_files_that_are_gone_are_dead_after_three_ladders(world: World) -> None:
    world.finish()
    world.media.files.clear()
    rescuing = rescue(world)
    found = rescuing.look(TASK)
    assert found.fate is Fate.WAITING
    for _ in range(8):
        world.clock.advance(60)
        found = rescuing.look_again(found)
    assert (found.fate, (found.reason or "").split(":")[0]) == (Fate.DEAD, Code.MEDIA_GONE)


@pytest.mark.parametrize(
    ("fields", "fate"),
    [
        ({"status": Status.SUCCESS}, Fate.SAVED),
        ({"status": Status.GENERATING}, Fate.WAITING),
        ({"status": Status.FAILED, "error_code": Code.PROVIDER_FAILED}, Fate.DEAD),
        ({"status": Status.FAILED, "error_code": Code.MEDIA_GONE}, Fate.DEAD),
        ({"status": Status.FAILED, "error_code": Code.MEDIA_TOO_LARGE}, Fate.WAITING),
        ({"status": Status.FAILED, "error_code": Code.PROVIDER_TIMEOUT}, Fate.WAITING),
        ({"status": Status.SUCCESS, "task_id": "another"}, Fate.WAITING),
    ],
)
def test_only_what_nobody_can_save_any_more_is_dead(fields: dict[str, Any], fate: Fate) -> None:
    ids = {"id": "g", "family": "market", "model": "m", "input": {}, "task_id": TASK}
    row = Generation(**{**ids, "created_at": NOON, "updated_at": NOON, **fields})
    assert fate_of(TASK, row).fate is fate


@pytest.mark.parametrize("state", ["success", "generating"])
def test_the_generation_that_its_callback_url_names_gets_it(world: World, state: str) -> None:
    ours = world.add(submit_started_at=world.clock(), error_code=Code.SUBMIT_UNKNOWN)
    world.finish()
    names(world, ours, state)
    found = rescue(world).look(TASK)
    assert [row.id for row in rows(world)] == [ours.id] == [found.generation_id]
    assert world.row(ours).task_id == TASK
    assert "operator.attached" in world.events(ours)


def test_a_generation_that_forgot_its_task_is_not_sent_again(world: World) -> None:
    ours = world.add()  # as an old backup has it
    world.finish()
    names(world, ours)
    assert rescue(world).look(TASK).generation_id == ours.id
    assert (world.row(ours).status, world.kie.creates) == (Status.SUCCESS, [])


def test_nor_is_it_by_a_worker_that_holds_it_already(world: World) -> None:
    ours = world.add()
    world.finish()
    names(world, ours)
    claimed = world.core.store.claims.claim(ours.id, "a0")
    assert claimed is not None
    assert rescue(world).look(TASK).generation_id == ours.id
    world.core.delivery.run(claimed, Channel.POLL)
    assert (world.row(ours).status, world.kie.creates) == (Status.SUCCESS, [])


@pytest.mark.parametrize("code", ["provider.402", "provider.failed"])
def test_what_ended_at_kie_stays_ended(world: World, code: str) -> None:
    ours = world.add(status=Status.FAILED, error_code=code, due_at=None)
    world.finish()
    names(world, ours)
    assert rescue(world).look(TASK).fate is Fate.SAVED
    assert world.row(ours) == ours


def test_a_second_task_of_the_same_generation_gets_a_row_of_its_own(world: World) -> None:
    ours = world.add_submitted("task-0")
    world.finish()
    names(world, ours)
    assert rescue(world).look(TASK).fate is Fate.SAVED
    assert {row.task_id for row in rows(world)} == {"task-0", TASK}


def test_one_of_ours_is_looked_at(world: World) -> None:
    ours = world.add_submitted(due_at=world.clock() + HOUR)
    world.finish()
    assert rescue(world).look(TASK).generation_id == ours.id
    assert world.row(ours).status is Status.SUCCESS


def test_what_a_dead_worker_left_is_taken_over(world: World) -> None:
    world.finish()
    ours = world.add_submitted()
    world.core.store.claims.claim(ours.id, "dead")
    rescuing = rescue(world)
    found = rescuing.look(TASK)
    assert found.fate is Fate.WAITING
    world.clock.advance(61)
    assert rescuing.look_again(found).fate is Fate.SAVED
    assert world.row(ours).crashes == 1


def test_a_dry_run_asks_and_writes_nothing(world: World) -> None:
    world.finish()
    ours = world.add_submitted("task-0")
    seen = rescue(world)
    assert [seen.see(one).fate for one in (TASK, "task-0", "task-9")] == [
        Fate.ALIVE,
        Fate.WAITING,
        Fate.UNKNOWN,
    ]
    assert rows(world) == [ours]


def test_callbacks_that_came_for_it_are_given_to_it(world: World) -> None:
    stranger = world.add()
    world.core.store.claims.claim(stranger.id, "t")
    world.core.store.generations.delete(stranger.id, "t")
    world.call_back(stranger, TASK)
    world.finish()
    rescue(world).look(TASK)
    [row] = rows(world)
    assert row.task_id == TASK


def test_two_at_once_make_one_row(world: World) -> None:
    world.finish()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: rescue(world).look(TASK), range(8)))
    assert len(rows(world)) == 1


def test_kie_is_left_alone_for_as_long_as_it_says(world: World) -> None:
    busy = AskFailed("kie.rate_limited", "slow down", retry_after=7)
    world.kie.will_say(TASK, busy, busy, report())
    before = world.clock()
    assert rescue(world).look(TASK).fate is Fate.WAITING
    assert world.clock() - before == timedelta(seconds=14)


def test_a_kie_that_stays_away_is_no_verdict(world: World) -> None:
    world.kie.will_say(TASK, AskFailed("kie.unavailable", "502"))
    found = rescue(world).look(TASK)
    assert (found.fate, found.generation_id) == (Fate.WAITING, None)
    world.finish()
    assert rescue(world).look_again(found).fate is Fate.SAVED


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        ("only records within 14 days are supported", Fate.UNKNOWN),
        ("the record has expired", Fate.UNKNOWN),
        ("KIE answered about another task", Fate.WAITING),
        ("service unavailable 505", Fate.WAITING),
    ],
)
def test_only_what_kie_has_forgotten_is_unknown(words: str, fate: Fate) -> None:
    assert fate_without_row(TASK, AskFailed("kie.refused", words)).fate is fate


def test_what_was_learnt_before_it_ended_is_kept() -> None:
    def look(task_id: str) -> Rescued:
        if task_id == "b":
            raise KieClosedError("KIE answers nothing")
        return Rescued(task_id=task_id, fate=Fate.SAVED)

    with ThreadPoolExecutor(1) as pool:
        run = Run(pool)
        with pytest.raises(KieClosedError):
            run.once(["a", "b", "c"], look)
        assert [one.task_id for one in run.results(["a", "b", "c"])] == ["a", "c"]


def test_a_key_that_kie_refuses_ends_it(world: World) -> None:
    world.kie.will_say(TASK, AskFailed("kie.unauthorized", "401"))
    with pytest.raises(KieClosedError, match=r"kie\.unauthorized"):
        rescue(world).look(TASK)


def run_all(world: World, task_ids: list[str], seconds: float) -> list[Rescued]:
    rescuing = rescue(world)
    with ThreadPoolExecutor(2) as pool:
        run = Run(
            pool,
            pause=world.clock.advance,
            monotonic=lambda: world.clock().timestamp(),
        )
        run.once(task_ids, rescuing.look)
        run.until_settled(seconds, rescuing.look_again)
        return run.results(task_ids)


def test_it_goes_on_until_nothing_can_change(world: World) -> None:
    world.finish("task-1", "a.png")
    world.finish("task-2", "b.png")
    done = world.kie.ask_scripts["task-2"][0]
    world.kie.will_say("task-2", report("task-2"), report("task-2"), done)
    before = world.clock()
    found = run_all(world, ["task-2", "task-1"], 3600)
    assert [(one.task_id, one.fate) for one in found] == [
        ("task-2", Fate.SAVED),
        ("task-1", Fate.SAVED),
    ]
    assert world.clock() - before < timedelta(seconds=3600)


def test_its_patience_ends(world: World) -> None:
    world.kie.will_say(TASK, report())
    before = world.clock()
    assert [one.fate for one in run_all(world, [TASK], 100)] == [Fate.WAITING]
    assert timedelta(seconds=100) <= world.clock() - before < timedelta(seconds=110)


@pytest.mark.parametrize(("seconds", "asked"), [(0, 1), (60, 1), (120, 2)])
def test_what_kie_does_not_know_is_asked_about_again_after_its_grace(
    world: World, seconds: float, asked: int
) -> None:
    assert [one.fate for one in run_all(world, [TASK], seconds)] == [Fate.UNKNOWN]
    assert len(world.kie.asks) == asked
