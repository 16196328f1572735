"""What is old goes, what is needed stays, and nobody loses a file by it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import CallbackError
from core.generation.model import Asset, Change, Event, Generation, Status
from core.store.address import is_sqlite
from core.store.inbox import Verdict
from core.store.outdated import ANSWERED, BATCH, ENDED, START, STRANGE
from core.store.retention import Pruned, Retention
from core.store.store import Store
from core.store.tables import (
    HISTORY_UNCHECKED,
    IS_AT_REST,
    IS_NOT_EMPTIED,
    callbacks,
    cohorts,
    generations,
    refusals,
)
from tests.contract.conftest import StoreCase, received

DAY = 86_400
KEPT = timedelta(days=90)
DELIVERED: dict[str, Any] = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a"}
GAVE_UP: dict[str, Any] = {"status": Status.FAILED, "error_code": "provider.timeout"}
REFUSAL = CallbackError("signature.wrong", "the signature is wrong")
NOTHING = Pruned()


def retention(case: StoreCase, store: Store | None = None, kept: timedelta = KEPT) -> Retention:
    database = (store or case.store).database
    return Retention(database, case.clock, kept, pause=lambda seconds: None)


def prune(case: StoreCase, **options: Any) -> Pruned:
    return retention(case).prune(**options)


def end(case: StoreCase, generation: Generation, *told: str, **changes: Any) -> Generation:
    claimed = case.claim(generation)
    news = tuple(map(Event, told))
    change = Change(claimed.evolve(due_at=None, **changes), news)
    assert case.store.generations.release(claimed.lease_token or "", claimed, change)
    return case.row(generation)


def add_ended(case: StoreCase, task_id: str = "task-1", **changes: Any) -> Generation:
    """A generation with two events and an accepted callback, ended just now."""
    generation = case.add_submitted(task_id)
    headers = {"User-Agent": "kie"}
    case.store.inbox.accept(received(task_id, body='{"data": 1}', headers=headers))
    return end(case, generation, **(DELIVERED | changes))


def kept_callbacks(case: StoreCase) -> list[Mapping[str, Any]]:
    with case.store.database.read() as connection:
        rows = connection.execute(sa.select(callbacks).order_by(callbacks.c.id)).mappings().all()
    return list(rows)


def test_an_old_timeline_becomes_one_line(case: StoreCase) -> None:
    generation = add_ended(case)
    case.clock.advance(91 * DAY)
    assert prune(case) == Pruned(generations=1, events=2, emptied=1)
    (line,) = case.queries.events_of(generation)
    assert (line["name"], line["detail"]) == ("history.pruned", {"events": 2})


def test_of_an_old_callback_stays_that_it_came(case: StoreCase) -> None:
    add_ended(case)
    (before,) = kept_callbacks(case)
    case.clock.advance(91 * DAY)
    prune(case)
    assert kept_callbacks(case) == [{**before, "headers": {}, "body": ""}]


def test_generation_and_files_stay_as_they_were(case: StoreCase) -> None:
    file = Asset(position=0, path="a", url="https://ours.test/a", stored_at=case.clock())
    before = add_ended(case, assets=(file,))
    case.clock.advance(91 * DAY)
    prune(case)
    assert case.row(before) == before


@pytest.mark.parametrize(("seconds", "gone"), [(-1, 0), (0, 0), (1, 1)])
def test_it_goes_ninety_days_after_the_last_change(
    case: StoreCase, seconds: int, gone: int
) -> None:
    generation = case.add_submitted("task-1")
    case.clock.advance(DAY)
    end(case, generation, **DELIVERED)
    case.clock.advance(90 * DAY + seconds)
    assert prune(case).generations == gone


@pytest.mark.parametrize(
    "changes",
    [
        {"assets": (Asset(position=0),)},
        {"assets": (Asset(position=0, role="watermark", error_code="media.gone"),)},
        {**GAVE_UP, "assets": (Asset(position=0, error_code="media.gone"),)},
    ],
    ids=["wanted", "extra file lost", "main file lost"],
)
def test_a_generation_with_a_file_not_stored_keeps_everything(
    case: StoreCase, changes: dict[str, Any]
) -> None:
    generation = add_ended(case, **changes)
    before = (case.events(generation), kept_callbacks(case))
    case.clock.advance(400 * DAY)
    assert prune(case) == NOTHING
    assert (case.events(generation), kept_callbacks(case)) == before


def test_what_is_open_keeps_everything(case: StoreCase) -> None:
    case.add_submitted("task-1", due_at=None)
    case.store.inbox.accept(received(body='{"data": 1}'))
    case.clock.advance(400 * DAY)
    assert prune(case) == NOTHING


def test_what_somebody_is_to_look_at_keeps_everything(case: StoreCase) -> None:
    due, held = (add_ended(case, task_id) for task_id in ("task-1", "task-2"))
    case.clock.advance(91 * DAY)
    assert case.store.generations.wake(due.id)
    assert case.store.generations.wake(held.id)
    case.claim(held)
    assert prune(case) == NOTHING


@pytest.mark.parametrize(("days", "gone"), [(8, 0), (14.9, 0), (15.1, 1)])
def test_a_giving_up_is_kept_while_its_file_may_turn_up(
    case: StoreCase, days: float, gone: int
) -> None:
    add_ended(case, **GAVE_UP)
    case.clock.advance(days * DAY)
    assert retention(case, kept=timedelta(days=1)).prune().generations == gone


def test_a_failure_at_kie_is_kept_no_longer_than_asked(case: StoreCase) -> None:
    add_ended(case, status=Status.FAILED, error_code="provider.failed")
    case.clock.advance(1.1 * DAY)
    pruned = retention(case, kept=timedelta(days=1)).prune()
    assert pruned == Pruned(generations=1, events=2, emptied=1)


def test_a_failure_without_a_code_counts_as_final(case: StoreCase) -> None:
    add_ended(case, status=Status.FAILED)
    case.clock.advance(91 * DAY)
    assert prune(case).generations == 1


def test_rows_of_other_providers_are_left_alone(case: StoreCase) -> None:
    generation = add_ended(case)
    with case.store.database.write() as connection:
        connection.execute(sa.update(generations).values(provider="other"))
    case.clock.advance(91 * DAY)
    assert prune(case) == NOTHING
    assert case.events(generation) == ["generation.created", "callback.accepted"]


def test_ids_that_stand_nowhere_else_stay(case: StoreCase) -> None:
    generation = case.add_submitted("task-1")
    end(case, generation, "task_id.conflict", "told", **DELIVERED)
    case.clock.advance(91 * DAY)
    prune(case)
    assert case.events(generation) == ["task_id.conflict", "history.pruned"]


def test_what_was_pruned_is_not_looked_at_again(case: StoreCase) -> None:
    add_ended(case)
    case.clock.advance(91 * DAY)
    prune(case)
    assert (prune(case), prune(case, dry_run=True)) == (NOTHING, NOTHING)


def test_what_changes_after_that_is_pruned_once_more(case: StoreCase) -> None:
    generation = add_ended(case, **GAVE_UP)
    case.clock.advance(91 * DAY)
    prune(case)
    case.store.generations.wake(generation.id)
    end(case, generation, "generation.delivered", **DELIVERED)
    case.clock.advance(91 * DAY)
    assert prune(case) == Pruned(generations=1, events=1)
    assert case.events(generation) == ["history.pruned", "history.pruned"]


def test_a_file_that_was_stored_after_all_keeps_the_history_no_longer(case: StoreCase) -> None:
    lost = Asset(position=0, error_code="media.gone")
    generation = add_ended(case, **GAVE_UP, assets=(lost,))
    case.clock.advance(91 * DAY)
    prune(case)
    case.store.generations.wake(generation.id)
    stored = Asset(position=0, stored_at=case.clock())
    end(case, generation, **DELIVERED, assets=(stored,))
    case.clock.advance(91 * DAY)
    assert prune(case).generations == 1


def test_a_repeat_is_known_by_what_is_left(case: StoreCase) -> None:
    add_ended(case)
    case.clock.advance(91 * DAY)
    prune(case)
    assert case.store.inbox.accept(received()) is Verdict.DUPLICATE


def test_duplicates_go_with_the_history(case: StoreCase) -> None:
    add_ended(case)
    case.store.inbox.accept(received())
    case.clock.advance(89 * DAY)
    assert prune(case) == NOTHING
    case.clock.advance(2 * DAY)
    assert prune(case) == Pruned(generations=1, events=2, emptied=1, callbacks=1)
    assert [row["verdict"] for row in kept_callbacks(case)] == ["accepted"]


def test_a_callback_about_another_task_goes_with_its_generation(case: StoreCase) -> None:
    generation = add_ended(case)
    case.store.inbox.accept(received("task-9", generation_id=generation.id, body="{}"))
    case.clock.advance(91 * DAY)
    assert prune(case).emptied == 2


def test_a_callback_is_kept_for_every_generation_that_it_names(case: StoreCase) -> None:
    mine, _open = add_ended(case), case.add_submitted("task-2")
    case.store.inbox.accept(received("task-2", generation_id=mine.id, body="{}"))
    case.clock.advance(91 * DAY)
    assert prune(case).emptied == 1


@pytest.mark.parametrize(("seconds", "gone"), [(-1, 0), (0, 0), (1, 3)])
def test_strangers_go_after_fifteen_days(case: StoreCase, seconds: int, gone: int) -> None:
    generation = case.add_submitted("task-1")
    for _ in range(2):  # unmatched, and its duplicate
        case.store.inbox.accept(received("task-9"))
    refused = received(generation_id=generation.id, body="")
    case.store.inbox.refuse(refused, REFUSAL, credential=False)
    case.clock.advance(15 * DAY + seconds)
    assert prune(case) == Pruned(callbacks=gone)
    assert len(kept_callbacks(case)) == 3 - gone


def test_strangers_are_kept_for_fifteen_days_whatever_the_setting(case: StoreCase) -> None:
    for _ in range(2):
        case.store.inbox.accept(received("task-9"))
    case.clock.advance(14 * DAY)
    assert retention(case, kept=timedelta(days=1)).prune() == NOTHING


def test_callbacks_of_a_generation_that_is_gone_go(case: StoreCase) -> None:
    generation = add_ended(case)
    case.store.inbox.accept(received())
    with case.store.database.write() as connection:  # by hand: we delete its callbacks as well
        connection.execute(sa.delete(generations).where(generations.c.id == generation.id))
    case.clock.advance(14 * DAY)
    assert retention(case, kept=timedelta(days=1)).prune() == NOTHING
    case.clock.advance(77 * DAY)
    assert (prune(case), kept_callbacks(case)) == (Pruned(callbacks=2), [])


@pytest.mark.parametrize(("days", "gone"), [(89, 0), (91, 1)])
def test_counts_of_refusals_go_after_ninety_days(case: StoreCase, days: int, gone: int) -> None:
    with case.store.database.write() as connection:
        count = {"hour": case.clock(), "reason": "r", "credential": True, "count": 7}
        connection.execute(sa.insert(refusals), count)
    case.clock.advance(days * DAY)
    assert prune(case).counts == gone
    assert case.count("refusals") == 1 - gone


def test_a_dry_run_tells_the_same_and_changes_nothing(case: StoreCase) -> None:
    generation = add_ended(case)
    add_ended(case, "task-2", assets=(Asset(position=0),))
    for task_id in ("task-1", "task-9", "task-9"):
        case.store.inbox.accept(received(task_id))
    case.clock.advance(91 * DAY)
    before = (case.events(generation), kept_callbacks(case), case.count("refusals"))
    told = prune(case, dry_run=True)
    assert (case.events(generation), kept_callbacks(case), case.count("refusals")) == before
    assert told == prune(case) == Pruned(1, 2, 1, 3, 1)


def add_many(case: StoreCase, number: int) -> None:
    """Ended generations of one moment, each with one event."""
    with case.store.database.write() as connection:
        for index in range(number):
            fields = {"task_id": f"task-{index}", "due_at": None, **DELIVERED}
            case.store.generations._add(connection, case.new(**fields), None)


def test_many_go_in_several_transactions(case: StoreCase) -> None:
    add_many(case, 2 * BATCH + 1)
    case.clock.advance(91 * DAY)
    heard: list[int] = []
    pruned = prune(case, progress=lambda so_far: heard.append(so_far.generations))
    assert pruned.generations == 2 * BATCH + 1
    assert heard[1:4] == [BATCH, 2 * BATCH, 2 * BATCH + 1]


def test_what_is_too_much_at_a_time_is_left_for_the_next(case: StoreCase) -> None:
    add_many(case, BATCH + 1)
    case.clock.advance(91 * DAY)
    assert [prune(case, batches=1).generations for _ in range(3)] == [BATCH, 1, 0]


def test_two_at_once_share_the_work(case: StoreCase) -> None:
    add_many(case, 3 * BATCH)
    case.clock.advance(91 * DAY)
    both = [retention(case), retention(case, case.open())]
    with ThreadPoolExecutor(2) as pool:
        pruned = list(pool.map(lambda one: one.prune(), both))
    assert sum(one.generations for one in pruned) + prune(case).generations == 3 * BATCH
    with case.store.database.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM events").scalars().all()
    assert names == ["history.pruned"] * 3 * BATCH


def test_what_comes_after_pruning_is_counted(case: StoreCase) -> None:
    add_ended(case)
    case.store.rollup.fold()
    case.clock.advance(91 * DAY)
    case.store.rollup.fold()
    prune(case)
    case.clock.advance(DAY)
    case.store.rollup.fold()
    case.add(model="new")
    case.clock.advance(10)
    case.store.rollup.fold()
    with case.store.database.read() as connection:
        counted = connection.execute(sa.select(cohorts.c.model, cohorts.c.generations)).all()
    assert sorted(map(tuple, counted)) == [("m", 1), ("new", 1)]


def plan_of(case: StoreCase, question: sa.Select[*tuple[Any, ...]]) -> str:
    """How the database would look for it, in its words."""
    start = {"after_at": START.at, "after_id": START.id}
    asked = question.params(before=case.clock(), strange_before=case.clock(), **start)
    explain = "EXPLAIN QUERY PLAN" if is_sqlite(case.url) else "EXPLAIN"
    with case.store.database.read() as connection:
        if not is_sqlite(case.url):  # of a few rows it would read all
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        sql = asked.compile(connection, compile_kwargs={"literal_binds": True})
        rows = connection.exec_driver_sql(f"{explain} {sql}").all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (ENDED, "ix_generations_history_unchecked"),
        (STRANGE, "ix_callbacks_strange"),
        (ANSWERED, "ix_callbacks_not_emptied"),
    ],
    ids=["ended", "strange", "answered"],
)
def test_the_old_is_found_by_its_index(
    case: StoreCase, question: sa.Select[*tuple[Any, ...]], index: str
) -> None:
    plan = plan_of(case, question)
    assert index in plan
    # Of files, few as they are here, PostgreSQL 18 reads all that are not stored.
    whole = ("SCAN generations", "Seq Scan on generations", "Seq Scan on callbacks")
    assert not [each for each in whole if each in plan]


def test_what_was_pruned_is_in_no_index_that_is_looked_through(case: StoreCase) -> None:
    add_ended(case)
    add_ended(case, "task-2", assets=(Asset(position=0),))
    case.store.inbox.accept(received())
    case.clock.advance(91 * DAY)
    prune(case)
    unchecked = sa.select(generations.c.task_id).where(IS_AT_REST, HISTORY_UNCHECKED)
    not_emptied = sa.select(callbacks.c.task_id).where(IS_NOT_EMPTIED)
    with case.store.database.read() as connection:
        assert connection.scalars(unchecked).all() == []
        assert connection.scalars(not_emptied).all() == ["task-2"]
