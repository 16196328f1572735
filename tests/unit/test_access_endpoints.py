"""What each credential opens: every endpoint, by every method, with tokens right and nearly so."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from core.kie.credentials import callback_token
from tests.support.api import SECRET, Api, code_of, open_api
from tests.support.databases import on_sqlite, rows

pytestmark = on_sqlite  # no database is asked before the credential is
TOKEN = "Token-of-the-API+/=~"
KIE_KEY = "the-key-of-kie"
HMAC_KEY = "the-hmac-key"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")

#: A new endpoint has to be placed in one of these, or a test fails.
NEEDS_TOKEN = {
    "create.create_task": {"POST", "OPTIONS"},
    "sync.sync": {"GET", "HEAD", "OPTIONS"},
    "debug.debug": {"GET", "HEAD", "OPTIONS"},
    "generations.read_page": {"GET", "HEAD", "OPTIONS"},
    "generations.read_one": {"GET", "HEAD", "OPTIONS"},
    "generations.delete": {"DELETE", "OPTIONS"},
}
OPEN = {
    "health.health": {"GET", "HEAD", "OPTIONS"},
    "health.ready": {"GET", "HEAD", "OPTIONS"},
    "assets.serve": {"GET", "HEAD", "OPTIONS"},
    "docs.openapi": {"GET", "HEAD", "OPTIONS"},
    "docs.page": {"GET", "HEAD", "OPTIONS"},
}
HAS_ITS_OWN = {"callback.receive": {"POST", "OPTIONS"}}


class Presented(NamedTuple):
    """What a caller shows."""

    headers: list[tuple[str, str]]
    query: dict[str, str]


def bearing(*values: str) -> Presented:
    return Presented([("Authorization", value) for value in values], {})


def header(name: str, value: str) -> Presented:
    return Presented([(name, value)], {})


RIGHT = {
    "as documented": bearing(f"Bearer {TOKEN}"),
    "scheme in small letters": bearing(f"bearer {TOKEN}"),
    "scheme in capitals": bearing(f"BEARER {TOKEN}"),
    "two spaces": bearing(f"Bearer  {TOKEN}"),
    "space behind": bearing(f"Bearer {TOKEN} "),
}
WRONG = {
    "nothing": Presented([], {}),
    "empty": bearing(""),
    "no token": bearing("Bearer "),
    "another token": bearing("Bearer wrong"),
    "no scheme": bearing(TOKEN),
    "another scheme": bearing(f"Token {TOKEN}"),
    "basic": bearing(f"Basic {base64.b64encode(f'api:{TOKEN}'.encode()).decode()}"),
    "scheme alike": bearing(f"Bearers {TOKEN}"),
    "space before": bearing(f" Bearer {TOKEN}"),
    "tab between": bearing(f"Bearer\t{TOKEN}"),
    "small letters": bearing(f"Bearer {TOKEN.lower()}"),
    "swapped case": bearing(f"Bearer {TOKEN.swapcase()}"),
    "percent-encoded": bearing(f"Bearer {quote(TOKEN, safe='')}"),
    "base64": bearing(f"Bearer {base64.b64encode(TOKEN.encode()).decode()}"),
    "quoted": bearing(f'Bearer "{TOKEN}"'),
    "one letter less": bearing(f"Bearer {TOKEN[:-1]}"),
    "one letter more": bearing(f"Bearer {TOKEN}x"),
    "twice in one": bearing(f"Bearer {TOKEN}, Bearer {TOKEN}"),
    "two headers, first right": bearing(f"Bearer {TOKEN}", "Bearer wrong"),
    "two headers, second right": bearing("Bearer wrong", f"Bearer {TOKEN}"),
    "two headers, both right": bearing(f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
    "not Latin-1": bearing("Bearer \xff\xfe"),
    "in X-Api-Key": header("X-Api-Key", TOKEN),
    "in Proxy-Authorization": header("Proxy-Authorization", f"Bearer {TOKEN}"),
    "in X-Authorization": header("X-Authorization", f"Bearer {TOKEN}"),
    "in a cookie": header("Cookie", f"Authorization=Bearer {TOKEN}; token={TOKEN}"),
    "says it comes from here": header("X-Forwarded-For", "127.0.0.1"),
    "says it is called as here": header("X-Forwarded-Host", "localhost"),
    "method in a header": header("X-HTTP-Method-Override", "OPTIONS"),
    "in the query": Presented([], {"token": TOKEN, "api_token": TOKEN, "access_token": TOKEN}),
    "callback secret": bearing(f"Bearer {SECRET}"),
    "callback secret in the query": Presented([], {"secret": SECRET}),
    "KIE's key": bearing(f"Bearer {KIE_KEY}"),
    "HMAC key": bearing(f"Bearer {HMAC_KEY}"),
    "a callback token": bearing(f"Bearer {callback_token(SECRET, 'x')}"),
    "a callback URL": Presented([], {"generation": "x", "token": callback_token(SECRET, "x")}),
}


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    keys = {"kie_api_key": KIE_KEY, "kie_webhook_hmac_key": HMAC_KEY}
    with open_api(tmp_path, database_url, api_token=TOKEN, **keys) as opened:
        yield opened


def endpoints(api: Api) -> dict[str, tuple[str, set[str]]]:
    """Path and methods of every endpoint that the app has."""
    rules = api.client.application.url_map.iter_rules()
    paths = {"generation_id": "x", "path": "x.png"}
    return {
        rule.endpoint: (
            rule.rule.replace("<path:path>", paths["path"]).replace(
                "<generation_id>", paths["generation_id"]
            ),
            set(rule.methods or ()),
        )
        for rule in rules
    }


def call(api: Api, method: str, path: str, shown: Presented, **more: Any) -> TestResponse:
    return api.client.open(
        path,
        method=method,
        headers=Headers(shown.headers),
        query_string=shown.query,
        buffered=True,
        **more,
    )


def walk(
    api: Api, table: dict[str, set[str]], shown: dict[str, Presented], **more: Any
) -> dict[tuple[str, str, str], TestResponse]:
    """The answers of all endpoints of a table, by endpoint, method and what was shown."""
    everywhere = endpoints(api)
    return {
        (endpoint, method, name): call(api, method, everywhere[endpoint][0], each, **more)
        for endpoint, methods in table.items()
        for method in methods
        for name, each in shown.items()
    }


def contents(api: Api) -> list[Any]:
    url = api.world.core.settings.database
    tables = ("generations", "callbacks", "events", "refusals")
    return [rows(url, f"SELECT * FROM {table}") for table in tables]


def test_every_endpoint_has_its_place_in_the_tables(api: Api) -> None:
    known = NEEDS_TOKEN | OPEN | HAS_ITS_OWN
    assert {name: methods for name, (_, methods) in endpoints(api).items()} == known


def test_nothing_but_the_token_opens_what_needs_it(api: Api) -> None:
    api.world.add_submitted()
    before = contents(api)
    body = {"model": "m", "input": {}}
    answers = walk(api, NEEDS_TOKEN, WRONG, json=body)
    assert {answer.status_code for answer in answers.values()} == {401}
    assert {code_of(a) for (_, method, _), a in answers.items() if method != "HEAD"} == {
        (401, "auth.token")
    }
    assert (contents(api), api.world.kie.creates, api.world.kie.asks) == (before, [], [])


def test_the_token_opens_all_that_needs_it(api: Api) -> None:
    answers = walk(api, NEEDS_TOKEN, RIGHT)
    assert [at for at, answer in answers.items() if answer.status_code in (401, 403, 405)] == []


def test_what_is_open_answers_everybody_alike(api: Api) -> None:
    answers = walk(api, OPEN, WRONG | RIGHT)
    for (endpoint, method, name), answer in answers.items():
        plain = answers[endpoint, method, "nothing"]
        length = answer.content_length  # a page has a nonce, so it is not the same twice
        assert (answer.status_code, length) == (plain.status_code, plain.content_length), name
        assert plain.status_code not in (401, 403)


def test_a_callback_needs_a_credential_in_its_url_whoever_calls(api: Api) -> None:
    generation = api.world.row(api.world.add_submitted(due_at=None))
    shown = WRONG | RIGHT
    opening = {"callback secret in the query", "a callback URL"}
    given = {name: call(api, "POST", "/api/kie/callback", shown[name], json={}) for name in shown}
    assert {name for name, answer in given.items() if answer.status_code != 401} == opening
    assert {given[name].status_code for name in opening} == {400}  # the body names no task
    assert api.world.row(generation) == generation


def test_no_endpoint_has_another_method(api: Api) -> None:
    everywhere = endpoints(api)
    for path, _ in everywhere.values():
        offered = set().union(*(methods for other, methods in everywhere.values() if other == path))
        for method in set(METHODS) - offered:
            for shown in (WRONG["nothing"], RIGHT["as documented"]):
                assert call(api, method, path, shown).status_code == 405, (method, path)


SPELLINGS = (
    *("/API/generations", "/api/generations/", "//api/generations", "/api//generations"),
    *("/api/./generations", "/api/health/../generations", "/api/health/%2e%2e/generations"),
    *("/api/health;/generations", "/api%2fgenerations", "/api/generations%00", "/assets/../api"),
    *("/assets/..%2fapi/generations", "/api/generations.json", "http://localhost/api/generations"),
)


def test_no_other_spelling_of_a_path_goes_round_the_check(api: Api) -> None:
    api.world.add_submitted()
    for spelled in SPELLINGS:
        response = api.client.get(spelled, buffered=True)
        assert response.status_code in (401, 404), spelled
        assert b"task-1" not in response.data


# Without API_TOKEN, on this machine only

REBOUND = [
    *(
        "evil.test",
        "localhost.",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "localhost@evil.test",
    ),
    *("0.0.0.0", "[::]", "0", "127.1", "2130706433", "0x7f000001", "[::ffff:10.0.0.1]", "10.0.0.1"),
    *(
        "localhost, evil.test",
        "evil.test, localhost",
        "localhost evil.test",
        "evil.test\\@localhost",
    ),
    *(
        "[::1",
        "::1",
        "[::1]evil.test",
        "[evil.test]",
        "localhost\u00e9",
        ":8000",
        "",
    ),
]
OURS = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.8.9.1:8000", "[::1]", "[::1]:8000"]


@pytest.fixture
def local(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def test_no_page_of_somebody_elses_may_call_by_a_name_that_points_here(local: Api) -> None:
    claims = [("X-Forwarded-Host", "localhost"), ("Forwarded", "host=localhost")]
    shown = {
        f"{host} {bool(more)}": Presented([("Host", host), *more], {})
        for host in REBOUND
        for more in ([], claims)
    }
    answers = walk(local, NEEDS_TOKEN, shown)
    assert {at for at, answer in answers.items() if answer.status_code != 403} == set()


def test_programs_of_this_machine_may_call(local: Api) -> None:
    for host in OURS:
        for more in ([], [("X-Forwarded-Host", "evil.test"), ("Origin", "null")]):
            shown = Presented([("Host", host), *more], {})
            assert call(local, "GET", "/api/generations", shown).status_code == 200, host


FORMS: list[dict[str, Any]] = [
    {"data": b"{}"},
    {"data": {"a": "b"}},
    {"data": b"{}", "content_type": "text/plain"},
    {"data": b"{}", "content_type": "text/plain; charset=application/json"},
    {"data": b"{}", "content_type": "application/x-www-form-urlencoded"},
    {"data": b"{}", "content_type": "multipart/form-data; boundary=application/json"},
    {"data": b"{}", "content_type": "text/plain, application/json"},
    {"data": b"{}", "headers": {"X-Content-Type": "application/json"}},
]


def test_what_a_page_may_send_without_asking_first_is_refused(local: Api) -> None:
    for form in FORMS:
        for method, path in (("POST", "/api/kie/createTask"), ("DELETE", "/api/generations/x")):
            response = local.client.open(path, method=method, **form)
            assert code_of(response) == (415, "body.not_json"), form
    assert local.world.kie.creates == []


def test_no_page_of_somebody_elses_is_told_that_it_may_ask(local: Api) -> None:
    asks = {"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"}
    for path, methods in endpoints(local).values():
        for method in methods:
            answer = local.client.open(path, method=method, headers=asks, buffered=True)
            assert not [name for name, _ in answer.headers if name.startswith("Access-")]
