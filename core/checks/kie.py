"""KIE's API: whether it takes our key, and whether it has our time."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from core.checks.address import ANSWER_SECONDS, NO_ANSWER
from core.checks.model import CheckState, Outcome, Surroundings, one_line
from core.deadline import time_limit
from core.diagnosis.remedies import ASKING
from core.diagnosis.words import span
from core.kie.report import AskFailed
from core.kie.signatures import TOLERANCE_SECONDS
from core.settings import is_loopback
from core.store.address import is_sqlite

LOW_CREDITS = Decimal(100)
MOST_APART = timedelta(seconds=60)


def kie(around: Surroundings) -> Outcome:
    """Whether KIE accepts our key, and how many credits are left."""
    settings = around.settings
    host = urlsplit(settings.kie_base_url).netloc
    who = f"the simulator at {host}" if is_loopback(settings.kie_base_url) else host
    if settings.kie_api_key is None:
        remedy = "Set KIE_API_KEY, and restart webhook and poller."
        return Outcome(CheckState.FAILED, f"there is no key for {who}", remedy)
    left = around.kie.credits()
    return _not_told(who, left) if isinstance(left, AskFailed) else _left(who, left)


def _not_told(who: str, failure: AskFailed) -> Outcome:
    found = f"{who}: `{failure.code}`, {one_line(failure.message)}"
    if failure.code in ("kie.unauthorized", "kie.no_credits", "kie.key_capped", "kie.unavailable"):
        return Outcome(CheckState.FAILED, found, ASKING[failure.code][1].action)
    return Outcome(CheckState.UNKNOWN, found, "Try again; else check that KIE_BASE_URL is KIE's.")


def _left(who: str, credits: Decimal) -> Outcome:
    amount = f"{credits:,.2f}".removesuffix(".00")
    found = f"{who} accepts the key; {amount} credits left"
    if credits <= 0:
        return Outcome(CheckState.FAILED, found, "Top up the KIE account.")
    if credits < LOW_CREDITS:
        remedy = "Top up the KIE account: a single video may cost more."
        return Outcome(CheckState.WARNING, found, remedy)
    return Outcome(CheckState.OK, found)


def clock(around: Surroundings) -> Outcome:
    """Whether our clock and KIE's agree, as signatures of callbacks need."""
    try:
        with time_limit(ANSWER_SECONDS):  # any answer has the time, one without our key too
            told = around.http.head(around.settings.kie_base_url).headers.get("date", "")
        theirs = parsedate_to_datetime(told).astimezone(UTC)
    except NO_ANSWER as error:
        return Outcome(CheckState.UNKNOWN, type(error).__name__, "See the check `kie`.")
    except (ValueError, OverflowError):
        remedy = "Check that KIE_BASE_URL is KIE's."
        return Outcome(CheckState.UNKNOWN, "KIE's answer does not say what time it is", remedy)
    return _judged(around.now() - theirs, around)


def _judged(ahead: timedelta, around: Surroundings) -> Outcome:
    whose = "this machine" if is_sqlite(around.settings.database) else "the database server"
    direction = "ahead of" if ahead > timedelta() else "behind"
    if abs(ahead) <= MOST_APART:
        return Outcome(CheckState.OK, f"{whose} and KIE are less than {span(MOST_APART)} apart")
    found = (
        f"{whose} is {span(ahead)} {direction} KIE; a signature more than"
        f" {TOLERANCE_SECONDS} s away is refused"
    )
    return Outcome(CheckState.WARNING, found, f"Have the clock of {whose} set by NTP.")
