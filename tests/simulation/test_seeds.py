"""Seeds of faults: whatever happens, the checker finds every promise kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.plan import CLOCK_JUMP, OF_BUCKETS, draw, replay
from tests.simulation.run import Result, run

TASKS = 15
SEEDS = range(1, 201)
AT_A_TIME = 10  # seeds in one test: both cores take turns


@pytest.mark.parametrize("first", SEEDS[::AT_A_TIME])
def test_every_promise_is_kept(first: int) -> None:
    for seed in range(first, first + AT_A_TIME):
        all_is_well(run(draw(seed, TASKS)))


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_promise_is_kept_on_postgresql(seed: int, postgresql_url: str) -> None:
    plan = draw(seed, TASKS).without(CLOCK_JUMP)  # a server's clock is its own affair
    all_is_well(run(plan, postgresql_url))


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_promise_is_kept_over_a_bucket(seed: int) -> None:
    plan = draw(seed, TASKS)
    result = run(replace(plan, on=plan.on | {OF_BUCKETS}, uses_bucket=True))
    all_is_well(result)
    assert result.struck[OF_BUCKETS]


def all_is_well(result: Result) -> None:
    found = "\n".join(map(str, result.violations))
    assert not found, f"{found}\n{replay(result.plan)}"
