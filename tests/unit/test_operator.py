"""An operator's acts: what each changes, what it refuses, and what the timeline keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.errors import AppError
from core.generation.model import Generation, Status
from core.generation.operating import ActRefusedError, Order
from core.generation.schedule import GRACE
from core.kie.report import Accepted, AskFailed, NotNow, Refused, Unknown
from core.store.generations import HeldError
from tests.support.fake_kie import report
from tests.support.media import png
from tests.support.world import MEDIA, World

ORDER = Order(by="ann", selection="all that are slow", of=3)

Act = Callable[[World, Generation], Generation]
ACTS: dict[str, Act] = {
    "look again": lambda world, one: world.core.operator.look_again(one.id, ORDER),
    "give up": lambda world, one: world.core.operator.give_up(one.id, "not wanted", ORDER),
    "attach": lambda world, one: world.core.operator.attach(one.id, "found-1", ORDER),
    "send again": lambda world, one: world.core.operator.send_again(
        one.id, one.submit_started_at, ORDER
    ),
}


def unknown(world: World) -> Generation:
    """A generation of which nobody knows whether KIE took it."""
    world.kie.create_script = [Unknown("timed out"), Accepted("second")]
    return world.advance(world.add())


def last_event(world: World, generation: Generation, name: str) -> dict[str, Any]:
    found = [one for one in world.core.queries.events_of(generation) if one["name"] == name]
    return dict(found[-1]["detail"])


def test_looking_again_asks_kie_at_once(world: World) -> None:
    generation = world.advance(world.add_submitted())
    world.finish()
    ACTS["look again"](world, generation)
    assert world.advance(generation).status is Status.SUCCESS


def test_every_act_says_who_and_on_what_selection(world: World) -> None:
    generation = unknown(world)
    for name in ("send again", "give up"):
        ACTS[name](world, generation)
    for event in ("operator.sent_again", "operator.gave_up"):
        detail = last_event(world, generation, event)
        assert (detail["by"], detail["selection"], detail["of"]) == (
            "ann",
            "all that are slow",
            3,
        )


def test_giving_up_ends_it_and_a_late_file_still_makes_it_a_success(world: World) -> None:
    generation = ACTS["give up"](world, world.add_submitted())
    assert (generation.status, generation.error_code) == (Status.FAILED, "operator.gave_up")
    assert world.row(generation).error == "not wanted"
    world.finish()
    ACTS["look again"](world, generation)
    assert world.advance(generation).status is Status.SUCCESS


@pytest.mark.parametrize("why", ["", "   ", "x" * 501])
def test_giving_up_needs_a_reason(world: World, why: str) -> None:
    generation = world.add_submitted()
    with pytest.raises(ActRefusedError, match="reason"):
        world.core.operator.give_up(generation.id, why, ORDER)
    assert world.row(generation) == generation


def test_an_attached_task_is_taken_once_kie_confirms_it(world: World) -> None:
    generation = unknown(world)
    world.kie.will_say("found-1", report("found-1", "generating"))
    ACTS["attach"](world, generation)
    row = world.advance(generation)
    assert (row.task_id, row.candidate_task_id, row.error_code) == ("found-1", None, None)


def test_an_attached_task_that_kie_does_not_know_is_dropped(world: World) -> None:
    generation = unknown(world)
    world.clock.advance(GRACE.total_seconds() + 1)
    world.kie.will_say("found-1", AskFailed("kie.unknown_task", "recordInfo is null"))
    ACTS["attach"](world, generation)
    row = world.advance(generation)
    assert (row.task_id, row.candidate_task_id) == (None, None)
    assert "callback.task_refused" in world.events(row)


@pytest.mark.parametrize("task_id", ["", "two words", "x" * 129, "ü", "a\nb"])
def test_what_cannot_be_a_task_id_is_not_attached(world: World, task_id: str) -> None:
    with pytest.raises(ActRefusedError, match="task id"):
        world.core.operator.attach(unknown(world).id, task_id, ORDER)


def test_sending_again_is_the_only_second_create(world: World) -> None:
    generation = unknown(world)
    world.clock.advance(60)
    world.advance(generation)
    assert len(world.kie.creates) == 1
    ACTS["send again"](world, generation)
    assert world.advance(generation).task_id == "second"
    assert len(world.kie.creates) == 2


def test_sending_again_twice_sends_once(world: World) -> None:
    generation = unknown(world)
    ACTS["send again"](world, generation)
    with pytest.raises(ActRefusedError):
        ACTS["send again"](world, generation)


def test_two_who_decide_about_one_submission_have_it_sent_once(world: World) -> None:
    seen_by_both = unknown(world)
    world.kie.create_script = [Unknown("timed out"), Accepted("third")]
    world.clock.advance(1)
    ACTS["send again"](world, seen_by_both)
    assert world.advance(seen_by_both).error_code == "submit.unknown"
    with pytest.raises(ActRefusedError, match="meanwhile"):
        ACTS["send again"](world, seen_by_both)
    assert len(world.kie.creates) == 2


def test_a_refusal_of_the_second_try_says_nothing_about_the_first(world: World) -> None:
    generation = unknown(world)
    world.kie.create_script = [Refused(402, "no credits")]
    ACTS["send again"](world, generation)
    row = world.advance(generation)
    assert (row.status, row.error_code) == (Status.QUEUED, "submit.unknown")
    world.kie.will_say("first", report("first", "success", urls=[f"{MEDIA}/a.png"]))
    world.media.files["/a.png"] = png(0)
    world.call_back(generation, "first")
    assert world.advance(generation).status is Status.SUCCESS


def test_a_second_try_that_never_gets_through_is_no_proof_either(world: World) -> None:
    generation = unknown(world)
    world.kie.create_script = [NotNow("kie.maintenance", "455")]
    ACTS["send again"](world, generation)
    world.advance(generation)
    world.clock.advance(timedelta(hours=25).total_seconds())
    assert world.advance(generation).error_code == "submit.unknown"


def test_what_was_never_sent_has_no_task_to_attach(world: World) -> None:
    with pytest.raises(ActRefusedError, match="never sent"):
        ACTS["attach"](world, world.add())


def test_a_task_that_a_callback_has_named_is_not_forgotten_for_another(world: World) -> None:
    generation = unknown(world)
    world.call_back(generation, "named-by-kie")
    with pytest.raises(ActRefusedError, match="another task id"):
        ACTS["attach"](world, generation)


def test_a_dead_lease_that_an_act_ends_counts_as_a_crash(world: World) -> None:
    claimed = world.core.store.claims.claim(world.add_submitted().id, "a0")
    assert claimed is not None
    world.clock.advance(61)
    ACTS["look again"](world, claimed)
    assert world.row(claimed).crashes == 1


def test_what_is_too_old_is_not_sent_again(world: World) -> None:
    generation = unknown(world)
    world.clock.advance(timedelta(hours=25).total_seconds())
    with pytest.raises(ActRefusedError, match="too old"):
        ACTS["send again"](world, generation)


@pytest.mark.parametrize("name", ["send again", "attach"])
def test_a_generation_with_a_task_needs_neither(world: World, name: str) -> None:
    with pytest.raises(ActRefusedError):
        ACTS[name](world, world.add_submitted())


def test_looking_again_needs_a_task_to_ask_about(world: World) -> None:
    with pytest.raises(ActRefusedError, match="attach"):
        ACTS["look again"](world, unknown(world))


@pytest.mark.parametrize("name", ACTS)
def test_what_is_delivered_stays(world: World, name: str) -> None:
    world.finish()
    delivered = world.advance(world.add_submitted())
    with pytest.raises(ActRefusedError, match="delivered"):
        ACTS[name](world, delivered)
    assert world.row(delivered) == delivered


@pytest.mark.parametrize("name", ["look again", "give up", "attach"])
def test_what_kie_failed_stays(world: World, name: str) -> None:
    world.kie.will_say("task-1", report(state="fail"))
    failed = world.advance(world.add_submitted())
    with pytest.raises(ActRefusedError, match="final"):
        ACTS[name](world, failed)


def test_a_generation_in_a_workers_hands_is_not_given_up(world: World) -> None:
    claimed = world.core.store.claims.claim(world.add_submitted().id, "a0")
    assert claimed is not None
    with pytest.raises(HeldError):
        ACTS["give up"](world, claimed)
    assert world.row(claimed) == claimed


def test_a_generation_in_a_workers_hands_is_looked_at_again_after_that(world: World) -> None:
    claimed = world.core.store.claims.claim(world.add_submitted().id, "a0")
    assert claimed is not None
    row = ACTS["look again"](world, claimed)
    assert world.row(row).lease_token == "a0"
    assert world.row(row).due_at == world.clock()


def test_a_dead_lease_does_not_stand_in_the_way(world: World) -> None:
    claimed = world.core.store.claims.claim(world.add_submitted().id, "a0")
    world.clock.advance(61)
    assert claimed is not None
    assert ACTS["give up"](world, claimed).status is Status.FAILED
    assert world.row(claimed).lease_token is None


@pytest.mark.parametrize("name", ACTS)
def test_a_generation_that_is_gone_is_refused(world: World, name: str) -> None:
    generation = world.add_submitted()
    world.core.store.claims.claim(generation.id, "a0")
    world.core.store.generations.delete(generation.id, "a0")
    with pytest.raises(AppError):
        ACTS[name](world, generation)
