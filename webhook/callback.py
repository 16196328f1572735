"""`POST /api/kie/callback`: keep it in one transaction, answer, and only then work.

A callback is a hint: it says when to look, and nothing that it claims is believed.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Mapping

from flask import Blueprint, Response, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from core.errors import CallbackError
from core.kie.callbacks import Callback, read_callback
from core.kie.credentials import Credential, check_credential
from core.masking import mask, mask_headers
from core.store.claims import Lane
from core.store.inbox import TOO_MANY, Received, Verdict
from webhook.callback_keys import CallbackKeys
from webhook.errors import error_response
from webhook.reading import read_body
from webhook.services import services

logger = logging.getLogger(__name__)
blueprint = Blueprint("callback", __name__)

#: Enough of a refused body for a diagnosis; a stranger's megabyte is not worth masking.
REFUSED_BODY_BYTES = 16 * 1024
STATUS_OF_REFUSAL = {"credential": 401, "signature": 401, "body": 400}

_CLAIMED_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as we make them


@blueprint.post("/api/kie/callback")
def receive() -> Response:
    """Keep a callback with its verdict; an accepted one wakes its generation."""
    started = time.perf_counter()
    keys = services().callback_keys
    headers = dict(request.headers.items())
    body = b""
    try:
        body = _body()
        credential = check_credential(request.args, keys.url, keys.not_url)
        callback = _read(body, headers, keys)
    except CallbackError as error:
        return _refuse(error, body, headers, keys, started)
    return _accept(callback, credential, body, headers, keys, started)


def _body() -> bytes:
    try:
        return read_body()
    except RequestEntityTooLarge as error:
        raise CallbackError("body.too_large", "a callback has at most 1 MiB") from error
    except ClientDisconnected as error:
        raise CallbackError("body.cut", "the body ends before its end") from error


def _read(body: bytes, headers: Mapping[str, str], keys: CallbackKeys) -> Callback:
    return read_callback(
        body,
        headers,
        hmac_keys=keys.signature,
        now=services().core.store.now(),
        other_keys=keys.not_signature,
    )


def _accept(
    callback: Callback,
    credential: Credential,
    body: bytes,
    headers: Mapping[str, str],
    keys: CallbackKeys,
    started: float,
) -> Response:
    received = Received(
        body=_shown(body, keys),
        body_sha256=callback.body_sha256,
        headers=mask_headers(headers),
        task_id=callback.task_id,
        generation_id=credential.generation_id,
        stage=callback.stage,
        claimed_state=callback.claimed_state,
    )
    verdict = services().core.store.inbox.accept(received)
    _log(received, verdict, TOO_MANY if verdict is Verdict.REFUSED else None, started)
    if verdict is Verdict.UNMATCHED:
        return error_response(404, "task.unknown", "no generation has this task, so far")
    if verdict is Verdict.REFUSED:  # nothing is acknowledged that is not on record
        return error_response(429, TOO_MANY, "more callbacks of this generation than are kept")
    if verdict is Verdict.ACCEPTED:
        services().workers.nudge(Lane.DELIVER)
    return Response('{"status":"accepted"}\n', mimetype="application/json")


def _refuse(
    error: CallbackError,
    body: bytes,
    headers: Mapping[str, str],
    keys: CallbackKeys,
    started: float,
) -> Response:
    claimed_id = request.args.get("generation", "")
    received = Received(
        body=_shown(body[:REFUSED_BODY_BYTES], keys),
        body_sha256=hashlib.sha256(body).hexdigest(),
        headers=mask_headers(headers),
        task_id=error.task_id or _claimed_task_id(body),
        generation_id=claimed_id if _CLAIMED_ID.fullmatch(claimed_id) else None,
    )
    services().core.store.inbox.refuse(received, error, credential=_opens(keys))
    _log(received, Verdict.REFUSED, error.code, started)
    too_large = error.code == "body.too_large"
    status = 413 if too_large else STATUS_OF_REFUSAL[error.code.partition(".")[0]]
    return error_response(status, error.code, str(error))


def _shown(body: bytes, keys: CallbackKeys) -> str:
    return mask(body.decode("utf-8", "replace"), keys.never_shown)


def _claimed_task_id(body: bytes) -> str | None:
    """What a refused body is about, so that its diagnosis finds it."""
    now = services().core.store.now()
    try:
        return read_callback(body, {}, hmac_keys=(), now=now, other_keys={}).task_id
    except CallbackError:
        return None


def _opens(keys: CallbackKeys) -> bool:
    try:
        check_credential(request.args, keys.url, {})
    except CallbackError:
        return False
    return True


def _log(received: Received, verdict: Verdict, reason: str | None, started: float) -> None:
    extra = {
        "event": "callback.received",
        "task": received.task_id,
        "generation": received.generation_id,
        "stage": received.stage,
        "verdict": verdict.value,
        "reason": reason,
        "ms": round((time.perf_counter() - started) * 1000, 1),
    }
    logger.info("callback %s", verdict.value, extra=extra)
