"""A failing seed becomes a short command."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import unknown_outcomes_are_sent_again
from tests.simulation.plan import Plan, draw, plan_of, replay
from tests.simulation.run import run
from tests.simulation.shrinking import shrink

WILD = Plan(seed=1, tasks=40, on=frozenset("abcdefgh"))


def test_shrinks_to_what_it_takes() -> None:
    def fails(plan: Plan) -> bool:
        return plan.tasks >= 3 and plan.on >= {"b", "g"}

    assert shrink(WILD, fails) == Plan(seed=1, tasks=3, on=frozenset({"b", "g"}))


def test_stays_what_it_is_where_all_of_it_is_needed() -> None:
    assert shrink(WILD, lambda plan: plan == WILD) == WILD


def test_ends_after_so_many_tries() -> None:
    tried: list[Plan] = []

    def fails(plan: Plan) -> bool:
        tried.append(plan)
        return True

    assert shrink(WILD, fails, tries=3).tasks == 5
    assert len(tried) == 3


def test_a_broken_engine_shrinks_to_the_fault_that_brings_it_out() -> None:
    def fails(plan: Plan) -> bool:
        with unknown_outcomes_are_sent_again():
            return any(violation.invariant == "I1" for violation in run(plan).violations)

    plan = plan_of(1, 15, ["callback_early", "create_error_after", "media_cut"])
    assert fails(plan)
    smallest = shrink(plan, fails)
    assert smallest.on == {"create_error_after"}
    assert smallest.tasks < 15


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_command_says_all_of_a_plan(seed: int) -> None:
    drawn = draw(seed)
    assert replay(drawn) == f"python -m tests.simulation --seed {seed}"
    shrunk = Plan(seed=seed, tasks=2, on=frozenset({"crash", "forged"}), uses_bucket=True)
    words = replay(shrunk).split()
    assert words[words.index("--tasks") + 1] == "2"
    assert words[words.index("--only") + 1] == "crash,forged"
