"""Who may work on what, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.generation.model import Generation
from core.ids import new_token
from core.store.claims import Lane
from tests.contract.conftest import StoreCase

SECOND = timedelta(seconds=1)
EVEN, ODD = "a0", "a1"  # the last digit of a token says which queue has its turn


def set_aside(case: StoreCase, crashes: int, dead_for: timedelta = SECOND) -> Generation:
    """A generation whose holder has died."""
    until = case.clock() - dead_for
    return case.add_submitted(
        "task-x", crashes=crashes, due_at=None, lease_token="dead", lease_until=until
    )


@pytest.mark.parametrize(
    ("due_in", "claimable"), [(-SECOND, True), (timedelta(), True), (SECOND, False), (None, False)]
)
def test_what_is_due_can_be_claimed(
    case: StoreCase, due_in: timedelta | None, claimable: bool
) -> None:
    due_at = None if due_in is None else case.clock() + due_in
    generation = case.add(due_at=due_at)
    assert (case.store.claims.claim(generation.id, new_token()) is not None) == claimable


def test_a_claim_takes_the_lease_and_the_due_time(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    assert claimed.lease_until == case.clock() + timedelta(seconds=60)
    assert (claimed.due_at, claimed.crashes) == (None, 0)
    assert case.row(claimed) == claimed


@pytest.mark.parametrize(("seconds", "claimable"), [(59, False), (60, False), (61, True)])
def test_a_lease_is_taken_over_only_when_it_is_dead(
    case: StoreCase, seconds: float, claimable: bool
) -> None:
    claimed = case.claim(case.add())
    case.clock.advance(seconds)
    assert (case.store.claims.claim(claimed.id, new_token()) is not None) == claimable


def test_a_wake_up_does_not_open_a_held_lease(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.generations.wake(claimed.id)
    assert case.store.claims.claim(claimed.id, new_token()) is None


def test_a_take_over_counts_a_crash_and_a_release_counts_nothing(case: StoreCase) -> None:
    generation = case.add()
    case.release(case.claim(generation), due_at=case.clock())
    assert case.claim(generation).crashes == 0
    case.clock.advance(61)
    assert case.claim(generation).crashes == 1


def test_a_handed_back_lease_counts_nothing(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.claims.hand_back(claimed.id, claimed.lease_token or "", after=timedelta())
    assert case.claim(claimed).crashes == 0


def test_a_strangers_token_hands_nothing_back(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.store.claims.hand_back(claimed.id, "nobody's", after=timedelta())
    assert case.row(claimed) == claimed


def test_an_expired_lease_that_is_still_mine_is_renewed(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    token = claimed.lease_token or ""
    case.clock.advance(3600)
    assert case.store.claims.renew([token, "unknown"]) == {token}
    assert case.row(claimed).lease_until == case.clock() + timedelta(seconds=60)


def test_a_lease_that_was_taken_over_is_not_renewed(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.clock.advance(61)
    successor = case.claim(claimed)
    assert case.store.claims.renew([claimed.lease_token or ""]) == set()
    assert case.row(claimed).lease_token == successor.lease_token


def test_dead_leases_come_first(case: StoreCase) -> None:
    dead = case.claim(case.add_submitted("task-1"))
    case.clock.advance(61)
    case.add_submitted("task-2", due_at=case.clock() - timedelta(days=1))
    case.add_submitted("task-3", expires_at=case.clock())
    claimed = case.store.claims.claim_next(Lane.DELIVER, new_token())
    assert claimed is not None
    assert claimed.id == dead.id


def test_what_dies_first_and_what_waits_longest_take_turns(case: StoreCase) -> None:
    now = case.clock()
    for number in range(4):
        case.add_submitted(f"old-{number}", due_at=now - timedelta(hours=9 - number))
        case.add_submitted(f"dying-{number}", expires_at=now + timedelta(hours=number))
    claimed = [case.store.claims.claim_next(Lane.DELIVER, f"{n}{ODD}") for n in range(3)]
    claimed += [case.store.claims.claim_next(Lane.DELIVER, f"{n}{EVEN}") for n in range(3)]
    tasks = [one.task_id for one in claimed if one is not None]
    assert tasks == ["dying-0", "dying-1", "dying-2", "old-0", "old-1", "old-2"]


@pytest.mark.parametrize("token", [EVEN, ODD])
def test_a_turn_without_work_falls_to_the_other_queue(case: StoreCase, token: str) -> None:
    case.add_submitted("task-1")
    assert case.store.claims.claim_next(Lane.DELIVER, token) is not None


def test_lanes_do_not_take_each_others_work(case: StoreCase) -> None:
    new, made = case.add(), case.add_submitted("task-1")
    unknown = case.add(submit_started_at=case.clock())
    submit = [case.store.claims.claim_next(Lane.SUBMIT, new_token()) for _ in range(2)]
    deliver = [case.store.claims.claim_next(Lane.DELIVER, new_token()) for _ in range(3)]
    assert [one and one.id for one in submit] == [new.id, None]
    assert {one and one.id for one in deliver} == {made.id, unknown.id, None}


def test_announced_only_leaves_the_rest_to_others(case: StoreCase) -> None:
    case.add_submitted("task-1")
    announced = case.add_submitted("task-2", announced_at=case.clock())
    new = case.add()
    for lane, expected in [(Lane.DELIVER, announced.id), (Lane.SUBMIT, new.id)]:
        claimed = case.store.claims.claim_next(lane, new_token(), announced_only=True)
        assert claimed is not None
        assert claimed.id == expected
        assert case.store.claims.claim_next(lane, new_token(), announced_only=True) is None


@pytest.mark.parametrize(("crashes", "aside"), [(1, False), (2, True), (3, True)])
def test_the_third_take_over_sets_a_generation_aside(
    case: StoreCase, crashes: int, aside: bool
) -> None:
    generation = set_aside(case, crashes, timedelta(hours=2))
    assert case.store.claims.has_set_aside() == aside
    assert (case.store.claims.claim_next(Lane.DELIVER, new_token()) is None) == aside
    assert (case.store.claims.claim(generation.id, new_token()) is None) or not aside


def test_what_is_set_aside_is_tried_alone_at_once_and_counted(case: StoreCase) -> None:
    set_aside(case, crashes=2)
    claimed = case.store.claims.claim_set_aside(new_token())
    assert claimed is not None
    assert claimed.crashes == 3
    assert case.store.claims.claim_set_aside(new_token()) is None


@pytest.mark.parametrize(("minutes", "again"), [(59, False), (60, False), (61, True)])
def test_what_crashed_alone_is_tried_again_an_hour_later(
    case: StoreCase, minutes: float, again: bool
) -> None:
    set_aside(case, crashes=3, dead_for=timedelta(minutes=minutes))
    assert case.store.claims.has_set_aside() == again
    assert (case.store.claims.claim_set_aside(new_token()) is not None) == again


def test_what_did_not_crash_alone_is_looked_at_when_it_is_due(case: StoreCase) -> None:
    generation = case.add_submitted("task-1", crashes=3, due_at=case.clock() + SECOND)
    assert not case.store.claims.has_set_aside()
    case.clock.advance(1)
    claimed = case.store.claims.claim_set_aside(new_token())
    assert claimed is not None
    assert (claimed.id, claimed.crashes) == (generation.id, 3)


def test_an_odd_row_holds_up_nobody(case: StoreCase) -> None:
    with case.store.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE generations ADD COLUMN later_release TEXT")
    case.add_submitted("odd", kind=None, prompt="p" * 2_000_000, provider_state="\x00\ud7ff")
    case.add_submitted("plain")
    claimed = [case.store.claims.claim_next(Lane.DELIVER, new_token()) for _ in range(3)]
    assert {one and one.task_id for one in claimed} == {"odd", "plain", None}


DAMAGES = [
    *((database, "result_urls = '17'") for database in ("sqlite", "postgresql")),
    ("sqlite", "result_urls = 'not JSON'"),  # what the other one refuses to keep
    ("sqlite", "input = 'not JSON'"),
    ("sqlite", "created_at = 'long ago'"),
]
damaged = pytest.mark.parametrize(("database_url", "damage"), DAMAGES, indirect=["database_url"])


@damaged
def test_a_row_that_cannot_be_read_holds_up_nobody(case: StoreCase, damage: str) -> None:
    case.add_submitted("damaged", due_at=case.clock() - SECOND)
    with case.store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE generations SET {damage}")
    case.add_submitted("plain")
    claimed = [case.store.claims.claim_next(Lane.DELIVER, new_token()) for _ in range(2)]
    assert [one and one.task_id for one in claimed] == [None, "plain"]


@damaged
def test_a_row_that_cannot_be_read_holds_up_nothing_set_aside(case: StoreCase, damage: str) -> None:
    set_aside(case, crashes=3, dead_for=timedelta(hours=2))
    with case.store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE generations SET {damage}")
    assert case.store.claims.claim_set_aside(new_token()) is None
    assert not case.store.claims.has_set_aside()
