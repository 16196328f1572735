"""The naive application is no straw man: it works on a good day, and each bad day has one cause."""

from __future__ import annotations

from collections.abc import Iterable

from tests.checker.headline import Headline
from tests.simulation.plan import plan_of
from tests.simulation.run import Result, run_naive

TASKS = 10
SEEDS = range(1, 6)
#: Seeds in which a callback of the stranger comes while its task is under way: few do.
WITH_A_BREAK_IN = (29, 41)


def days(*faults: str, seeds: Iterable[int] = SEEDS) -> list[Result]:
    """Seeds with no faults but these."""
    return [run_naive(plan_of(seed, TASKS, faults)) for seed in seeds]


def total(results: list[Result]) -> Headline:
    return Headline(*map(sum, zip(*(result.headline for result in results), strict=True)))


def test_on_a_good_day_all_is_delivered_and_paid_once() -> None:
    results = days()
    made = len(SEEDS) * TASKS
    assert total(results) == Headline(tasks=made, lost=0, paid_twice=0, forged=0)
    assert sum(result.ends["success"] for result in results) == made


def test_doubled_and_disordered_callbacks_do_it_no_harm() -> None:
    assert total(days("callback_parallel", "callback_out_of_order"))[1:] == (0, 0, 0)


def test_an_open_page_makes_up_for_lost_callbacks() -> None:
    assert total(days("callback_none"))[1:] == (0, 0, 0)


def test_lost_callbacks_lose_what_ends_after_the_page_is_closed() -> None:
    found = total(days("callback_none", "outcome_seconds"))
    assert found.lost
    assert (found.paid_twice, found.forged) == (0, 0)


def test_lost_answers_to_creates_are_paid_twice_and_their_results_lost() -> None:
    found = total(days("create_error_after"))
    assert found.lost
    assert found.paid_twice
    assert found.forged == 0


def test_storage_that_refuses_loses_what_is_called_a_success() -> None:
    results = days("storage_refused")
    assert total(results).lost
    assert sum(result.ends["success"] for result in results) == len(SEEDS) * TASKS


def test_the_secret_of_one_callback_url_opens_all_tasks() -> None:
    assert total(days("forged", "outcome_seconds", seeds=WITH_A_BREAK_IN)).forged


def test_a_result_of_which_nobody_could_know_is_not_called_lost() -> None:
    results = days("create_error_after", "callback_none")
    delivered = sum(result.ends["success"] for result in results)
    unknowable = sum(result.unknowable for result in results)
    found = total(results)
    assert unknowable
    assert found.lost == found.tasks - delivered - unknowable
