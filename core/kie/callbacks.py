"""Bytes and headers of a callback in, a value or a named refusal out. No I/O.

Sources: docs.kie.ai/market/common/get-task-detail (a market callback has recordInfo's `data`) and
the callback page of each other family. A callback is a hint: what it claims is kept only to be
compared with what KIE answers when asked with our key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import CallbackError
from core.kie import lenient
from core.kie.codes import OK, body_code
from core.kie.families.results import main_urls
from core.kie.report import FAIL, SUCCESS
from core.kie.signatures import signed_task_id

_SUCCESS_WORDS = frozenset({"success", "complete"})
_FAIL_WORDS = frozenset({"fail", "failed", "error"})
_FAIL_ENDINGS = ("_failed", "_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a request that claims to be KIE's says."""

    task_id: str
    stage: str  # state, Suno's callbackType, else "success" or "fail" by code, else "unknown"
    claimed_state: str | None  # success or fail where it claims to be final
    body_sha256: str  # of the original bytes


def read_callback(
    body: bytes,
    headers: Mapping[str, str],
    *,
    hmac_keys: Sequence[str],
    now: datetime,
    other_keys: Mapping[str, Sequence[str]],
) -> Callback:
    """The callback in a request body; a signature is required when there are `hmac_keys`.

    Raises CallbackError and nothing else: `body.not_json`, `body.no_task_id`, `body.bad_task_id`,
    then the codes of `signed_task_id`.
    """
    try:
        payload = lenient.parse(body)
    except ValueError as error:
        raise CallbackError("body.not_json", "the body is not JSON") from error
    envelope = payload if isinstance(payload, dict) else {}
    task_ids = _task_ids(envelope)
    task_id = task_ids[0]
    if hmac_keys:
        by_name = {name.lower(): value for name, value in headers.items()}
        task_id = signed_task_id(task_ids, by_name, keys=hmac_keys, other_keys=other_keys, now=now)
    stage = _stage(envelope)
    return Callback(
        task_id=task_id,
        stage=stage,
        claimed_state=_claimed_state(stage),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def claimed_urls(body: str) -> tuple[str, ...]:
    """The main files that a callback's body names, as far as it can be read; it may be masked."""
    try:
        data = lenient.fields(lenient.fields(lenient.parse(body.encode())).get("data"))
    except ValueError:
        return ()
    return main_urls(data.get("resultJson")) or main_urls(data)


def _task_ids(envelope: Mapping[str, object]) -> list[str]:
    """Every id the body names; which place holds it depends on the family."""
    data = lenient.fields(envelope.get("data"))
    named = [
        value
        for value in (
            data.get("task_id"),
            data.get("taskId"),
            envelope.get("taskId"),
            envelope.get("task_id"),
        )
        if value not in (None, "")
    ]
    if not named:
        raise CallbackError("body.no_task_id", "the body names no task id")
    task_ids = list(dict.fromkeys(found for value in named if (found := lenient.task_id(value))))
    if not task_ids:
        raise CallbackError("body.bad_task_id", "a task id has 1-128 of A-Z a-z 0-9 . _ : -")
    return task_ids


def _stage(envelope: Mapping[str, object]) -> str:
    """One task is called back about once per stage, so duplicates are told by it too."""
    data = lenient.fields(envelope.get("data"))
    for name in ("callbackType", "state", "status"):
        if word := lenient.text(data.get(name), 64):
            return word.lower()
    code = body_code(envelope)
    if code is None:
        return "unknown"
    return SUCCESS if code in OK else FAIL


def _claimed_state(stage: str) -> str | None:
    if stage in _SUCCESS_WORDS:
        return SUCCESS
    return FAIL if stage in _FAIL_WORDS or stage.endswith(_FAIL_ENDINGS) else None
