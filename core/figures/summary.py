"""What the counts say, pure: frames in, numbers and smaller frames out.

`cohorts` are core.figures.counts.Cohorts.by_step; those of models and failures, by_model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.generation.model import Status
from core.store import counting

FINISHED = (Status.SUCCESS, Status.FAILED)
_NOTHING = pd.DataFrame({"up_to_ms": [], "generations": []})


@dataclass(frozen=True, slots=True)
class Totals:
    """How all generations of a span stand. Rates are shares of 1; None where there is nothing."""

    created: int
    delivered: int
    failed: int
    stored_p50_ms: float | None
    stored_p95_ms: float | None

    @property
    def open(self) -> int:
        """Neither delivered nor failed yet."""
        return self.created - self.delivered - self.failed

    @property
    def success_rate(self) -> float | None:
        """Delivered of those that have ended."""
        return _share(self.delivered, self.delivered + self.failed)

    @property
    def success_rate_of_all(self) -> float | None:
        """Delivered of all created, open ones too."""
        return _share(self.delivered, self.created)


def totals(cohorts: pd.DataFrame, stored: pd.DataFrame) -> Totals:
    """The first row of the overview."""
    by_status = cohorts.groupby("status")["generations"].sum()
    return Totals(
        created=int(cohorts["generations"].sum()),
        delivered=int(by_status.get(Status.SUCCESS, 0)),
        failed=int(by_status.get(Status.FAILED, 0)),
        stored_p50_ms=percentile(stored, 0.5),
        stored_p95_ms=percentile(stored, 0.95),
    )


def outcomes_over_time(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Columns `start`, `status`, `generations`: one row per step and status that occurs."""
    return _sums(cohorts, "start", "status")


def rates_over_time(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Columns `start`, `success_rate` (of those that ended), `ended`; steps without any are out."""
    ended = cohorts[cohorts["status"].isin(FINISHED)]
    wide = ended.pivot_table(
        index="start", columns="status", values="generations", aggfunc="sum", fill_value=0
    ).reindex(columns=list(FINISHED), fill_value=0)
    count = wide.sum(axis=1)
    rate = wide[Status.SUCCESS] / count
    return pd.DataFrame({"success_rate": rate, "ended": count}).reset_index(names="start")


def latency_over_time(stored: pd.DataFrame) -> pd.DataFrame:
    """Columns `start`, `percentile` (`p50`, `p95`), `seconds` from KIE's completion to stored."""
    rows = [
        (start, name, ms / 1000)
        for start, histogram in stored.groupby("start")
        for name, share in (("p50", 0.5), ("p95", 0.95))
        if (ms := percentile(histogram, share)) is not None
    ]
    return pd.DataFrame(rows, columns=["start", "percentile", "seconds"])


def news_over_time(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Who brought the results. Columns `start`, `via` (a channel), `results`."""
    known = _sums(cohorts[cohorts["delivered_via"] != ""], "start", "delivered_via")
    return known.rename(columns={"delivered_via": "via", "generations": "results"})


def by_model(cohorts: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """One row per model, the most used first.

    Columns: `model`, `kind`, `generations`, `success_rate`, `made_p50_s`, `made_p95_s` (KIE's
    time), `credits`.
    """
    histograms = dict(list(made.groupby("model")))
    rows = [
        _model_row(str(model), group, histograms.get(model, _NOTHING))
        for model, group in cohorts.groupby("model")
    ]
    columns = [
        *("model", "kind", "generations", "success_rate"),
        *("made_p50_s", "made_p95_s", "credits"),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values("generations", ascending=False, ignore_index=True)


def failures(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Failed generations by cause, the most frequent first.

    Columns: `error_code`, `model`, `generations`, `first_at`, `last_at` (created), `example`.
    """
    failed = cohorts[cohorts["status"] == Status.FAILED]
    grouped = failed.groupby(["error_code", "model"], as_index=False).agg(
        {"generations": "sum", "first_at": "min", "last_at": "max", "example": "max"}
    )
    return grouped.sort_values("generations", ascending=False, ignore_index=True)


def percentile(histogram: pd.DataFrame, share: float) -> float | None:
    """Milliseconds that this share of a histogram did not exceed; None for an empty one.

    `histogram` has `up_to_ms` and `generations`; see core.store.counting.percentile.
    """
    columns = histogram["up_to_ms"], histogram["generations"]
    return counting.percentile(zip(*columns, strict=True), share)


def _model_row(model: str, group: pd.DataFrame, made: pd.DataFrame) -> Sequence[object]:
    by_status = group.groupby("status")["generations"].sum()
    delivered, failed = (int(by_status.get(status, 0)) for status in FINISHED)
    return (
        model,
        group["kind"].max(),
        int(by_status.sum()),
        _share(delivered, delivered + failed),
        *(_seconds(percentile(made, share)) for share in (0.5, 0.95)),
        float(group["credits"].sum()),
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _sums(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The number of generations by these columns."""
    return frame.groupby(list(columns), as_index=False)[["generations"]].sum()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
