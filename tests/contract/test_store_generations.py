"""Adding, saving and deleting generations: fenced by tokens, final where it is final."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import LeaseLostError
from core.generation.model import Asset, Change, Event, Status
from core.store.generations import (
    HeldError,
    IdempotencyConflictError,
    ImpossibleChangeError,
    TaskIdResult,
    TaskKnownError,
)
from tests.contract.conftest import StoreCase, received

STORED = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a"}
KIES_WORD = {"status": Status.FAILED, "error_code": "provider.failed"}
REFUSAL = {"status": Status.FAILED, "error_code": "provider.402"}
GIVEN_UP = {"status": Status.FAILED, "error_code": "media.gone"}


def test_a_generation_comes_back_as_it_was_saved(case: StoreCase) -> None:
    added = case.add(prompt="p" * 200_000, user_id="ü", input={"deep": [{"a": None}]}, kind=None)
    assert case.row(added) == added


def test_an_idempotency_key_seen_before_gives_the_first_generation(case: StoreCase) -> None:
    first = case.add(idempotency_key="k", request_sha256="same")
    again, is_new = case.store.generations.add(case.new(idempotency_key="k", request_sha256="same"))
    assert (again.id, is_new, case.count("generations")) == (first.id, False, 1)


def test_the_timeline_names_the_operator_who_created_it(case: StoreCase) -> None:
    generation, _ = case.store.generations.add(case.new(), by="Ada")
    (created,) = case.queries.events_of(generation)
    assert (created["name"], created["detail"]["by"]) == ("generation.created", "Ada")


def test_an_idempotency_key_with_another_request_is_a_conflict(case: StoreCase) -> None:
    case.add(idempotency_key="k", request_sha256="one")
    with pytest.raises(IdempotencyConflictError):
        case.add(idempotency_key="k", request_sha256="two")
    assert case.count("generations") == case.count("events") == 1


def test_a_lost_token_saves_nothing_at_all(case: StoreCase) -> None:
    late = case.claim(case.add())
    case.clock.advance(61)
    case.claim(late)
    change = Change(late.evolve(progress=50, assets=(Asset(position=0),)), (Event("late"),))
    for save in (case.store.generations.save, case.store.generations.release):
        with pytest.raises(LeaseLostError):
            save(late.lease_token or "", late, change)
    assert (case.row(late).progress, case.row(late).assets) == (None, ())
    assert "late" not in case.events(late)


def test_saving_keeps_the_lease_and_releasing_lets_go(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.save(claimed, progress=1)
    assert case.row(claimed).lease_token == claimed.lease_token
    due_at = case.clock() + timedelta(minutes=1)
    assert case.release(claimed, progress=2, due_at=due_at)
    row = case.row(claimed)
    assert (row.lease_token, row.lease_until, row.due_at, row.progress) == (None, None, due_at, 2)


def test_a_wake_up_during_a_lease_is_seen_before_it_ends(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.generations.wake(claimed.id)
    case.save(claimed, progress=1)
    assert not case.release(claimed, due_at=None)
    assert case.row(claimed).lease_token == claimed.lease_token
    assert case.release(claimed, due_at=None)
    assert case.row(claimed).due_at is None


def test_a_wake_up_during_a_lease_counts_attempts_anew(case: StoreCase) -> None:
    claimed = case.claim(case.add_submitted("task-1", attempts=7))
    case.store.inbox.accept(received())
    case.release(claimed, attempts=8)
    assert case.row(claimed).attempts == 0


def test_a_wake_up_during_a_lease_survives_its_handing_back(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.generations.wake(claimed.id)
    case.store.claims.hand_back(claimed.id, claimed.lease_token or "", after=timedelta(minutes=5))
    assert case.row(claimed).due_at == case.clock()


def test_a_wake_up_never_puts_a_look_off(case: StoreCase) -> None:
    generation = case.add(due_at=case.clock() - timedelta(hours=1))
    case.store.generations.wake(generation.id)
    assert case.row(generation).due_at == generation.due_at


@pytest.mark.parametrize(
    ("final", "others"),
    [
        (STORED, [Status.QUEUED, Status.GENERATING, Status.FAILED]),
        (KIES_WORD, [Status.QUEUED, Status.GENERATING, Status.SUCCESS]),
        (REFUSAL, [Status.QUEUED, Status.GENERATING, Status.SUCCESS]),
        (GIVEN_UP, [Status.QUEUED, Status.GENERATING]),
    ],
)
def test_a_final_state_is_not_left(
    case: StoreCase, final: dict[str, object], others: list[Status]
) -> None:
    claimed = case.claim(case.add_submitted("task-1", **final))
    for status in others:
        with pytest.raises(ImpossibleChangeError):
            case.save(claimed, status=status, asset_url="https://ours.test/a", error_code=None)
    assert case.row(claimed) == claimed


def test_a_giving_up_may_turn_into_success(case: StoreCase) -> None:
    given_up = case.add(**GIVEN_UP)
    case.save(case.claim(given_up), **STORED)
    assert case.row(given_up).status is Status.SUCCESS


def test_the_database_itself_refuses_a_success_without_our_address(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    with pytest.raises(sa.exc.IntegrityError):
        case.save(claimed, status=Status.SUCCESS)


def test_a_task_id_is_saved_without_the_lease_and_wakes(case: StoreCase) -> None:
    generation = case.add(due_at=None)
    saved = case.store.generations.save_task_id(generation.id, "nobody's", "task-1")
    row = case.row(generation)
    assert (saved, row.task_id, row.due_at) == (TaskIdResult.SAVED, "task-1", case.clock())


def test_a_task_id_is_saved_once_however_often_it_is_told(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    saved = case.store.generations.save_task_id(generation.id, "", "task-1")
    assert saved is TaskIdResult.SAVED
    assert case.events(generation) == ["generation.created"]


@pytest.mark.parametrize("told", ["task_id", "candidate_task_id"])
def test_no_submission_begins_once_a_task_is_known(case: StoreCase, told: str) -> None:
    claimed = case.claim(case.add())
    if told == "task_id":
        case.store.generations.save_task_id(claimed.id, "", "task-1")
    else:
        case.store.inbox.accept(received(generation_id=claimed.id))
    with pytest.raises(TaskKnownError):
        case.save(claimed, submit_started_at=case.clock())
    assert case.row(claimed).submit_started_at is None


def test_a_second_task_id_changes_nothing_and_is_told(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    saved = case.store.generations.save_task_id(generation.id, "", "task-2")
    assert (saved, case.row(generation).task_id) == (TaskIdResult.ROW_HAS_OTHER, "task-1")
    assert case.events(generation)[-1] == "task_id.conflict"


def test_a_task_id_of_another_generation_changes_nothing_and_is_told(case: StoreCase) -> None:
    case.add_submitted("task-1")
    second = case.add()
    saved = case.store.generations.save_task_id(second.id, "", "task-1")
    assert (saved, case.row(second).task_id) == (TaskIdResult.TAKEN, None)
    assert case.events(second)[-1] == "task_id.conflict"


def test_a_task_id_takes_the_callbacks_that_waited_for_it(case: StoreCase) -> None:
    generation = case.claim(case.add())
    case.store.inbox.accept(received())
    case.store.generations.save_task_id(generation.id, generation.lease_token or "", "task-1")
    row = case.row(generation)
    assert (row.announced_state, row.due_at) == ("success", case.clock())
    assert [one["verdict"] for one in case.queries.callbacks_of(row)] == ["accepted"]


def test_a_deletion_takes_all_that_belongs_to_a_generation(case: StoreCase) -> None:
    other = case.add_submitted("task-2")
    claimed = case.claim(case.add_submitted("task-1"))
    case.store.inbox.accept(received())
    case.save(claimed, assets=(Asset(position=0),))
    case.store.generations.delete(claimed.id, claimed.lease_token or "")
    counts = {name: case.count(name) for name in ("generations", "assets", "callbacks", "events")}
    assert counts == {"generations": 1, "assets": 0, "callbacks": 0, "events": 1}
    assert case.row(other) == other


def test_a_deletion_needs_the_lease(case: StoreCase) -> None:
    generation = case.add()
    with pytest.raises(LeaseLostError):
        case.store.generations.delete(generation.id, "nobody's")
    assert case.count("generations") == 1


@pytest.mark.parametrize("seconds", [0, 61])
def test_news_leave_a_row_as_it_is(case: StoreCase, seconds: int) -> None:
    """A dead worker's lease, too: who takes it over has to see it."""
    generation = case.add()
    before = case.claim(generation) if seconds else case.row(generation)
    case.clock.advance(seconds)
    case.store.generations.tell(generation.id, Event("asset.restored"))
    assert case.row(generation) == before
    assert case.events(generation)[-1] == "asset.restored"


def test_what_a_worker_holds_or_has_deleted_takes_no_news(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    with pytest.raises(HeldError):
        case.store.generations.tell(claimed.id, Event("asset.restored"))
    case.store.generations.delete(claimed.id, claimed.lease_token or "")
    with pytest.raises(KeyError):
        case.store.generations.tell(claimed.id, Event("asset.restored"))
    assert case.count("events") == 0


def test_a_decision_that_ends_a_dead_lease_leaves_the_row_due(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.clock.advance(61)
    after = case.store.generations.act(claimed.id, lambda row: Change(row.evolve(progress=1)))
    row = case.row(claimed)
    assert (row.lease_token, row.crashes, row.progress) == (None, 1, 1)
    assert row.due_at == after.due_at == case.clock()


def test_a_deleted_generation_takes_no_more_news(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.generations.delete(claimed.id, claimed.lease_token or "")
    case.store.generations.wake(claimed.id)
    saved = case.store.generations.save_task_id(claimed.id, "", "task-1")
    assert (saved, case.count("generations")) == (TaskIdResult.SAVED, 0)


@pytest.mark.parametrize(("seconds_ago", "wakes"), [(1.9, False), (2, True), (None, True)])
def test_a_sync_wakes_only_what_was_not_asked_about_just_now(
    case: StoreCase, seconds_ago: float | None, wakes: bool
) -> None:
    now = case.clock()
    asked_at = now - timedelta(seconds=seconds_ago) if seconds_ago else None
    generation = case.add_submitted("task-1", due_at=None, asked_at=asked_at)
    asked_before = now - timedelta(seconds=2)
    assert case.store.generations.wake(generation.id, asked_before=asked_before) is wakes


def test_a_sync_does_not_wake_what_somebody_holds(case: StoreCase) -> None:
    held = case.claim(case.add_submitted("task-1"))
    assert not case.store.generations.wake(held.id, asked_before=case.clock())
    assert case.row(held).due_at is None


def test_a_row_that_cannot_be_read_is_left_out_of_a_page(case: StoreCase) -> None:
    first, odd, last = case.add(), case.add(), case.add()
    with case.store.database.write() as connection:
        change = f"UPDATE generations SET result_urls = '17' WHERE id = '{odd.id}'"
        connection.exec_driver_sql(change)
    assert [one.id for one in case.queries.page().items] == sorted([first.id, last.id])[::-1]
