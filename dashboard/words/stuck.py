"""Words of the stuck list."""

from __future__ import annotations

from datetime import timedelta

from core.store.stuck import Limits, Reason, StuckFilter
from dashboard import formats
from dashboard.words.common import REASON

_ALL = "All"
MODEL, USER = "Model", "User"
ANY_MODEL, ANY_USER = "Any model", "Any user"

AGE, WHY, KIE, VERDICT = "Open for", "Why here", "KIE says", "Verdict"
NEXT, DIES, TASK = "Next look", "File dies", "Task"
WHY_HELP = "Over a limit: the general one, or that of its model (p99)"
KIE_SAYS_NOTHING = "nothing yet"
OPEN_ONE = "Open its page"
OPEN_LINK = "Open"

NOTHING = "Nothing is stuck"
NOTHING_HERE = "Nothing that is stuck matches this filter"
SHOW_ALL = "Show all that are stuck"
PAST_THE_END = "No more are stuck after this place of the list."

WHAT_COUNTS = "What counts as stuck"
USUAL_LIMIT = "Stuck after"

HOW_TO_PICK = "Oldest first. Select rows to act on some of them only."
FIRST_PAGE = "From the oldest"
_MATCHING = "all stuck"


def next_page(number: int) -> str:
    """The control that goes on."""
    return f"Next {number}"


def choice(reason: Reason | None, number: int) -> str:
    """A choice of the filter, with how many there are."""
    word = REASON[reason].word if reason else _ALL
    return f"{word} ({formats.count(number)})"


def explanation(limits: Limits, at_risk_after: timedelta, crashes: int) -> str:
    """What is on the list, and why."""
    general = formats.duration(limits.general)
    return "\n".join(
        [
            f"- **{REASON[Reason.SLOW].word}:** queued or generating for more than {general} "
            "(`STUCK_AFTER_MINUTES`), or for longer than KIE took for 99 of 100 of its model's "
            "generations in the last 7 days, where that is sooner.",
            f"- **{REASON[Reason.AT_RISK].word}:** KIE finished it more than "
            f"{formats.duration(at_risk_after)} ago, and it is not stored yet.",
            f"- **{REASON[Reason.SET_ASIDE].word}:** {crashes} workers died with it, so it is "
            "tried alone.",
            f"- **{REASON[Reason.SUBMIT_UNKNOWN].word}:** KIE may or may not have made a task of "
            "it, and none is known.",
        ]
    )


def why(reason: Reason, limits: Limits, model: str) -> str:
    """Why one is on the list; of what is slow, by which limit."""
    if reason is not Reason.SLOW:
        return REASON[reason].word
    limit = formats.duration(limits.of(model))
    return f"Over {limit} (p99)" if model in limits.by_model else f"Over {limit}"


def selection(filter: StuckFilter) -> str:
    """A filter in words, for the timeline of what is done to all that match."""
    wanted = {
        "reason": filter.reason and filter.reason.value,
        "model": filter.model,
        "user": filter.user_id,
    }
    said = [f"{name} {value}" for name, value in wanted.items() if value is not None]
    return ", ".join([_MATCHING, *said])


def picked(filter: StuckFilter) -> str:
    """The same where some of them were picked by hand."""
    return f"picked of {selection(filter)}"


def scope(picked: int, total: int, most: int) -> str:
    """What the buttons are about."""
    if picked:
        return f"{formats.count(picked)} selected"
    if total > most:
        return f"The oldest {formats.count(most)} of {formats.count(total)} that match"
    return f"All {formats.count(total)} that match"


def due(when: str) -> str:
    """Of a look that nobody has taken yet."""
    return f"due {when}"
