"""Our public address, as it is seen from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin

import httpcore
import httpx

from core.checks.model import CheckState, Outcome, Surroundings, one_line
from core.deadline import BoundedTransport, time_limit
from core.kie import lenient
from core.settings import is_loopback

ANSWER_SECONDS = 3.0
ANSWER_BYTES = 4096
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)


class Answer(NamedTuple):
    """An HTTP answer; of its body at most what was asked for."""

    status: int
    body: bytes
    location: str | None  # where a redirect leads to

    @property
    def json(self) -> Mapping[str, object]:
        """The body as a JSON object; empty where it is none."""
        try:
            return lenient.fields(lenient.parse(self.body))
        except ValueError:
            return {}

    @property
    def leads_to(self) -> str:
        """Where a redirect leads to, for people: queries may hold secrets."""
        return one_line((self.location or "nowhere").partition("?")[0])


def plain_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """The client that asks our own public address, to be closed by its owner."""
    return httpx.Client(
        transport=transport or BoundedTransport(httpcore.SyncBackend(), httpx.Limits()),
        headers={"Accept-Encoding": "identity"},
        timeout=ANSWER_SECONDS,
        follow_redirects=False,
        trust_env=False,
    )


def ask(http: httpx.Client, url: str, *, at_most: int = ANSWER_BYTES) -> Answer:
    """What GET answers in time. Raises one of NO_ANSWER."""
    with time_limit(ANSWER_SECONDS), http.stream("GET", url) as response:
        return read_answer(response, at_most)


def read_answer(response: httpx.Response, at_most: int = ANSWER_BYTES) -> Answer:
    """Status, redirect and the beginning of the body."""
    response.headers.pop("content-encoding", None)  # unpacked, one piece may be of any size
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) >= at_most:
            break
    location = response.headers.get("location") if response.is_redirect else None
    absolute = urljoin(str(response.url), location) if location else None
    return Answer(response.status_code, bytes(body[:at_most]), absolute)


def public_address(around: Surroundings) -> Outcome:
    """Whether files and callbacks come to us; a way from here is no proof of one from outside."""
    url = around.settings.public_base_url
    try:
        answer = ask(around.http, f"{url}/api/health")
    except NO_ANSWER as error:
        return _not_ours(url, type(error).__name__, _START if is_loopback(url) else _CHECK)
    if answer.location:
        problem = f"HTTP {answer.status} redirects to {answer.leads_to}"
        return _not_ours(url, problem, "Set PUBLIC_BASE_URL to the address that it leads to.")
    if answer.status != 200 or answer.json != {"status": "ok"}:
        problem = f"HTTP {answer.status} with another answer"
        return _not_ours(url, problem, _START if is_loopback(url) else _CHECK)
    return Outcome(CheckState.OK, f"{url} leads to our webhook, seen from here")


_START = "Start the webhook on the port of that address."
_CHECK = "Check DNS and proxy. If only the way from inside is closed, `callbacks` is the proof."


def _not_ours(url: str, problem: str, remedy: str) -> Outcome:
    state = CheckState.FAILED if is_loopback(url) else CheckState.WARNING
    found = f"{url} does not lead to our webhook, seen from here: {problem}"
    return Outcome(state, found, remedy)
