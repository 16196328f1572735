"""What KIE's answers mean, for a create and for an ask.

KIE answers most errors with HTTP 200 and a `code` in the body (docs.kie.ai, "getting started" and
each endpoint's list of codes), so that code wins over the HTTP status. Where a gateway answered in
KIE's place, there is no such code and the HTTP status is all there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from core.kie import lenient
from core.kie.report import Accepted, AskFailed, CreateAnswer, NotNow, Refused, Unknown
from core.masking import mask

OK = frozenset({0, 200})
NOT_NOW = {
    429: "kie.rate_limited",
    430: "kie.rate_limited",
    455: "kie.unavailable",
    550: "kie.unavailable",
}
#: Documented as final for a create. Proof that no task was made; any other code is none.
REFUSED = frozenset({400, 401, 402, 404, 405, 409, 413, 422, 433, 451, 501, 505, 531})
ASK_FAILED = {
    401: "kie.unauthorized",
    402: "kie.no_credits",
    404: "kie.unknown_task",
    408: "kie.unavailable",
    429: "kie.rate_limited",
    430: "kie.rate_limited",
    433: "kie.key_capped",
    455: "kie.unavailable",
}
MAX_RETRY_AFTER = 3600.0

_CODE = re.compile(r"-?[0-9]{1,9}")
_NO_SUCH_TASK = re.compile(r"\bis null\b|not found|not exist", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer of KIE; `body` is None where it is not a JSON object."""

    http_status: int
    body: Mapping[str, object] | None
    retry_after: float | None = None

    @property
    def code(self) -> int | None:
        """The body's code, else the HTTP status of an error, else None."""
        code = body_code(self.body or {})
        if code is None and self.http_status >= 400:
            return self.http_status
        return code

    @property
    def message(self) -> str:
        """KIE's words, else what little the HTTP status says."""
        body = self.body or {}
        words = lenient.text(body.get("msg"), 500) or lenient.text(body.get("message"), 500)
        return mask(words) if words else f"HTTP {self.http_status} without a message"

    @property
    def data(self) -> object:
        """The body's `data`."""
        return self.body.get("data") if self.body is not None else None


def body_code(body: Mapping[str, object]) -> int | None:
    """The code in a body, from an int or numeric text."""
    written = body.get("code")
    if isinstance(written, int | str) and _CODE.fullmatch(str(written)):
        return int(written)
    return None


def create_answer(answer: Answer) -> CreateAnswer:
    """What a create came to. `Unknown` wherever a task may have been made all the same."""
    code, task_id = answer.code, _task_id(answer)
    if code is None or code in OK or 200 <= code < 300:
        why = f"KIE named no usable task id (HTTP {answer.http_status}): {answer.message}"
        return Accepted(task_id) if task_id else Unknown(why)
    without_word_of_kie = body_code(answer.body or {}) is None
    if task_id or (without_word_of_kie and code >= 500):  # a gateway's word proves nothing
        return Unknown(f"{code}: {answer.message}", task_id)
    if code in NOT_NOW:
        return NotNow(NOT_NOW[code], answer.message, answer.retry_after)
    return (
        Refused(code, answer.message) if code in REFUSED else Unknown(f"{code}: {answer.message}")
    )


def ask_failure(answer: Answer) -> AskFailed | None:
    """Why an ask brought nothing; None where `data` holds the answer."""
    code = answer.code
    if code in OK:
        return None
    return AskFailed(_ask_code(code, answer), answer.message, answer.retry_after)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`, at most an hour; a date counts from the answer's own `Date`."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(value)
        wait = (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER)


def _task_id(answer: Answer) -> str | None:
    data = lenient.fields(answer.data)
    named = (lenient.task_id(data.get(name)) for name in ("taskId", "task_id", "recordId"))
    return next(filter(None, named), None)


def _ask_code(code: int | None, answer: Answer) -> str:
    # A 404 page in HTML is a wrong path or a gateway, and says nothing about the task.
    unreadable = answer.body is None and code not in (401, 402, 429)
    if code is None or unreadable or 500 <= code < 600:
        return "kie.unavailable"
    if code == 422 and _NO_SUCH_TASK.search(answer.message):
        return "kie.unknown_task"
    return ASK_FAILED.get(code, "kie.refused")
