"""Broken engines, by which the checker is known to be able to fail: at least one per invariant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation import mutations
from tests.simulation.mutations import Mutation
from tests.simulation.plan import Plan
from tests.simulation.run import run

#: What has to be found, in which engine, by which seed, with how many tasks and which faults.
CASES = [
    ("I1", mutations.unknown_outcomes_are_sent_again, 6, 6, {"create_error_after"}),
    ("I1", mutations.nobody_looks_whether_it_was_sent, 6, 6, {"crash"}),
    ("I2", mutations.only_what_was_announced_is_delivered, 8, 2, {"callback_none"}),
    ("I2", mutations.storage_has_one_chance, 4, 6, {"storage_refused"}),
    ("I3", mutations.put_before_it_is_known, 10, 6, {"storage_answer_lost"}),
    ("I3", mutations.errors_of_storage_are_logged_only, 4, 6, {"storage_refused"}),
    ("I4", mutations.callbacks_are_acknowledged_unkept, 3, 10, {"database_busy"}),
    ("I5", mutations.whoever_comes_late_may_write, 4, 6, {"stop", "pause"}),
    ("I5", mutations.callbacks_are_believed, 1, 6, {"forged"}),
    ("I6", mutations.callbacks_are_believed, 4, 6, {"forged"}),
    ("I6", mutations.every_credential_opens, 4, 3, {"forged"}),
    ("I7", mutations.the_window_is_a_second, 4, 24, set()),
    ("I8", mutations.every_address_is_public, 2, 2, {"media_redirect"}),
    ("I8", mutations.names_are_looked_up_twice, 2, 6, {"media_redirect"}),
    ("I9", mutations.credits_are_added_up, 9, 6, {"outcome_no_files"}),
    ("I10", mutations.dead_leases_stay, 10, 2, {"crash"}),
    ("I10", mutations.what_is_handed_back_is_forgotten, 6, 6, {"database_busy"}),
]


@pytest.mark.parametrize(
    ("invariant", "mutation", "seed", "tasks", "faults"),
    [pytest.param(*case, id=f"{case[0]}-{case[1].__name__}") for case in CASES],
)
def test_a_broken_engine_is_found(
    invariant: str, mutation: Callable[[], Mutation], seed: int, tasks: int, faults: set[str]
) -> None:
    plan = Plan(seed=seed, tasks=tasks, on=frozenset(faults))
    assert run(plan).violations == []
    with mutation():
        assert invariant in {violation.invariant for violation in run(plan).violations}


def test_no_invariant_is_left_out() -> None:
    assert {invariant for invariant, *_ in CASES} == {f"I{number}" for number in range(1, 11)}
