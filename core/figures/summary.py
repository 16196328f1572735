"""What the counts say, pure: frames of core.figures.counts in, numbers and smaller frames out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.generation.model import Channel, Status
from core.store.counting import BOUNDS_MS, MADE, STORED

FINISHED = (Status.SUCCESS, Status.FAILED)
_FLOORS = dict(zip(BOUNDS_MS, (0, *BOUNDS_MS[:-1]), strict=True))


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


def totals(cohorts: pd.DataFrame, durations: pd.DataFrame) -> Totals:
    """The first row of the overview."""
    by_status = cohorts.groupby("status")["generations"].sum()
    stored = durations[durations["measure"] == STORED]
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


def latency_over_time(durations: pd.DataFrame) -> pd.DataFrame:
    """Columns `start`, `percentile` (`p50`, `p95`), `seconds` from KIE's completion to stored."""
    stored = durations[durations["measure"] == STORED]
    rows = [
        (start, name, ms / 1000)
        for start, histogram in stored.groupby("start")
        for name, share in (("p50", 0.5), ("p95", 0.95))
        if (ms := percentile(histogram, share)) is not None
    ]
    return pd.DataFrame(rows, columns=["start", "percentile", "seconds"])


def news_over_time(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Who brought the results. Columns `start`, `via` (a channel), `results`, `share` of them."""
    known = _sums(cohorts[cohorts["delivered_via"] != ""], "start", "delivered_via")
    news = known.rename(columns={"delivered_via": "via", "generations": "results"})
    return news.assign(share=news["results"] / news.groupby("start")["results"].transform("sum"))


def callback_loss(cohorts: pd.DataFrame) -> float | None:
    """The share of results that no callback announced in time; None without results."""
    by_channel = cohorts.groupby("delivered_via")["generations"].sum()
    results = sum(int(by_channel.get(channel, 0)) for channel in Channel)
    return _share(results - int(by_channel.get(Channel.CALLBACK, 0)), results)


def by_model(cohorts: pd.DataFrame, durations: pd.DataFrame) -> pd.DataFrame:
    """One row per model, the most used first.

    Columns: `model`, `kind`, `generations`, `success_rate`, `made_p50_s`, `made_p95_s` (KIE's
    time), `credits`.
    """
    rows = [_model_row(str(model), group, durations) for model, group in cohorts.groupby("model")]
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
    """Milliseconds that this share of a histogram did not exceed, 9 % off at most.

    None for an empty one. `histogram` has `up_to_ms` and `generations`; buckets may repeat.
    """
    buckets = _sums(histogram, "up_to_ms").sort_values("up_to_ms")
    bounds, counts = buckets["up_to_ms"].tolist(), buckets["generations"].tolist()
    wanted, below = sum(counts) * share, 0
    for bound, count in zip(bounds, counts, strict=True):
        if below + count >= wanted:
            floor = _FLOORS[bound]
            width = bound - floor if bound != BOUNDS_MS[-1] else 0
            return float(floor + width * (wanted - below) / count)
        below += count
    return None


def _model_row(model: str, group: pd.DataFrame, durations: pd.DataFrame) -> Sequence[object]:
    ended = group[group["status"].isin(FINISHED)]["generations"].sum()
    delivered = group[group["status"] == Status.SUCCESS]["generations"].sum()
    made = durations[(durations["model"] == model) & (durations["measure"] == MADE)]
    p50, p95 = percentile(made, 0.5), percentile(made, 0.95)
    return (
        model,
        group["kind"].max(),
        int(group["generations"].sum()),
        _share(int(delivered), int(ended)),
        None if p50 is None else p50 / 1000,
        None if p95 is None else p95 / 1000,
        float(group["credits"].sum()),
    )


def _sums(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The number of generations by these columns."""
    return frame.groupby(list(columns), as_index=False)[["generations"]].sum()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
