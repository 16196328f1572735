"""From a plan that fails to a small one that fails as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.simulation.plan import Plan

MOST_TRIES = 200


def shrink(plan: Plan, fails: Callable[[Plan], bool], tries: int = MOST_TRIES) -> Plan:
    """The smallest plan found that still fails: fewer tasks, and no fault that can be left out.

    `plan` fails already; `fails` is asked at most `tries` times.
    """
    found: Plan | None = plan
    while found is not None:
        plan, found = found, None
        for smaller in _smaller(plan):
            if not tries:
                return plan
            tries -= 1
            if fails(smaller):
                found = smaller
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans one step smaller, the greatest step first."""
    if plan.tasks > 1:
        yield replace(plan, tasks=plan.tasks // 2)
    for fault in sorted(plan.on):
        yield plan.without(fault)
    if plan.tasks > 2:
        yield replace(plan, tasks=plan.tasks - 1)
