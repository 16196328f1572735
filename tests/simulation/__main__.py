"""`python -m tests.simulation`: prove it over many seeds, or let one seed happen again."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from tests.simulation.figures import FAULT_HEADS, HEADS, Figures, table
from tests.simulation.plan import ALL, NOTHING, Plan, plan_of, replay
from tests.simulation.run import Result, run, run_both
from tests.simulation.shrinking import shrink

WORDS_EVERY_SECONDS = 15.0
SHOWN_FAILURES = 10
#: A world that is over leaves some megabytes behind: the collector of garbage does not see what
#: the stacks of greenlets hold.
SEEDS_PER_PROCESS = 50
SEEDS_AHEAD = 8  # so that no process waits for another


def main() -> int:
    """0: every promise was kept; 1: one was broken; 2: what was asked for makes no sense."""
    chosen = _arguments()
    if chosen.seed is not None:
        return _one(_chosen_plan(chosen))
    return _prove(chosen.total, chosen.first, chosen.jobs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    many = parser.add_argument_group("many seeds")
    many.add_argument("--total", type=int, default=100_000, help="tasks at KIE in all (100000)")
    many.add_argument("--first", type=int, default=1, help="the first seed (1)")
    many.add_argument("--jobs", type=int, default=2, help="processes (2)")
    one = parser.add_argument_group("one seed")
    one.add_argument("--seed", type=int, help="let this one happen")
    one.add_argument("--tasks", type=int, help="with so many tasks")
    one.add_argument("--only", type=_faults, help=f"with these faults on: {NOTHING}, or a,b,c")
    where = one.add_mutually_exclusive_group()
    where.add_argument("--bucket", action="store_true", help="over Supabase Storage")
    where.add_argument("--folder", action="store_true", help="over a folder")
    return parser.parse_args()


def _faults(given: str) -> list[str]:
    names = [] if given == NOTHING else given.split(",")
    if unknown := sorted(set(names) - set(ALL)):
        raise argparse.ArgumentTypeError(f"unknown fault: {', '.join(unknown)}")
    return names


def _chosen_plan(chosen: argparse.Namespace) -> Plan:
    plan = plan_of(chosen.seed, chosen.tasks, chosen.only)
    if chosen.bucket or chosen.folder:
        return replace(plan, uses_bucket=chosen.bucket)
    return plan


def _one(plan: Plan) -> int:
    print(f"seed {plan.seed}, {plan.tasks} tasks; on: {', '.join(sorted(plan.on)) or NOTHING}")
    result = run(plan)
    for end, count in result.ends.most_common():
        print(f"{count:6} {end}")
    for violation in result.violations:
        print(violation)
    print("every promise was kept" if not result.violations else "BROKEN")
    return 1 if result.violations else 0


def _prove(total: int, first: int, jobs: int) -> int:
    began = said = time.monotonic()
    ours, naive = Figures(), Figures()
    for result, of_naive in _results(first, jobs):
        ours.add(result)
        naive.add(of_naive)
        if result.violations:
            _tell(result)
        if time.monotonic() - said > WORDS_EVERY_SECONDS:
            said = time.monotonic()
            done = ours.headline.tasks
            print(f"{done:,} tasks, {ours.seeds:,} seeds, {said - began:.0f} s", file=sys.stderr)
        if ours.headline.tasks >= total:
            break
    _print(ours, naive, time.monotonic() - began, first, jobs)
    return 1 if ours.broken else 0


def _results(first: int, jobs: int) -> Iterator[tuple[Result, Result]]:
    """What becomes of one seed after the other, ours and the naive application's, without end."""
    plans = map(plan_of, itertools.count(first))
    fresh = get_context("spawn")
    pool = ProcessPoolExecutor(jobs, fresh, max_tasks_per_child=SEEDS_PER_PROCESS)
    under_way: deque[Future[tuple[Result, Result]]] = deque()
    try:
        while True:
            while len(under_way) < SEEDS_AHEAD * jobs:
                under_way.append(pool.submit(run_both, next(plans)))
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _tell(result: Result) -> None:
    for violation in result.violations[:SHOWN_FAILURES]:
        print(violation)
    print(f"    {replay(_shrunk(result))}", flush=True)


def _shrunk(result: Result) -> Plan:
    """A smaller plan that breaks one of the same promises."""
    broken = {violation.invariant for violation in result.violations}

    def fails(plan: Plan) -> bool:
        return any(violation.invariant in broken for violation in run(plan).violations)

    return shrink(result.plan, fails)


def _print(ours: Figures, naive: Figures, seconds: float, first: int, jobs: int) -> None:
    last = first + ours.seeds - 1
    print(f"\nSeeds {first} to {last} in {seconds / 60:.1f} minutes, {jobs} processes.\n")
    rows = [
        ("this product", *ours.of_headline()),
        ("the naive application", *naive.of_headline()),
        ("the naive application, in 100,000 tasks", *naive.of_headline(in_all=100_000)),
    ]
    print(table(("", *HEADS), iter(rows)))
    print(f"\nBroken promises: {ours.broken}\n")
    print(table(FAULT_HEADS, ours.of_faults()))
    print()
    print(table(("at", "killed", "stopped", "thread paused"), ours.of_points()))


if __name__ == "__main__":
    sys.exit(main())
