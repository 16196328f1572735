"""The API under requests that no description allows: odd methods, paths, queries and headers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.fuzz.documents import TIRING, bodies, of_size
from tests.support.api import Api, open_api
from tests.support.databases import sqlite_url
from webhook.operations import OPERATIONS, Operation

TOKEN = "the-api-token"
MIB = 1 << 20
JSON_BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
ODD = (
    *("\0", "%00", "..", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..\\..", "//", "///a"),
    *("%", "%zz", "%ff", "%c0%ae", "\xff", "\ud800", "\u202e", "a" * 9_000, "/" * 500, ";x=1", "~"),
    *(".", "x/../y", "%2f", "%5c", "C:\\a", "\r\nX: y", " ", "?", "#", "'--", "${7*7}", "{{7*7}}"),
)
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
)
NAMES = (
    *("Authorization", "Content-Type", "Content-Length", "Transfer-Encoding", "Host", "Range"),
    *("If-Range", "If-None-Match", "If-Modified-Since", "Idempotency-Key", "Cookie", "Accept"),
    *("X-Webhook-Signature", "X-Webhook-Timestamp", "X-Forwarded-For", "Expect", "Origin"),
)
VALUES = (
    *("", "\xff", "é", "a" * 60_000, "Bearer", "Bearer \xe9", f"Bearer {TOKEN}", "Basic Og=="),
    *("bytes=0-", "bytes=-0", "bytes=9-1", "bytes=a-b", "bytes=" + "0-1," * 5000, "chunked"),
    *("-1", "9" * 30, "1e3", "application/json", "application/json; charset=\xff", "a=b; " * 900),
    *("multipart/form-data", "multipart/form-data; boundary=" + "a" * 900, "Mon, 99 Foo 2026"),
    *("=?utf-8?b?//8=?=", "127.0.0.1", '"', 'W/"', "\t", "application/json; charset=utf-16"),
)

few = settings(max_examples=settings.default.max_examples // 10)  # for each of many endpoints

odd = st.sampled_from(ODD) | st.text(max_size=30)
paths = st.builds(
    "{}{}{}".format,
    st.sampled_from([each.path.partition("{")[0] for each in OPERATIONS] + ["/", ""]),
    odd,
    st.sampled_from(("", "/", "/x", ".json")),
)
words = st.sampled_from([b"=", b"&", b"%", b"\0", b"id", b"taskId", b"cursor", b"limit", b"sig"])
queries = st.lists(words | st.binary(max_size=9), max_size=12).map(b"".join)
headers = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=5)


@pytest.fixture(scope="module", params=[TOKEN, None], ids=["token set", "no token set"])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    with open_api(folder, sqlite_url(folder), api_token=request.param) as opened:
        yield opened


def ask(
    api: Api,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    sent: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, bytes]:
    """Status and body, for a request as a server hands it over: nothing was checked on the way."""
    environment = EnvironBuilder(method=method, data=body).get_environ()
    environment["PATH_INFO"] = path.encode("utf-8", "surrogatepass").decode("latin-1")
    environment["QUERY_STRING"] = query.decode("latin-1")
    for name, value in (sent or {}).items():
        key = name.upper().replace("-", "_")
        environment[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    application = api.client.application
    pieces, status, _ = run_wsgi_app(application, environment, buffered=True)
    return int(status.split()[0]), b"".join(pieces)


def is_in_shape(body: bytes) -> bool:
    """Whether it is an error as all are."""
    return set(json.loads(body)["error"]) == {"code", "message"}


@few
@given(st.sampled_from(METHODS), paths, queries, headers)
def test_nothing_odd_makes_the_api_fail(
    api: Api, method: str, path: str, query: bytes, sent: dict[str, str]
) -> None:
    status, answer = ask(api, method, path, query=query, sent=sent)
    assert status < 500
    assert status < 400 or method == "HEAD" or is_in_shape(answer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
@few
@given(query=queries, sent=headers, body=bodies)
def test_nothing_odd_makes_an_endpoint_fail(
    api: Api, operation: Operation, query: bytes, sent: dict[str, str], body: bytes
) -> None:
    path = operation.path.replace("{id}", "x").replace("{path}", "x")
    method = operation.method.upper()
    status, answer = ask(api, method, path, query=query, sent=JSON_BEARER | sent, body=body)
    assert status < 500 or status in operation.answers
    assert status < 400 or path == "/api/ready" or is_in_shape(answer)


@pytest.mark.parametrize("path", ["/api/kie/callback", "/api/kie/createTask"])
@pytest.mark.parametrize("shape", TIRING)
def test_a_body_of_the_largest_size_is_answered_soon(api: Api, path: str, shape: str) -> None:
    started = time.process_time()
    status, _ = ask(api, "POST", path, sent=JSON_BEARER, body=of_size(*TIRING[shape], MIB))
    assert 400 <= status < 500
    assert time.process_time() - started < 5


def test_a_stranger_s_body_of_many_encodings_is_answered_soon(api: Api) -> None:
    """Sixty layers of JSON text, which each take twice the room of the one inside."""
    text = "token=a"
    for _ in range(54):
        text = '["' + text.replace("\\", "\\u005c").replace('"', "\\u0022") + '"]'
    started = time.process_time()
    assert ask(api, "POST", "/api/kie/callback", body=text.encode())[0] == 401
    assert time.process_time() - started < 5
