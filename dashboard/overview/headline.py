"""The answer before the numbers: do results arrive? Pure."""

from __future__ import annotations

from typing import NamedTuple

from core.diagnosis import Severity
from core.figures.summary import Totals
from dashboard.words import overview as words

GOOD_RATE, BAD_RATE = 0.9, 0.5


class Headline(NamedTuple):
    """How it stands, in two words and in sentences."""

    severity: Severity
    lead: str
    sentences: str


def headline(period: str, totals: Totals, *, stuck: int, at_risk: int) -> Headline:
    """What to know in ten seconds. `stuck` and `at_risk` count those of all time."""
    sentences = f"{_outcome(period, totals)} {words.stuck_now(stuck, at_risk)}"
    return Headline(*_state(totals.success_rate, stuck, at_risk), sentences)


def _state(success_rate: float | None, stuck: int, at_risk: int) -> tuple[Severity, str]:
    if at_risk:
        return Severity.ERROR, words.AT_RISK_LEAD
    if success_rate is not None and success_rate < BAD_RATE:
        return Severity.ERROR, words.FAILING
    if stuck or (success_rate is not None and success_rate < GOOD_RATE):
        return Severity.WARNING, words.ARRIVING_NOT_ALL
    if success_rate is None:
        return Severity.INFO, words.QUIET
    return Severity.OK, words.ARRIVING


def _outcome(period: str, totals: Totals) -> str:
    if totals.success_rate is not None:
        return words.delivered_share(period, totals.success_rate)
    return words.nothing_ended(period) if totals.created else words.nothing_created(period)
