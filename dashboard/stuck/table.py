"""The rows of the stuck list. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from core.diagnosis import Facts, diagnose
from core.generation.model import Generation
from core.settings import Settings
from core.store.stuck import Limits, Reason, Stuck
from dashboard import formats
from dashboard.navigation import to_task
from dashboard.words import stuck as words

_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # any: only the distance to it is told

COLUMNS = ["task", "age", "verdict", "why", "next", "dies", "kie", "model", "user"]


def table(rows: Sequence[Stuck], limits: Limits, settings: Settings, now: datetime) -> pd.DataFrame:
    """One row for each of the stuck, in the same order.

    Columns: `task` (a link), `age`, `next` and `dies` (seconds from now), `verdict`, `why`, `kie`,
    `model`, `user` (words).
    """
    return pd.DataFrame([_row(one, limits, settings, now) for one in rows], columns=COLUMNS)


def limit_table(limits: Limits) -> pd.DataFrame:
    """The models with a limit of their own, the shortest first. Columns: `model`, `limit`."""
    rows = sorted(limits.by_model.items(), key=lambda item: item[1])
    return pd.DataFrame(
        [(model, formats.duration(limit)) for model, limit in rows], columns=["model", "limit"]
    )


def in_words(frame: pd.DataFrame) -> Styler:
    """A table whose seconds are read as durations, and still sorted as numbers."""
    told: dict[Any, Any] = {
        "age": _length,
        "next": _next_look,
        "dies": _distance,
    }
    return frame.style.format(told, na_rep=formats.NONE)


def _length(seconds: float) -> str:
    return formats.duration(timedelta(seconds=seconds))


def _distance(seconds: float) -> str:
    return formats.ago(_MOMENT + timedelta(seconds=seconds), _MOMENT)


def _next_look(seconds: float) -> str:
    return _distance(seconds) if seconds > -1 else words.due(_distance(seconds))


def _row(one: Stuck, limits: Limits, settings: Settings, now: datetime) -> tuple[object, ...]:
    generation = one.generation
    rarest_first = sorted(one.reasons, key=lambda reason: reason is Reason.SLOW)
    reasons = [words.why(reason, limits, generation.model) for reason in rarest_first]
    return (
        to_task(generation.id).url,
        (now - generation.created_at).total_seconds(),
        _verdict(generation, settings, now),
        " · ".join(reasons),
        _seconds_until(generation.due_at, now),
        _seconds_until(generation.expires_at, now),
        generation.provider_state or words.KIE_SAYS_NOTHING,
        generation.model,
        generation.user_id or formats.NONE,
    )


def _verdict(generation: Generation, settings: Settings, now: datetime) -> str:
    facts = Facts(
        generation=generation,
        now=now,
        callbacks_expected=settings.sends_callback_url,
        stuck_after=timedelta(minutes=settings.stuck_after_minutes),
        give_up_after=timedelta(hours=settings.give_up_after_hours),
    )
    return diagnose(facts).summary


def _seconds_until(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (at - now).total_seconds()
