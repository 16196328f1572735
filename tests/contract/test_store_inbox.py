"""Callbacks: their verdicts, what they wake, and how much of them is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import CallbackError
from core.generation.model import Generation, Status
from core.ids import new_id
from core.store.generations import TaskIdResult
from core.store.inbox import KEPT_OF_ONE, STRANGERS_PER_HOUR, TOO_MANY, Verdict
from core.store.tables import refusals
from tests.contract.conftest import StoreCase, received

REFUSAL = CallbackError("signature.bad", "the signature is wrong")


def verdicts(case: StoreCase, generation: Generation) -> list[str]:
    return [callback["verdict"] for callback in case.queries.callbacks_of(generation)]


def test_an_accepted_callback_wakes_its_generation(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=None, attempts=5)
    assert case.store.inbox.accept(received()) is Verdict.ACCEPTED
    row = case.row(generation)
    assert (row.due_at, row.announced_at, row.attempts) == (case.clock(), case.clock(), 0)
    assert row.announced_state == "success"


def test_the_same_callback_again_is_a_duplicate_and_wakes_nobody(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=None)
    case.store.inbox.accept(received())
    case.release(case.claim(generation), due_at=None)
    assert case.store.inbox.accept(received()) is Verdict.DUPLICATE
    assert case.row(generation).due_at is None
    assert verdicts(case, generation) == ["accepted", "duplicate"]


@pytest.mark.parametrize("difference", [{"stage": "text"}, {"body_sha256": "another"}])
def test_another_stage_or_body_is_no_duplicate(case: StoreCase, difference: dict[str, str]) -> None:
    case.add_submitted("task-1")
    case.store.inbox.accept(received())
    assert case.store.inbox.accept(received(**difference)) is Verdict.ACCEPTED


def test_of_eight_equal_callbacks_at_once_one_is_accepted(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    stores = [case.store, case.open()]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: stores[n % 2].inbox.accept(received()), range(8)))
    assert sorted(told) == ["accepted"] + ["duplicate"] * 7
    assert case.events(generation).count("callback.accepted") == 1


def test_a_callback_of_an_unknown_task_is_kept_and_changes_nothing(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    assert case.store.inbox.accept(received("task-2")) is Verdict.UNMATCHED
    assert case.store.inbox.accept(received("task-2")) is Verdict.UNMATCHED
    assert (case.count("callbacks"), case.row(generation)) == (2, generation)


def test_the_sweep_finds_a_callback_that_just_missed_its_generation(case: StoreCase) -> None:
    case.store.inbox.accept(received())
    generation = case.add_submitted("task-1", due_at=None)  # written at the same moment
    assert case.store.sweep_unmatched() == 1
    assert case.row(generation).due_at == case.clock()
    assert (verdicts(case, generation), case.store.sweep_unmatched()) == (["accepted"], 0)


@pytest.mark.parametrize(("minutes", "matched"), [(9, 1), (11, 0)])
def test_the_sweep_looks_back_ten_minutes(case: StoreCase, minutes: int, matched: int) -> None:
    case.store.inbox.accept(received())
    case.add_submitted("task-1")
    case.clock.advance(minutes * 60)
    assert case.store.sweep_unmatched() == matched


def test_a_callback_brings_a_task_id_to_be_confirmed(case: StoreCase) -> None:
    generation = case.add(submit_started_at=case.clock(), due_at=None)
    case.store.inbox.accept(received("task-9", generation_id=generation.id))
    row = case.row(generation)
    assert (row.task_id, row.candidate_task_id, row.due_at) == (None, "task-9", case.clock())


def test_the_newest_task_that_a_callback_named_is_to_be_confirmed(case: StoreCase) -> None:
    generation = case.add(submit_started_at=case.clock(), candidate_task_id="planted")
    case.store.inbox.accept(received("task-9", generation_id=generation.id))
    assert case.row(generation).candidate_task_id == "task-9"


def test_a_callback_about_another_task_is_a_finding(case: StoreCase) -> None:
    generation = case.add(submit_started_at=case.clock(), task_id="task-1")
    verdict = case.store.inbox.accept(received("task-9", generation_id=generation.id))
    assert (verdict, case.row(generation)) == (Verdict.ACCEPTED, generation)
    assert case.events(generation)[-1] == "callback.foreign"


def test_a_credential_of_one_generation_opens_no_other_one(case: StoreCase) -> None:
    mine, other = case.add(due_at=None), case.add_submitted("task-1", due_at=None)
    case.store.inbox.accept(received("task-1", generation_id=mine.id))
    assert (case.row(mine), case.row(other)) == (mine, other)


@pytest.mark.parametrize(
    ("status", "code", "woken"),
    [
        (Status.FAILED, "provider.failed", False),
        (Status.FAILED, "provider.402", False),
        (Status.FAILED, "media.gone", True),
        (Status.FAILED, "submit.unknown", True),
    ],
)
def test_only_what_may_still_change_is_woken(
    case: StoreCase, status: Status, code: str, woken: bool
) -> None:
    generation = case.add_submitted("task-1", status=status, error_code=code, due_at=None)
    assert case.store.inbox.accept(received()) is Verdict.ACCEPTED
    assert (case.row(generation).due_at is not None) == woken


def test_a_refused_callback_is_kept_and_changes_nothing(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=case.clock() + timedelta(hours=1))
    for credential in (True, False):
        callback = received(generation_id=generation.id)
        case.store.inbox.refuse(callback, REFUSAL, credential=credential)
    assert case.row(generation) == generation
    assert verdicts(case, generation) == ["refused", "refused"]
    assert case.queries.callbacks_of(generation)[0]["reason"] == "signature.bad"


def test_a_refused_callback_does_not_hide_the_real_one(case: StoreCase) -> None:
    case.add_submitted("task-1")
    case.store.inbox.refuse(received(), REFUSAL, credential=False)
    assert case.store.inbox.accept(received()) is Verdict.ACCEPTED


def test_of_a_strangers_body_two_kibibytes_are_kept(case: StoreCase) -> None:
    big = received(body="ü" * 500_000)
    case.store.inbox.accept(big)
    case.store.inbox.refuse(big, REFUSAL, credential=False)
    with case.store.database.read() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM callbacks").scalars().all()
    assert [len(body.encode()) <= 2048 for body in bodies] == [True, True]


def fill_the_hour(case: StoreCase, credential: bool) -> None:
    """As many refusals as an hour may keep, less one."""
    case.store.inbox.refuse(received(), REFUSAL, credential=credential)
    with case.store.database.write() as connection:
        filled = sa.update(refusals).where(refusals.c.credential == credential)
        connection.execute(filled.values(count=STRANGERS_PER_HOUR - 1))


@pytest.mark.parametrize("credential", [True, False])
def test_a_thousand_refusals_an_hour_are_kept_and_the_rest_counted(
    case: StoreCase, credential: bool
) -> None:
    fill_the_hour(case, credential)
    for reason in ("body.not_json", "signature.bad", "signature.bad"):
        case.store.inbox.refuse(received(), CallbackError(reason, ""), credential=credential)
    assert case.count("callbacks") == 2  # the one of filling, and the 1,000th
    with case.store.database.read() as connection:
        counted = connection.exec_driver_sql("SELECT sum(count) FROM refusals").scalar_one()
    assert counted == STRANGERS_PER_HOUR + 2


def test_a_flood_without_credential_leaves_room_for_those_with_one(case: StoreCase) -> None:
    fill_the_hour(case, credential=False)
    for _ in range(3):
        case.store.inbox.refuse(received(), REFUSAL, credential=False)
    case.store.inbox.refuse(received(), REFUSAL, credential=True)
    assert case.store.inbox.accept(received()) is Verdict.UNMATCHED
    assert case.count("callbacks") == 4


def test_unmatched_callbacks_beyond_the_thousand_are_only_counted(case: StoreCase) -> None:
    fill_the_hour(case, credential=True)
    for number in range(3):
        assert case.store.inbox.accept(received(f"task-{number}")) is Verdict.UNMATCHED
    assert case.count("callbacks") == 2


def test_a_flood_does_not_keep_real_callbacks_out(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=None)
    fill_the_hour(case, credential=True)
    case.store.inbox.refuse(received("x"), REFUSAL, credential=True)
    assert case.store.inbox.accept(received()) is Verdict.ACCEPTED
    assert case.row(generation).due_at == case.clock()


def test_the_next_hour_has_room_again(case: StoreCase) -> None:
    fill_the_hour(case, credential=False)
    for _ in range(2):
        case.store.inbox.refuse(received(), REFUSAL, credential=False)
    case.clock.advance(3600)
    case.store.inbox.refuse(received(), REFUSAL, credential=False)
    assert case.count("callbacks") == 3


def test_a_duplicate_is_kept_without_its_body(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    for _ in range(2):
        case.store.inbox.accept(received(body="{}"))
    assert [row["body"] for row in case.queries.callbacks_of(generation)] == ["{}", ""]


def test_a_callback_kept_for_another_generation_does_not_shadow_the_right_one(
    case: StoreCase,
) -> None:
    right, other = case.add_submitted("task-1", due_at=None), case.add_submitted("task-2")
    case.store.inbox.accept(received("task-1", generation_id=other.id))
    case.store.inbox.accept(received("task-1", generation_id=new_id()))
    assert case.store.inbox.accept(received("task-1", generation_id=right.id)) is Verdict.ACCEPTED
    assert case.row(right).due_at == case.clock()


def test_a_callback_for_a_generation_that_is_gone_finds_no_other_one(case: StoreCase) -> None:
    case.store.inbox.accept(received("task-1", generation_id=new_id()))
    case.add_submitted("task-1")
    assert case.store.sweep_unmatched() == 0


def test_a_finding_makes_nothing_a_duplicate(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=None)
    for _ in range(2):
        case.store.inbox.accept(received("task-9", generation_id=generation.id))
    assert verdicts(case, generation) == ["accepted", "accepted"]


def test_findings_are_bounded_like_refusals(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    fill_the_hour(case, credential=True)
    told = [
        case.store.inbox.accept(
            received("task-9", generation_id=generation.id, body_sha256=str(number))
        )
        for number in range(3)
    ]
    assert told == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.REFUSED]
    assert case.count("callbacks") == 2  # the one of filling, and the 1,000th


@pytest.mark.parametrize("by", ["token", "secret"])
@pytest.mark.parametrize("varies", [True, False])
def test_who_holds_one_generations_credential_makes_its_rows_grow_to_a_bound(
    case: StoreCase, varies: bool, by: str
) -> None:
    generation = case.add_submitted("task-1", due_at=None)
    opens = generation.id if by == "token" else None
    events = case.count("events")
    told = [
        case.store.inbox.accept(
            received(body_sha256=str(number * varies), body="x" * 9000, generation_id=opens)
        )
        for number in range(KEPT_OF_ONE + 3)
    ]
    again = Verdict.ACCEPTED if varies else Verdict.DUPLICATE
    assert told == [Verdict.ACCEPTED] + [again] * (KEPT_OF_ONE - 1) + [Verdict.REFUSED] * 3
    assert case.count("callbacks") == KEPT_OF_ONE
    assert case.count("events") == events + (KEPT_OF_ONE if varies else 1)
    with case.store.database.read() as connection:
        counted = connection.execute(sa.select(refusals.c.reason, refusals.c.count)).all()
    assert counted == [(TOO_MANY, 3)]


def test_beyond_that_bound_a_callback_changes_nothing(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", due_at=None)
    for _ in range(KEPT_OF_ONE):
        case.store.inbox.accept(received(generation_id=generation.id))
    case.release(case.claim(generation), due_at=None)
    news = received(generation_id=generation.id, body_sha256="news")
    assert case.store.inbox.accept(news) is Verdict.REFUSED
    assert case.row(generation).due_at is None


def test_what_strangers_send_in_its_name_takes_no_room_from_a_generation(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    for _ in range(KEPT_OF_ONE):
        refused = received(generation_id=generation.id)
        case.store.inbox.refuse(refused, REFUSAL, credential=False)
    assert case.store.inbox.accept(received(generation_id=generation.id)) is Verdict.ACCEPTED
    assert verdicts(case, generation)[-1] == "accepted"


def test_the_same_callback_by_secret_and_by_token_is_matched_once(case: StoreCase) -> None:
    generation = case.add(submit_started_at=case.clock())
    case.store.inbox.accept(received("task-9"))
    case.store.inbox.accept(received("task-9", generation_id=generation.id))
    told = case.store.generations.save_task_id(generation.id, "", "task-9")
    assert told is TaskIdResult.SAVED
    assert sorted(verdicts(case, generation)) == ["accepted", "duplicate"]


def test_callbacks_make_kie_be_asked_once_in_two_seconds(case: StoreCase) -> None:
    asked_at = case.clock() - timedelta(seconds=0.5)
    generation = case.add_submitted("task-1", due_at=None, asked_at=asked_at)
    case.store.inbox.accept(received())
    assert case.row(generation).due_at == asked_at + timedelta(seconds=2)
