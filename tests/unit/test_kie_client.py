from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal

import httpx
import pytest

from core.errors import ConfigError
from core.kie.client import MAX_BODY_BYTES, KieClient, kie_http
from core.kie.report import Accepted, AskFailed, NotNow, Refused, Report, TaskRecord, Unknown

KEY = "kie-key-0123456789"
TASK_ID = "281e5b0a11aa22bb33cc44dd55ee66ff"
RECORD = {"taskId": TASK_ID, "state": "generating"}
TOO_LARGE = b'{"code":200,"data":{"taskId":"t1","state":"success"}}' + b" " * MAX_BODY_BYTES
INPUT = {"prompt": "a red kite \ud800"}

Handler = Callable[[httpx.Request], httpx.Response]


@contextmanager
def client(handler: Handler, **options: object) -> Iterator[KieClient]:
    """The real client over a pretend wire."""
    with kie_http("https://kie.test", transport=httpx.MockTransport(handler)) as http:
        yield KieClient(http, KEY, **options)  # type: ignore[arg-type]


def answering(body: object, status: int = 200, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, json=body, headers=headers)


def failing(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return handler


def create(handler: Handler, **options: object) -> object:
    with client(handler, **options) as kie:
        return kie.create("market", "nano-banana-pro", INPUT, "https://app.test/cb?token=t")


def ask(handler: Handler, **options: object) -> object:
    with client(handler, **options) as kie:
        return kie.ask("market", TASK_ID)


def code_of(answer: object) -> str | None:
    return answer.code if isinstance(answer, AskFailed) else None


# What is sent


def test_a_create_sends_model_input_callback_url_and_key() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"code": 200, "data": {"taskId": TASK_ID}})

    assert create(handler) == Accepted(TASK_ID)
    (request,) = sent
    assert (request.method, request.url.path) == ("POST", "/api/v1/jobs/createTask")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {
        "model": "nano-banana-pro",
        "input": INPUT,
        "callBackUrl": "https://app.test/cb?token=t",
    }


def test_an_ask_sends_the_task_id_as_a_parameter() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"https://kie.test/api/v1/jobs/recordInfo?taskId={TASK_ID}"
        return httpx.Response(200, json={"code": 200, "data": RECORD})

    assert ask(handler) == Report(task_id=TASK_ID, state="generating")


@pytest.mark.parametrize("key", ["ключ", "kie\nkey", " kie-key", "kie\x7fkey"])
def test_a_key_that_no_header_can_carry_stops_the_start(key: str) -> None:
    with kie_http("https://kie.test") as http, pytest.raises(ConfigError) as caught:
        KieClient(http, key)
    assert key not in str(caught.value)


# A create that did not come to an answer


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_a_create_that_never_connected_may_be_sent_again(error: type[httpx.TransportError]) -> None:
    answer = create(failing(error))
    assert isinstance(answer, NotNow)
    assert answer.code == "kie.unreachable"


@pytest.mark.parametrize(
    "error",
    [
        *(httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError),
        *(httpx.CloseError, httpx.RemoteProtocolError, httpx.LocalProtocolError),
        httpx.DecodingError,
    ],
)
def test_a_create_that_broke_later_has_an_unknown_outcome(
    error: type[httpx.TransportError],
) -> None:
    assert isinstance(create(failing(error)), Unknown)


def test_a_create_is_sent_once_whatever_happens() -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(307, headers={"location": "https://kie.test/elsewhere"})

    assert isinstance(create(handler), Unknown)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx.Response(200, content=b'{"code":200,"data":{"taskId":"' + b"a" * 20),
        lambda _: httpx.Response(502, html="<html>bad gateway</html>"),
        lambda _: httpx.Response(200, content=TOO_LARGE),
        lambda _: httpx.Response(200, content=b"x", headers={"content-encoding": "gzip"}),
        lambda _: httpx.Response(200, content=b"[" * 100_000),
    ],
)
def test_a_create_answered_with_anything_unreadable_is_unknown(handler: Handler) -> None:
    assert isinstance(create(handler), Unknown)


def test_a_refused_create_has_kies_code_and_words() -> None:
    assert create(answering({"code": 402, "msg": "low"})) == Refused(402, "low")


def test_a_rate_limited_create_has_kies_wait() -> None:
    answer = create(answering({"code": 429, "msg": "slow down"}, 429, **{"Retry-After": "7"}))
    assert answer == NotNow("kie.rate_limited", "slow down", 7.0)


# An ask


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout]
)
def test_an_ask_without_an_answer_found_kie_unavailable(error: type[httpx.TransportError]) -> None:
    assert code_of(ask(failing(error))) == "kie.unavailable"


@pytest.mark.parametrize(
    "body, code",
    [
        ({"code": 422, "msg": "recordInfo is null", "data": None}, "kie.unknown_task"),
        ({"code": 401, "msg": "Unauthorized"}, "kie.unauthorized"),
        ({"code": 200, "data": {**RECORD, "taskId": "another"}}, "kie.refused"),
        ({"code": 200, "data": {"taskId": TASK_ID}}, "kie.unavailable"),
        ({"code": 200, "data": None}, "kie.unavailable"),
        ({"code": 200, "data": [RECORD]}, "kie.unavailable"),
        ([], "kie.unavailable"),
    ],
)
def test_an_ask_that_brought_no_report_says_why(body: object, code: str) -> None:
    assert code_of(ask(answering(body))) == code


def test_a_report_without_an_id_is_about_the_task_that_was_asked() -> None:
    answer = ask(answering({"code": 200, "data": {"state": "waiting"}}))
    assert answer == Report(task_id=TASK_ID, state="waiting")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b'{"code":200,"data":{"ta', TOO_LARGE, b"[" * 9**5],
)
def test_an_ask_answered_with_anything_unreadable_found_kie_unavailable(content: bytes) -> None:
    assert code_of(ask(lambda _: httpx.Response(200, content=content))) == "kie.unavailable"


@pytest.mark.parametrize("call", [ask, create])
@pytest.mark.parametrize("location", ["http://xn--a/", "http://[", "http://h:99999/", "\xff"])
def test_a_redirect_to_nonsense_is_an_answer_too(
    call: Callable[[Handler], object], location: str
) -> None:
    answer = call(
        lambda _: httpx.Response(302, headers=[(b"location", location.encode("latin-1"))])
    )
    assert isinstance(answer, AskFailed | Unknown)


# KIE quotes our key


@pytest.mark.parametrize("words", [f"Invalid API key {KEY}", f"Bearer {KEY}!", f'"{KEY}" is wrong'])
@pytest.mark.parametrize("code", [200, 401, 429, 500])
def test_our_key_is_masked_where_kie_quotes_it(code: int, words: str) -> None:
    data = {"taskId": TASK_ID, "state": "fail", "failMsg": words}
    handler = answering({"code": code, "msg": words, "data": data})
    shown = f"{ask(handler)} {create(answering({'code': code, 'msg': words}))}"
    assert KEY not in shown
    assert "***" in shown


# The other calls


@pytest.mark.parametrize(
    "body, found",
    [
        ({"code": 200, "data": "https://tempfile.test/a?sig=1"}, "https://tempfile.test/a?sig=1"),
        ({"code": 200, "data": {"downloadUrl": "https://tempfile.test/a"}}, "kie.unavailable"),
        ({"code": 200, "data": "file:///etc/passwd"}, "kie.unavailable"),
        ({"code": 422, "msg": "not ours"}, "kie.refused"),
    ],
)
def test_a_download_url_is_a_text_in_data(body: object, found: str) -> None:
    with client(answering(body)) as kie:
        answer = kie.download_url("https://tempfile.test/a")
    assert (answer.code if isinstance(answer, AskFailed) else answer) == found


def test_credits_are_asked_for_with_the_key() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", "/api/v1/chat/credit")
        assert request.headers["authorization"] == f"Bearer {KEY}"
        return httpx.Response(200, json={"code": 200, "msg": "success", "data": 12.5})

    with client(handler) as kie:
        assert kie.credits() == Decimal("12.5")


@pytest.mark.parametrize(
    "body, found",
    [
        ({"code": 200, "data": 100}, Decimal(100)),
        ({"code": 200, "data": 0}, Decimal(0)),
        ({"code": 200, "data": "7.25"}, Decimal("7.25")),
        ({"code": 200, "data": None}, "kie.unavailable"),
        ({"code": 200, "data": {"credits": 100}}, "kie.unavailable"),
        ({"code": 401, "msg": f"no access with {KEY}"}, "kie.unauthorized"),
        ({"code": 500, "msg": "oops"}, "kie.unavailable"),
    ],
)
def test_credits_are_a_number_in_data(body: object, found: object) -> None:
    with client(answering(body)) as kie:
        answer = kie.credits()
    assert (answer.code if isinstance(answer, AskFailed) else answer) == found
    assert KEY not in str(answer)


def test_credits_of_a_kie_that_is_away_are_not_known() -> None:
    with client(failing(httpx.ConnectError)) as kie:
        assert code_of(kie.credits()) == "kie.unavailable"


# What is logged


def test_each_call_logs_one_line_without_key_prompt_or_url(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="core.kie.client")
    create(answering({"code": 200, "data": {"taskId": TASK_ID}}))
    ask(answering({"code": 401, "msg": "no"}))
    records = [record for record in caplog.records if record.name == "core.kie.client"]
    lines = [
        [getattr(record, field) for field in ("event", "family", "code", "task_id")]
        for record in records
    ]
    assert lines == [
        ["kie.created", "market", "ok", TASK_ID],
        ["kie.asked", "market", "kie.unauthorized", TASK_ID],
    ]
    written = "".join(str(record.__dict__) for record in records)
    assert not any(secret in written for secret in (KEY, "red kite", "token=t"))


# Real sockets


@contextmanager
def server(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """The URL of a listener that hands its first connection to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)
        assert not thread.is_alive()


def read_request(connection: socket.socket) -> bytes:
    """One whole request: the client sends a small body together with its length."""
    data = b""
    while b"\r\n\r\n" not in data or not data.rstrip().endswith(b"}"):
        data += connection.recv(65536)
    return data


def create_at(url: str, **options: float) -> object:
    with kie_http(url) as http:
        kie = KieClient(http, KEY, **options)
        return kie.create("market", "nano-banana-pro", {"prompt": "x"}, None)


def test_a_connection_cut_after_the_request_leaves_the_outcome_unknown() -> None:
    received: list[bytes] = []
    with server(lambda connection: received.append(read_request(connection))) as url:
        answer = create_at(url)
    assert isinstance(answer, Unknown)
    assert received[0].startswith(b"POST /api/v1/jobs/createTask")


def test_a_connection_cut_within_the_answer_leaves_the_outcome_unknown() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"code":200,')

    with server(serve) as url:
        assert isinstance(create_at(url), Unknown)


def test_a_kept_connection_that_died_leaves_the_outcome_unknown() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        body = b'{"code":200,"data":{"taskId":"t1"}}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        read_request(connection)

    with server(serve) as url, kie_http(url) as http:
        kie = KieClient(http, KEY)
        answers = [kie.create("market", "m", {}, None) for _ in range(2)]
    assert answers[0] == Accepted("t1")
    assert isinstance(answers[1], Unknown)


def test_a_hanging_create_ends_unknown_at_its_timeout() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        assert connection.recv(1) == b""  # until the client hangs up

    with server(serve) as url:
        answer = create_at(url, create_seconds=0.2)
    assert answer == Unknown("ReadTimeout: timed out")


DRIPS = {
    "headers": b"HTTP/1.1 200 OK\r\nX: ",
    "a body": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
}


@pytest.mark.parametrize("start", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_not_waited_for(start: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.settimeout(0.01)
        with suppress(ConnectionError):  # the client hangs up
            connection.sendall(start)
            for _ in range(1000):
                with suppress(TimeoutError):
                    connection.recv(1)
                connection.sendall(b"x")

    with server(serve) as url:
        answer = create_at(url, create_seconds=0.3)
    assert isinstance(answer, Unknown)
    assert answer.message.startswith("ReadTimeout: ")


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_host_that_cannot_exist_cannot_be_reached(host: str) -> None:
    answer = create_at(f"http://{host}")
    assert isinstance(answer, NotNow)
    assert answer.code == "kie.unreachable"


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        answer = create_at(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert isinstance(answer, NotNow)
    assert answer.code == "kie.unreachable"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with server(lambda connection: bool(read_request(connection))) as url:
        assert isinstance(create_at(url), Unknown)


# A record is an ask that also tells what was asked for


def record(handler: Handler) -> object:
    with client(handler) as kie:
        return kie.record("market", TASK_ID)


def test_a_record_is_report_and_request() -> None:
    data = {**RECORD, "model": "m", "param": json.dumps({"input": {"prompt": "a kite"}})}
    found = record(answering({"code": 200, "data": data}))
    assert isinstance(found, TaskRecord)
    assert (found.report.state, found.request.model) == ("generating", "m")
    assert found.request.input == {"prompt": "a kite"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": 422, "msg": "recordInfo is null"}, "kie.unknown_task"),
        ({"code": 200, "data": {**RECORD, "taskId": "another"}}, "kie.refused"),
        ({"code": 200, "data": {}}, "kie.unavailable"),
    ],
)
def test_a_record_fails_as_an_ask_does(body: object, code: str) -> None:
    assert code_of(record(answering(body))) == code == code_of(ask(answering(body)))


def test_a_record_quotes_no_key() -> None:
    data = {**RECORD, "state": "fail", "failMsg": f"bad key {KEY}"}
    assert KEY not in repr(record(answering({"code": 200, "data": data})))
