"""KIE's webhook signature: base64 of HMAC-SHA256 over `taskId.timestamp`.

Source: docs.kie.ai/common-api/webhook-verification. The body is not covered, so a signature proves
that KIE spoke of this task at that time, and nothing that the body says about it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import CallbackError
from core.signing import hmac_sha256, matches_any

TOLERANCE_SECONDS = 300
DIGEST_BYTES = 32

_TIMESTAMP = re.compile(r"[0-9]{1,11}")


def signed_task_id(
    task_ids: Sequence[str],
    headers: Mapping[str, str],
    *,
    keys: Sequence[str],
    other_keys: Mapping[str, Sequence[str]],
    now: datetime,
) -> str:
    """The first of the task ids for which the signature verifies with one of the keys.

    `headers` have lower-case names. Raises CallbackError: `signature.missing`, `.malformed`,
    `.wrong`, `.other_key` (it verifies with a key of another setting) or `.stale`.
    """
    try:
        signature, timestamp = _signature(headers)
        task_id = _verified(task_ids, signature, timestamp, keys)
        if task_id is None:
            raise _not_ours(task_ids, signature, timestamp, other_keys)
        _check_age(int(timestamp), now)
    except CallbackError as error:
        error.task_id = task_ids[0]
        raise
    return task_id


def _signature(headers: Mapping[str, str]) -> tuple[bytes, str]:
    written = headers.get("x-webhook-signature", "").strip()
    timestamp = headers.get("x-webhook-timestamp", "").strip()
    if not written or not timestamp:
        raise CallbackError("signature.missing", "no signature and timestamp headers")
    try:
        signature = base64.b64decode(written, validate=True)
    except ValueError:
        signature = b""
    if len(signature) != DIGEST_BYTES or not _TIMESTAMP.fullmatch(timestamp):
        raise CallbackError("signature.malformed", "not base64 of 32 bytes and Unix seconds")
    return signature, timestamp


def _verified(
    task_ids: Sequence[str], signature: bytes, timestamp: str, keys: Sequence[str]
) -> str | None:
    verified = [
        task_id
        for task_id in task_ids
        if matches_any(signature, [hmac_sha256(key, f"{task_id}.{timestamp}") for key in keys])
    ]
    return verified[0] if verified else None


def _not_ours(
    task_ids: Sequence[str],
    signature: bytes,
    timestamp: str,
    other_keys: Mapping[str, Sequence[str]],
) -> CallbackError:
    for setting, keys in other_keys.items():
        if _verified(task_ids, signature, timestamp, keys):
            message = f"signed with a key that is configured as {setting}"
            return CallbackError("signature.other_key", message)
    return CallbackError("signature.wrong", "the signature verifies with none of our keys")


def _check_age(timestamp: int, now: datetime) -> None:
    age = round(now.timestamp() - timestamp)
    if abs(age) > TOLERANCE_SECONDS:
        direction = "behind" if age > 0 else "ahead of"
        raise CallbackError(
            "signature.stale",
            f"rightly signed, but KIE's clock is {abs(age)} s {direction} ours,"
            " or an old request was sent again",
        )
