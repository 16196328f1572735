"""What the counts say: numbers and smaller frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.figures import summary
from core.generation.model import Channel, Status
from core.store.counting import BOUNDS_MS

EIGHT, NINE = pd.Timestamp("2026-11-22T08:00Z"), pd.Timestamp("2026-11-22T09:00Z")
CAUSE = {"status": Status.FAILED, "error_code": "provider.failed"}


def cohort(generations: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "start": EIGHT,
        "model": "m",
        "kind": "image",
        "status": Status.SUCCESS,
        "error_code": "",
        "delivered_via": "",
        "generations": generations,
        "credits": 0.0,
        "first_at": EIGHT,
        "last_at": EIGHT,
        "example": "a",
        **values,
    }


def cohorts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(cohort()))


def histogram(*buckets: tuple[int, int], **values: Any) -> pd.DataFrame:
    frame = pd.DataFrame(list(buckets), columns=["up_to_ms", "generations"])
    return frame.assign(start=EIGHT, model="m", **values)


def bucket(milliseconds: float) -> int:
    return next(bound for bound in BOUNDS_MS if milliseconds <= bound)


NOTHING, NO_HISTOGRAM = cohorts(), histogram()
DAY = cohorts(
    cohort(80, delivered_via=Channel.CALLBACK),
    cohort(10, delivered_via=Channel.POLL, start=NINE),
    cohort(6, **CAUSE),
    cohort(4, status=Status.GENERATING, start=NINE),
)


def test_totals_tell_how_all_stand() -> None:
    totals = summary.totals(DAY, histogram((1000, 5)))
    assert (totals.created, totals.delivered, totals.failed, totals.open) == (100, 90, 6, 4)
    assert totals.success_rate == 90 / 96
    assert totals.success_rate_of_all == 0.9


def test_totals_of_nothing_have_no_rates() -> None:
    totals = summary.totals(NOTHING, NO_HISTOGRAM)
    assert (totals.created, totals.open) == (0, 0)
    assert (totals.success_rate, totals.success_rate_of_all) == (None, None)
    assert (totals.stored_p50_ms, totals.stored_p95_ms) == (None, None)


def test_where_all_are_open_only_one_rate_is_known() -> None:
    totals = summary.totals(cohorts(cohort(3, status=Status.QUEUED)), NO_HISTOGRAM)
    assert (totals.success_rate, totals.success_rate_of_all) == (None, 0)


def test_outcomes_have_a_row_per_step_and_status() -> None:
    rows = summary.outcomes_over_time(DAY).set_index(["start", "status"])["generations"]
    assert rows.to_dict() == {
        (EIGHT, "success"): 80,
        (EIGHT, "failed"): 6,
        (NINE, "success"): 10,
        (NINE, "generating"): 4,
    }


def test_rates_leave_out_what_is_open() -> None:
    rates = summary.rates_over_time(DAY).set_index("start")
    assert rates["success_rate"].to_dict() == {EIGHT: 80 / 86, NINE: 1.0}
    assert rates["ended"].to_dict() == {EIGHT: 86, NINE: 10}


@pytest.mark.parametrize(("status", "rate"), [(Status.SUCCESS, 1.0), (Status.FAILED, 0.0)])
def test_rates_where_all_ended_alike(status: Status, rate: float) -> None:
    assert summary.rates_over_time(cohorts(cohort(status=status)))["success_rate"].tolist() == [
        rate
    ]


def test_news_are_counted_by_channel_in_each_step() -> None:
    both = cohorts(
        cohort(3, delivered_via=Channel.CALLBACK), cohort(1, delivered_via=Channel.SYNC), cohort(9)
    )
    news = summary.news_over_time(both)
    assert dict(zip(news["via"], news["results"], strict=True)) == {"callback": 3, "sync": 1}


def test_models_come_by_use_with_their_own_durations() -> None:
    some = cohorts(
        cohort(1, model="rare", credits=2.5),
        cohort(6, model="often"),
        cohort(2, model="often", **CAUSE),
        cohort(1, model="often", status=Status.QUEUED),
    )
    frame = summary.by_model(some, histogram((BOUNDS_MS[20], 9)).assign(model="often"))
    assert frame["model"].tolist() == ["often", "rare"]
    assert frame["generations"].tolist() == [9, 1]
    assert frame["success_rate"].tolist() == [0.75, 1.0]
    assert frame["credits"].tolist() == [0.0, 2.5]
    assert frame["made_p50_s"].round(1).tolist()[0] == 1.5
    assert frame["made_p50_s"].isna().tolist() == [False, True]


def test_failures_come_by_cause_with_first_last_and_newest() -> None:
    some = cohorts(
        cohort(9),
        cohort(1, **CAUSE, model="other"),
        cohort(2, **CAUSE, first_at=EIGHT, last_at=EIGHT, example="a"),
        cohort(3, **CAUSE, first_at=NINE, last_at=NINE, example="b"),
    )
    first, second = summary.failures(some).to_dict("records")
    assert (first["model"], first["generations"], first["example"]) == ("m", 5, "b")
    assert (first["first_at"], first["last_at"]) == (EIGHT, NINE)
    assert second["model"] == "other"


def test_latency_has_two_percentiles_per_step() -> None:
    some = pd.concat([histogram((100, 98), (102_400, 2)), histogram((100, 1)).assign(start=NINE)])
    frame = summary.latency_over_time(some)
    assert frame["percentile"].tolist() == ["p50", "p95", "p50", "p95"]
    assert frame["start"].tolist() == [EIGHT, EIGHT, NINE, NINE]


@pytest.mark.parametrize(
    ("frame", "columns"),
    [
        (summary.outcomes_over_time(NOTHING), ["start", "status", "generations"]),
        (summary.rates_over_time(NOTHING), ["start", "success_rate", "ended"]),
        (summary.latency_over_time(NO_HISTOGRAM), ["start", "percentile", "seconds"]),
        (summary.news_over_time(NOTHING), ["start", "via", "results"]),
        (
            summary.failures(NOTHING),
            ["error_code", "model", "generations", "first_at", "last_at", "example"],
        ),
    ],
)
def test_nothing_becomes_an_empty_frame(frame: pd.DataFrame, columns: list[str]) -> None:
    assert frame.empty
    assert frame.columns.tolist() == columns


def test_nothing_has_no_models() -> None:
    assert summary.by_model(NOTHING, NO_HISTOGRAM).empty


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_percentiles_are_nine_percent_off_at_most(share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    took = random.lognormal(mean=9, sigma=1.5, size=1 + 200 * seed).clip(min=60)
    found = summary.percentile(histogram(*((bucket(one), 1) for one in took)), share)
    assert found == pytest.approx(np.quantile(took, share, method="inverted_cdf"), rel=0.095)


@pytest.mark.parametrize(
    ("milliseconds", "found"),
    [(0, 45.85), (50, 45.85), (51, 54.1), (86_400_000, 80_858_000), (10**9, BOUNDS_MS[-2])],
)
def test_a_duration_is_taken_for_the_middle_of_its_bucket(milliseconds: int, found: float) -> None:
    assert summary.percentile(histogram((bucket(milliseconds), 7)), 0.5) == pytest.approx(
        found, rel=0.001
    )


@pytest.mark.parametrize(("fast", "slow"), [(51, 49), (50, 50)])
def test_half_of_them_are_half_of_them(fast: int, slow: int) -> None:
    one, two = BOUNDS_MS[10], BOUNDS_MS[40]
    found = summary.percentile(histogram((two, slow), (one, fast)), 0.5)
    assert found is not None
    assert found < one


def test_an_empty_histogram_has_no_percentile() -> None:
    assert summary.percentile(NO_HISTOGRAM, 0.5) is None
