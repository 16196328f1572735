"""Words of the overview."""

from __future__ import annotations

from collections.abc import Mapping

from core.diagnosis.remedies import PROVIDER
from core.generation.model import Channel
from dashboard import formats
from dashboard.words.common import PERIOD

PERIOD_LABEL = "Period"
COHORTS = (
    "By time of creation: a generation counts when it was created, whatever became of it since."
)

ARRIVING = "Results arrive."
ARRIVING_NOT_ALL = "Results arrive, but not all."
AT_RISK_LEAD = "Some results are at risk."
FAILING = "Most of what ended has failed."
QUIET = "Nothing to tell yet."
EMPTY = "Nothing was created in this period"
EMPTY_ADVICE = "Choose a longer period, or make something now."
CREATE = "Create a generation"

CREATED = "Created"
DELIVERED = "Delivered"
SUCCESS_RATE = "Success rate"
SUCCESS_RATE_HELP = "Delivered of those that have ended. Opens those that failed."
OPEN = "Open"
OPEN_NOTE = "not ended yet"
STUCK = "Stuck now"
STUCK_HELP = "Open for longer than it should be, set aside, or its submission is unknown."
STUCK_NOTE = "whenever created"
AT_RISK = "At risk now"
AT_RISK_NOTE = "whenever created"
AT_RISK_HELP = "KIE finished more than an hour ago, and not every file is stored here."
STORED_AFTER = "Finished to stored"
STORED_AFTER_HELP = "From KIE's completion to the last main file in storage. Half took no longer."
STORAGE = "Stored, all time"

OUTCOMES = "Outcomes"
SUCCESS_OVER_TIME = "Success rate"
LATENCY_OVER_TIME = "Finished to stored"
GENERATIONS = "Generations"
ENDED = "Ended"
TOOK = "Took"
P50, P95 = "Half within", "95 % within"
FROM, TO = "From", "To"
STATUS, WHO, SHARE, RESULTS = "Status", "Brought by", "Share", "Results"

CALLBACKS = "Callback health"
LOSS = "Without a callback"
LOSS_HELP = "Results that no callback announced in time, so that they were found by asking KIE."
NO_CALLBACK_URL = (
    "**KIE is told no callback address**, so every result is found by asking. Set "
    "`PUBLIC_BASE_URL` to an address that KIE can call, if you want callbacks."
)
SILENCE_ADVICE = "Results arrive all the same, only later. See whether KIE can reach the address."
CHECK_ADDRESS = "Check the callback address"

REFUSED = "Refused callbacks"
NO_REFUSED = "None was refused in this period."
SELECT_REASON = "Select a row to see its newest callbacks."
NEWEST = "The newest of these."
OPEN_FOUND = "Open what was found"
NO_CALLBACKS = "No callback with this reason is kept."
MEANING, REASON, COUNT, LAST_HOUR = "Meaning", "Reason", "Callbacks", "Last in the hour of"
RECEIVED, VERDICT, TASK_ID, STAGE = "Received", "Verdict", "Task id", "Stage"
GENERATION, DETAIL, BODY = "Generation", "Detail", "Body"

BY_MODEL = "By model"
MODEL, KIND, SUCCESS, CREDITS = "Model", "Kind", "Success rate", "Credits"
MADE_P50, MADE_P95 = "KIE's p50", "KIE's p95"
SELECT_MODEL = "Select a row to open its generations."
FAILURES = "Failures by cause"
NO_FAILURES = "Nothing has failed."
CAUSE, CODE, FIRST, LAST = "Cause", "Code", "First", "Last"
FIRST_HELP = "When the first of them was created."
LAST_HELP = "When the last of them was created."
FAILED_COUNT = "Failed"
SELECT_FAILURE = "Select a row to open its generations, or the newest as an example."
EXAMPLE = "The newest, as an example"
UNKNOWN_CAUSE = "Not known"

_CAUSES: Mapping[str, str] = {
    "provider.failed": "KIE made the task, and it failed",
    "provider.timeout": "not finished within the give-up time",
    "provider.empty": "KIE said success, but named no file",
    "submit.unknown": "nobody knows whether KIE made a task",
    "media.gone": "a file was at none of KIE's addresses",
    "media.invalid": "a file was never whole",
    "media.too_large": "a file is over MAX_ASSET_BYTES",
    "media.refused": "a file is at an address that must not be called",
    "operator.gave_up": "somebody gave it up",
}


def cause(code: str) -> str:
    """What made generations fail with this code."""
    family, _, number = code.partition(".")
    if family == "provider" and number in PROVIDER:
        return PROVIDER[number].meaning
    return _CAUSES.get(code, UNKNOWN_CAUSE)


def delivered_share(period: str, share: float) -> str:
    """The main sentence."""
    created = f"what was created in the last {_length(period)} and has ended"
    return f"{formats.percent(share)} of {created} was delivered."


def nothing_created(period: str) -> str:
    """The main sentence where there is nothing to say."""
    return f"Nothing was created in the last {_length(period)}."


def nothing_ended(period: str) -> str:
    """The main sentence where everything is still open."""
    return f"What was created in the last {_length(period)} is still open."


def stuck_now(stuck: int, at_risk: int) -> str:
    """The sentence after it."""
    if not stuck:
        return "Nothing is stuck."
    return f"{_are(stuck)} stuck now, {_are(at_risk) if at_risk else 'none'} at risk."


def _are(number: int) -> str:
    return f"{formats.count(number)} {'is' if number == 1 else 'are'}"


def _length(period: str) -> str:
    return PERIOD[period].removeprefix("1 ")


def callbacks_stopped(since: str | None, results: int, *, or_more: bool) -> str:
    """When no callback came any more, and how results are found since."""
    found = f"{'at least ' if or_more else ''}{_results(results)} found by asking"
    if since is None:
        return f"**No callback has ever come**: {found}."
    return f"**Callbacks stopped at {since}**: {found} since then."


def _results(number: int) -> str:
    return f"{formats.count(number)} {'result was' if number == 1 else 'results were'}"


def standing_still(counted: str | None) -> str:
    """What to say when nobody keeps the figures up to date."""
    when = f"last counted at {counted}" if counted else "never counted yet"
    return (
        f"**These figures stand still**: {when}. The poller and the webhook keep them up to date, "
        "and neither does: start them."
    )


def within(period: str) -> str:
    """Beside the number of those created."""
    return f"in the last {_length(period)}"


def failed(number: int) -> str:
    """Beside the number of those delivered."""
    return f"{formats.count(number)} failed"


def of_all_created(share: float | None) -> str:
    """Beside the success rate."""
    return f"{formats.percent(share)} of all created"


def in_time(p95: str) -> str:
    """Beside the median."""
    return f"half; 95 % in {p95}"


def files(number: int) -> str:
    """Beside the bytes."""
    return f"{formats.count(number)} {'file' if number == 1 else 'files'}"


def found_by_asking(without: int, results: int) -> str:
    """Beside the callback loss."""
    return f"{formats.count(without)} of {formats.count(results)} results were found by asking"


def brought(channel: Channel, results: int) -> str:
    """A link to what came by a channel."""
    return f"By {channel}: {formats.count(results)}"


def open_these(number: int, what: str) -> str:
    """A link to the generations that a row counts."""
    return f"Open {formats.count(number)} {what}"
