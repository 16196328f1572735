"""The ways between us and KIE: its API, our public address, its callbacks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import httpcore
import httpx

from core.checks.model import CheckState, Outcome, Surroundings, one_line
from core.deadline import BoundedTransport, time_limit
from core.diagnosis.remedies import ASKING
from core.diagnosis.words import when
from core.kie import lenient
from core.kie.report import AskFailed
from core.media.guard import is_public
from core.settings import is_loopback
from core.store.health import last_callback_at

PROOF_LASTS = timedelta(days=1)
LOW_CREDITS = Decimal(100)
HEALTH_SECONDS = 3.0
HEALTH_BYTES = 1024
TRY_ONE = "Create a test task and see whether its callback comes."


def health_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """The client that asks our own public address, to be closed by its owner."""
    return httpx.Client(
        transport=transport or BoundedTransport(httpcore.SyncBackend(), httpx.Limits()),
        timeout=HEALTH_SECONDS,
        follow_redirects=False,
        trust_env=False,
    )


def callbacks(around: Surroundings) -> Outcome:
    """Whether KIE is asked to call back, and whether it lately did."""
    settings = around.core.settings
    url = settings.public_base_url
    remedy = (
        "Set PUBLIC_BASE_URL to an address that KIE can call; until then polling finds results."
    )
    if not settings.sends_callback_url:
        return Outcome(CheckState.WARNING, f"not asked for: KIE cannot call {url}", remedy)
    if _is_private(url) and not is_loopback(settings.kie_base_url):
        return Outcome(CheckState.WARNING, f"KIE cannot call {url}: a private address", remedy)
    return _last_callback(around, url)


def _last_callback(around: Surroundings, url: str) -> Outcome:
    with around.core.store.database.read() as connection:
        last = last_callback_at(connection)
    now = around.core.store.now()
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


def public_address(around: Surroundings) -> Outcome:
    """Whether files and callbacks come to us; a way from here is no proof of one from outside."""
    url = around.core.settings.public_base_url
    if problem := _problem_at(url, around.http):
        return _not_ours(url, problem)
    if urlsplit(url).scheme != "https" and not is_loopback(url):
        found = f"{url} answers, but all can read the callback tokens that are sent to it"
        return Outcome(CheckState.WARNING, found, "Serve it by https and change PUBLIC_BASE_URL.")
    return Outcome(CheckState.OK, f"{url} leads to our webhook, seen from here")


def _not_ours(url: str, problem: str) -> Outcome:
    found = f"{url} does not lead to our webhook, seen from here: {problem}"
    if is_loopback(url):
        return Outcome(CheckState.FAILED, found, "Start the webhook on the port of that address.")
    remedy = "Check DNS and proxy. If only the way from inside is closed, `callbacks` is the proof."
    return Outcome(CheckState.WARNING, found, remedy)


def _problem_at(url: str, http: httpx.Client) -> str | None:
    """Why `/api/health` there is not ours; None where it is."""
    try:
        with time_limit(HEALTH_SECONDS), http.stream("GET", f"{url}/api/health") as response:
            body = next(response.iter_bytes(HEALTH_BYTES), b"")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return type(error).__name__
    try:
        is_ours = response.status_code == 200 and lenient.parse(body) == {"status": "ok"}
    except ValueError:
        is_ours = False
    return None if is_ours else f"HTTP {response.status_code} with another answer"


def kie(around: Surroundings) -> Outcome:
    """Whether KIE accepts our key, and how many credits are left."""
    settings = around.core.settings
    host = urlsplit(settings.kie_base_url).netloc
    who = f"the simulator at {host}" if is_loopback(settings.kie_base_url) else host
    if settings.kie_api_key is None:
        remedy = "Set KIE_API_KEY, and restart webhook and poller."
        return Outcome(CheckState.FAILED, f"there is no key for {who}", remedy)
    left = around.core.kie.credits()
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
