"""Callbacks: whether KIE's come, and whether one of our own does."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import urlsplit

from core.checks.address import NO_ANSWER, Answer, read_answer
from core.checks.model import CheckState, Outcome, Surroundings, one_line
from core.deadline import time_limit
from core.diagnosis.words import when
from core.ids import new_id, new_token
from core.kie import lenient
from core.kie.credentials import callback_url
from core.media.guard import is_public
from core.settings import is_loopback
from core.signing import hmac_sha256
from core.store.health import last_callback_at
from core.store.inbox import UNKNOWN_TASK
from core.store.taking_back import take_back

PROOF_LASTS = timedelta(days=1)
CALLBACK_SECONDS = 10.0  # the webhook answers 503 before that where it cannot write
TRY_ONE = "Create a test task and see whether its callback comes."

#: What a refusal of ours is about, by the first word of its code.
_REMEDIES = {
    "credential": "Give all processes the same KIE_CALLBACK_SECRET (unset, it is made up in"
    " DATA_DIR), and restart them.",
    "signature": "Give all processes the same KIE_WEBHOOK_HMAC_KEY, and restart them; for"
    " `signature.stale` see the check `clock`.",
}
_OTHERWISE = "Read the webhook's log."


def last_callback(around: Surroundings) -> Outcome:
    """Whether KIE is asked to call back, and whether it lately did."""
    settings = around.settings
    url = settings.public_base_url
    remedy = (
        "Set PUBLIC_BASE_URL to an address that KIE can call; until then polling finds results."
    )
    if not settings.sends_callback_url:
        return Outcome(CheckState.WARNING, f"not asked for: KIE cannot call {url}", remedy)
    if _is_private(url) and not is_loopback(settings.kie_base_url):
        return Outcome(CheckState.WARNING, f"KIE cannot call {url}: a private address", remedy)
    return _last_accepted(around, url)


def _last_accepted(around: Surroundings, url: str) -> Outcome:
    with around.database.read() as connection:
        last = last_callback_at(connection)
    now = around.now()
    if last is None:
        found = f"none accepted yet, which alone would prove that KIE reaches {url}"
        return Outcome(CheckState.UNKNOWN, found, TRY_ONE)
    if now - last > PROOF_LASTS:
        found = f"last accepted {when(last, now)}: no proof that KIE still reaches {url}"
        return Outcome(CheckState.UNKNOWN, found, TRY_ONE)
    return Outcome(CheckState.OK, f"last accepted {when(last, now)}, so KIE reaches {url}")


def _is_private(url: str) -> bool:
    try:
        return not is_public(urlsplit(url).hostname or "")
    except ValueError:  # a name, of which only KIE knows where it leads
        return False


def own_callback(around: Surroundings) -> Outcome:
    """Whether a callback that we send is verified and kept where we read; it is taken back."""
    if not around.callback_secrets:
        found = "KIE_CALLBACK_SECRET is not set, and none was made up so far"
        return Outcome(CheckState.UNKNOWN, found, "Start the webhook, which makes one up.")
    task_id = f"doctor-{new_token()}"
    try:
        answer = _send(around, task_id)
    except NO_ANSWER as error:
        return _unanswered(around, error)
    finally:
        was_kept = take_back(around.database, task_id)
    return _judged(around.settings.public_base_url, answer, was_kept=was_kept)


def _send(around: Surroundings, task_id: str) -> Answer:
    """Call back about a task that nobody has, as KIE would."""
    url = callback_url(around.settings.public_base_url, around.callback_secrets[0], new_id())
    body = {"code": 200, "msg": "python -m core doctor", "data": {"taskId": task_id}}
    headers = _signature(around, task_id)
    request = around.http.stream("POST", url, json=body, headers=headers, timeout=CALLBACK_SECONDS)
    with time_limit(CALLBACK_SECONDS), request as response:
        return read_answer(response)


def _signature(around: Surroundings, task_id: str) -> dict[str, str]:
    keys = around.settings.hmac_keys
    if not keys:
        return {}
    timestamp = str(int(around.now().timestamp()))
    digest = hmac_sha256(keys[0], f"{task_id}.{timestamp}")
    return {
        "X-Webhook-Timestamp": timestamp,
        "X-Webhook-Signature": base64.b64encode(digest).decode(),
    }


def _unanswered(around: Surroundings, error: Exception) -> Outcome:
    url = around.settings.public_base_url
    state = CheckState.FAILED if is_loopback(url) else CheckState.WARNING
    return Outcome(state, f"no answer: {type(error).__name__}", "See the check `public_address`.")


def _judged(url: str, answer: Answer, *, was_kept: bool) -> Outcome:
    code = lenient.text(lenient.fields(answer.json.get("error")).get("code"), 64)
    if answer.status == 404 and code == UNKNOWN_TASK:
        return _arrived(url, was_kept=was_kept)
    if answer.location:
        found = f"HTTP {answer.status} redirects to {answer.leads_to}, and KIE may not follow"
        remedy = "Set PUBLIC_BASE_URL to the address that it leads to."
    elif code is not None:
        found = f"our webhook refused it: HTTP {answer.status}, `{one_line(code)}`"
        remedy = _REMEDIES.get(code.partition(".")[0], _OTHERWISE)
    else:
        found = f"HTTP {answer.status}, but not by our webhook: something in front answered"
        remedy = _in_front(answer.status)
    return Outcome(CheckState.FAILED, found, remedy)


def _in_front(status: int) -> str:
    if status in (401, 403, 407):
        return "Have the proxy pass /api/kie/callback on without a login or filter: KIE has none."
    if status == 413:
        return "Have the proxy take bodies of up to 1 MiB."
    if status >= 500:
        return "The proxy does not reach the webhook: start it, or correct where it is looked for."
    return "Have the proxy pass POST /api/kie/callback on to the webhook, as it is."


def _arrived(url: str, *, was_kept: bool) -> Outcome:
    if was_kept:
        found = f"one sent to {url} was verified, kept in this database and taken back"
        return Outcome(CheckState.OK, found)
    found = f"one sent to {url} was verified, but is not in this database"
    remedy = (
        "Give the webhook at PUBLIC_BASE_URL the same DATABASE_URL. Or over 1,000 unmatched"
        " callbacks came within this hour: more are not kept."
    )
    return Outcome(CheckState.FAILED, found, remedy)
