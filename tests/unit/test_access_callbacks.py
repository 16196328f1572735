"""What lets a callback in: URL credentials and signatures, right and nearly so."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core.generation.model import Generation
from core.kie.credentials import callback_token
from tests.support.api import Api, code_of, open_api, told
from tests.support.databases import on_sqlite

pytestmark = on_sqlite  # credentials are checked before any database is asked
NEW, OLD, RETIRED = "secret-new", "secret-old", "secret-retired"
NEW_KEY, OLD_KEY, RETIRED_KEY = "key-new", "key-old", "key-retired"
API_TOKEN, KIE_KEY = "the-api-token", "the-kie-key"

Signature = dict[str, str]
MakesUrl = Callable[[str], str]
MakesSignature = Callable[[int], Signature]


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    keys = {"api_token": API_TOKEN, "kie_api_key": KIE_KEY}
    hmac_keys = {"kie_webhook_hmac_key": f"{NEW_KEY}, {OLD_KEY}"}
    secrets = {"kie_callback_secret": f"{NEW},{OLD}"}
    with open_api(tmp_path, database_url, **keys, **secrets, **hmac_keys) as opened:
        yield opened


def waiting(api: Api, task: str = "task-1") -> Generation:
    """The generation that a callback is about, not due before somebody says something."""
    return api.world.row(api.world.add_submitted(task, due_at=None))


def by_token(id: str, secret: str = NEW) -> str:
    return f"generation={id}&token={callback_token(secret, id)}"


def sign(now: int, *, key: str = NEW_KEY, age: int = 0, task: str = "task-1") -> Signature:
    mac = hmac.new(key.encode(), f"{task}.{now - age}".encode(), hashlib.sha256).digest()
    return headers(base64.b64encode(mac).decode(), str(now - age))


def headers(signature: str, timestamp: str) -> Signature:
    return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": timestamp}


def changed(now: int, change: Callable[[str], str]) -> Signature:
    right = sign(now)
    return headers(change(right["X-Webhook-Signature"]), right["X-Webhook-Timestamp"])


URLS: dict[str, tuple[MakesUrl, str | None]] = {
    "token of this generation": (by_token, None),
    "token made before the secret was changed": (lambda id: by_token(id, OLD), None),
    "token of a secret that was taken out": (lambda id: by_token(id, RETIRED), "credential.wrong"),
    "the shared secret": (lambda _: f"secret={NEW}", None),
    "the shared secret of before": (lambda _: f"secret={OLD}", None),
    "the shared secret, taken out": (lambda _: f"secret={RETIRED}", "credential.wrong"),
    "all of the setting": (lambda _: f"secret={NEW},{OLD}", "credential.wrong"),
    "nothing": (lambda _: "", "credential.missing"),
    "an id alone": (lambda id: f"generation={id}", "credential.missing"),
    "another generation's token": (
        lambda id: f"generation={id}&token={callback_token(NEW, 'other')}",
        "credential.wrong",
    ),
    "a token without its id": (lambda id: f"token={callback_token(NEW, id)}", "credential.wrong"),
    "the secret as a token": (lambda id: f"generation={id}&token={NEW}", "credential.wrong"),
    "a token as the secret": (lambda id: f"secret={callback_token(NEW, id)}", "credential.wrong"),
    "small letters": (lambda id: by_token(id).swapcase().lower(), "credential.wrong"),
    "the id in capitals": (
        lambda id: f"generation={id.upper()}&token={callback_token(NEW, id)}",
        "credential.wrong",
    ),
    "padded base64": (lambda id: f"{by_token(id)}=", "credential.wrong"),
    "a space behind": (lambda id: f"{by_token(id)}%20", "credential.wrong"),
    "a NUL behind": (lambda id: f"{by_token(id)}%00", "credential.wrong"),
    "encoded twice": (
        lambda id: f"generation={id}&token={quote(quote(f'{callback_token(NEW, id)}/', safe=''))}",
        "credential.wrong",
    ),
    "cut by a letter": (lambda id: by_token(id)[:-1], "credential.wrong"),
    "a wrong one, then the right one": (
        lambda id: f"generation={id}&token=forged&{by_token(id)}",
        "credential.wrong",
    ),
    "names in capitals": (lambda id: by_token(id).replace("token", "TOKEN"), "credential.missing"),
    "KIE's key": (lambda _: f"secret={KIE_KEY}", "credential.other_key"),
    "the API's token": (lambda _: f"secret={API_TOKEN}", "credential.other_key"),
    "made with the HMAC key": (lambda id: by_token(id, NEW_KEY), "credential.other_key"),
}

SIGNATURES: dict[str, tuple[MakesSignature, str | None]] = {
    "right": (sign, None),
    "of the key of before": (lambda now: sign(now, key=OLD_KEY), None),
    "of a key that was taken out": (lambda now: sign(now, key=RETIRED_KEY), "signature.wrong"),
    "of another task": (lambda now: sign(now, task="task-2"), "signature.wrong"),
    "300 s old": (lambda now: sign(now, age=300), None),
    "301 s old": (lambda now: sign(now, age=301), "signature.stale"),
    "300 s ahead": (lambda now: sign(now, age=-300), None),
    "301 s ahead": (lambda now: sign(now, age=-301), "signature.stale"),
    "a day old": (lambda now: sign(now, age=86_400), "signature.stale"),
    "old, with a fresh timestamp": (
        lambda now: sign(now, age=301) | {"X-Webhook-Timestamp": str(now)},
        "signature.wrong",
    ),
    "none": (lambda now: {}, "signature.missing"),
    "no timestamp": (
        lambda now: headers(sign(now)["X-Webhook-Signature"], ""),
        "signature.missing",
    ),
    "no signature": (lambda now: headers("", str(now)), "signature.missing"),
    "in small letters": (lambda now: changed(now, str.lower), "signature.wrong"),
    "in hex": (
        lambda now: changed(now, lambda text: base64.b64decode(text).hex()),
        "signature.malformed",
    ),
    "without padding": (
        lambda now: changed(now, lambda text: text.rstrip("=")),
        "signature.malformed",
    ),
    "twice": (lambda now: changed(now, lambda text: f"{text}, {text}"), "signature.malformed"),
    "with a prefix": (lambda now: changed(now, "sha256={}".format), "signature.malformed"),
    "all zeros": (lambda now: headers("A" * 43 + "=", str(now)), "signature.wrong"),
    "a timestamp with a sign": (
        lambda now: sign(now) | {"X-Webhook-Timestamp": f"+{now}"},
        "signature.malformed",
    ),
    "milliseconds": (
        lambda now: sign(now) | {"X-Webhook-Timestamp": f"{now}000"},
        "signature.malformed",
    ),
    "digits of another script": (
        lambda now: sign(now) | {"X-Webhook-Timestamp": "\u00b9" * 10},
        "signature.malformed",
    ),
    "of the callback secret": (lambda now: sign(now, key=NEW), "signature.other_key"),
}


def knocks(api: Api, urls: Iterable[MakesUrl], signatures: Iterable[MakesSignature]) -> list[Any]:
    """The code of each refusal, which changed nothing; None where it was let in."""
    generation = waiting(api)
    return [_knock(api, generation, url, sign) for url in urls for sign in signatures]


def _knock(
    api: Api, generation: Generation, make_url: MakesUrl, make_signature: MakesSignature
) -> str | None:
    before = api.world.row(generation)
    api.world.clock.advance(1)
    url = f"/api/kie/callback?{make_url(generation.id)}"
    response = api.client.post(url, json=told(), headers=make_signature(seconds(api)))
    if response.status_code == 200:
        return None
    status, code = code_of(response)
    assert (status, api.world.row(generation)) == (401, before)
    return code


def seconds(api: Api) -> int:
    return int(api.world.clock().timestamp())


def test_what_a_url_opens(api: Api) -> None:
    given = knocks(api, [make for make, _ in URLS.values()], [sign])
    assert dict(zip(URLS, given, strict=True)) == {name: code for name, (_, code) in URLS.items()}


def test_what_a_signature_opens(api: Api) -> None:
    given = knocks(api, [by_token], [make for make, _ in SIGNATURES.values()])
    expected = {name: code for name, (_, code) in SIGNATURES.items()}
    assert dict(zip(SIGNATURES, given, strict=True)) == expected


def test_no_signature_stands_in_for_the_url(api: Api) -> None:
    refused = {make: code for make, code in URLS.values() if code}
    given = knocks(api, refused, [sign, SIGNATURES["none"][0]])
    assert (given[::2], given[1::2]) == (list(refused.values()), list(refused.values()))


@pytest.mark.parametrize("where", ["header", "cookie", "body"])
def test_a_credential_elsewhere_than_in_the_url_opens_nothing(api: Api, where: str) -> None:
    token = callback_token(NEW, waiting(api).id)
    shown = {"Authorization": f"Bearer {token}"} if where == "header" else {}
    shown |= {"Cookie": f"token={token}; secret={NEW}"} if where == "cookie" else {}
    body = told() | ({"secret": NEW, "token": token} if where == "body" else {})
    response = api.client.post("/api/kie/callback", json=body, headers=sign(seconds(api)) | shown)
    assert code_of(response) == (401, "credential.missing")


def test_a_replay_with_another_body_makes_us_look_and_claims_nothing(api: Api) -> None:
    """KIE's signature covers the task id and the time, not the body."""
    generation, signature = waiting(api), sign(seconds(api))
    url = f"/api/kie/callback?{by_token(generation.id)}"
    forged = told(state="fail", failMsg="forged", resultJson='{"resultUrls":["http://evil.test"]}')
    for body in (told(), forged):
        assert api.client.post(url, json=body, headers=signature).status_code == 200
    row = api.world.row(generation)
    assert (row.status, row.error, row.assets) == (generation.status, None, ())
    api.world.finish()
    assert api.world.advance(generation).status == "success"
