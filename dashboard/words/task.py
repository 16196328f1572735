"""Words of the task page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.diagnosis.asking import UNKNOWN_TASK
from core.generation.asking import QUEUED_STATES
from core.generation.model import Code, Generation
from core.kie.report import SUCCESS
from core.store.inbox import Verdict
from core.store.stuck import SAMPLES, Usual
from core.telling import SENTENCES, told
from dashboard import formats
from dashboard.acts.plan import Act
from dashboard.words import acts
from dashboard.words.common import Look

NOTHING_CHOSEN = "Paste KIE's task id or our id into the search box to see what became of it."
NEWEST = "The newest generations"
NONE_YET = "There is no generation yet. The Create page makes the first one."
UNKNOWN = "No generation has this id"
UNKNOWN_ADVICE = (
    "Check that it was copied whole. It may belong to another installation with the same KIE "
    "account, or have been deleted."
)
NAMED_BY_CALLBACKS = (
    "Callbacks named this id all the same: a task that was not created here, or not yet known here."
)

MODEL, KIND, USER, CREATED, CREDITS = "Model", "Kind", "User", "Created", "Credits"
TOOK, OPEN_FOR, ATTEMPT, LOOKED_AT = "Took", "Open for", "Attempt", "KIE last asked"
NEXT_LOOK, CODE = "Next look", "Code"
OUR_ID, TASK_ID = "Our id", "KIE's task id"
NO_TASK_ID = "None yet"
NOBODY = "Nobody named"

RESULT = "Result"
NO_RESULT = "No file has come yet."
NO_RESULT_EVER = "There is no result."
DOWNLOAD, OPEN_FILE = "Download", "Open"
PERMANENT_URL = "Permanent URL"
TEMPORARY = "Temporary"
PREVIEW = "Preview"
_ROLE: Mapping[str, str] = {
    "main": "the result",
    "watermark": "with watermark",
    "first_frame": "first frame",
    "last_frame": "last frame",
    "object": "data",
}
DATA_OF_RESULT = "The data itself"

DIAGNOSIS = "Diagnosis"
EVIDENCE, SUGGESTIONS = "Why we think so", "What to do"
LOOK_AGAIN = f"the button “{acts.LABEL[Act.LOOK_AGAIN]}” below"

COMPARISON = "Who says what"
FIELD, DATABASE, KIE, STORAGE, AGREEMENT = "", "Database", "KIE", "Storage", "Compared"
DIFFERS = Look("Differs", ":material/difference:", "orange")
AGREES = Look("Agrees", ":material/check:", "gray")
STATE, FILES, ERROR, FINISHED = "State", "Files", "Error", "Finished"
MISSING = "missing"
ASKING_KIE = "KIE is being asked…"
NO_TASK_TO_ASK_ABOUT = "KIE was not asked: it has named no task yet."

TIMELINE = "Timeline"
WHEN, AFTER, WHO, WHAT = "When", "After", "Who", "What"
NO_EVENTS = "Nothing has been noted yet."

CALLBACKS = "Callbacks"
NO_CALLBACKS = "None has come."
HEADERS_AND_BODY = "Headers and body, credentials masked"
VERDICT: Mapping[str, Look] = {
    Verdict.ACCEPTED: Look("Accepted", ":material/check_circle:", "green"),
    Verdict.DUPLICATE: Look("Duplicate", ":material/content_copy:", "gray"),
    Verdict.UNMATCHED: Look("Unmatched", ":material/help:", "orange"),
    Verdict.REFUSED: Look("Refused", ":material/block:", "red"),
}

INPUT = "Input and prompt"
EVERYTHING = "Everything as JSON"

#: Without the paths and addresses that a log line needs: they stand beside the files.
_SHORTER: Mapping[str, str] = {
    "asset.fetched": "fetched file {position}, {size}",
    "asset.stored": "stored file {position}, {size}",
    "asset.restored": "put back file {position}, {size}, which was missing",
}
_WHOSE: Mapping[str, str] = {
    "generation": "We",
    "submit": "We",
    "ask": "We",
    "asset": "We",
    "deletion": "We",
    "provider": "KIE",
    "task_id": "KIE",
    "callback": "Callback",
}


def sentence(name: str, detail: Mapping[str, Any]) -> str:
    """What an event says; its name, where a newer release wrote it."""
    fields = {**detail, "size": formats.size(detail.get("bytes"))}
    if "position" in detail:
        fields["position"] = _number(detail["position"])
    if name in _SHORTER:
        return _SHORTER[name].format_map(defaultdict(lambda: "?", fields))
    return told(name, fields)[0] + _of_several(name, detail) if name in SENTENCES else name


def _of_several(name: str, detail: Mapping[str, Any]) -> str:
    """What an operator's act was part of; empty where it was about this generation alone."""
    number = detail.get("of", 1)
    if not name.startswith("operator.") or number <= 1:
        return ""
    return f" ({detail.get('selection', '?')}, {formats.count(number)} in all)"


def _number(position: int) -> int:
    """People count files from 1."""
    return position + 1


def who(name: str, detail: Mapping[str, Any]) -> str:
    """Whose doing an event is."""
    return str(detail.get("by") or _WHOSE.get(name.partition(".")[0], "We"))


def role(name: str, position: int) -> str:
    """What a file is, and its number as in the timeline: `File 1, with watermark`."""
    return f"File {_number(position)}, {_ROLE.get(name, name)}"


def step(generation: Generation) -> str:
    """Where an open generation stands."""
    if generation.task_id is None:
        return _before_acceptance(generation)
    if generation.provider_state == SUCCESS:
        return _being_stored(generation)
    if generation.provider_state is None:
        return "KIE has accepted it"
    if generation.provider_state in QUEUED_STATES:
        return "It waits in KIE's queue"
    percent = "" if generation.progress is None else f", {generation.progress} % done"
    return f"KIE is making it{percent}"


def _before_acceptance(generation: Generation) -> str:
    if generation.candidate_task_id is not None:
        return "A callback named its task, and KIE is asked whether that is so"
    if generation.error_code == Code.SUBMIT_UNKNOWN:
        return "Sent to KIE, whose answer never came; it is not sent again by itself"
    if generation.submit_started_at is not None:
        return "It is being sent to KIE"
    if generation.error_code == "submit.rate_limited":
        return "Recorded, and waiting for its turn: KIE takes 20 tasks in 10 s"
    return "Recorded; KIE has not accepted it yet"


def _being_stored(generation: Generation) -> str:
    if not generation.assets:
        return "KIE says that it has finished, but names no file yet"
    stored = sum(asset.stored_at is not None for asset in generation.assets)
    return f"Finished at KIE, being stored: {stored} of {len(generation.assets)} files done"


def at_kie(elapsed: timedelta, usual: Usual | None) -> str:
    """How long KIE has had it, against what is usual for its model."""
    had = f"With KIE for {formats.duration(elapsed)}"
    if usual is None or not usual.samples:
        return f"{had}. This model is new here, so how long it takes is not known"
    half = f"half of this model's are done within {formats.milliseconds(usual.p50_ms)}"
    if usual.samples < SAMPLES:
        return f"{had}; {half}"
    return f"{had}; {half}, 99 % within {formats.milliseconds(usual.p99_ms)}"


def failures_of_asking(code: str) -> str:
    """KIE did not tell, as a line."""
    if code == UNKNOWN_TASK:
        return "KIE does not know the task"
    return f"KIE did not tell just now ({code})"


def asked(ago: str) -> str:
    """How old KIE's answer is."""
    return f"KIE was asked {'just now' if ago == 'now' else ago}."


def temporary(host: str, dies: str | None) -> str:
    """Where a file was seen that is not in permanent storage; `dies`: when KIE deletes it."""
    until = f" KIE keeps such files until {dies}." if dies else ""
    return f"Last seen at {host}, and not in permanent storage.{until}"


def not_stored(file: str, code: str | None) -> str:
    """A file that is not there, or not yet."""
    return f"{file}: lost ({code})" if code else f"{file}: not stored yet"


def more_findings(number: int) -> str:
    """What else was found."""
    return f"{number} more finding" + ("s" if number > 1 else "")


def size_of(position: int) -> str:
    """A row of the comparison."""
    return f"Size of file {_number(position)}"


def found_files(stored: int, of: int) -> str:
    """How many files are where they should be."""
    return f"{stored} of {of}"


def next_look(generation: Generation, now: datetime) -> str:
    """When somebody looks at it again."""
    if generation.is_held(now):
        return "a worker is on it"
    if generation.due_at is None:
        return "not planned"
    return formats.ago(generation.due_at, now) if generation.due_at > now else "due now"
