"""Whatever KIE answers: a report, or a failed ask; never a URL that is not one of the web."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kie import lenient
from core.kie.client import KieClient
from core.kie.families import FAMILIES
from core.kie.report import AskFailed, Report, TaskRequest
from tests.fuzz.documents import NAMES, TIRING, URL, bodies, of_size, texts, values

MARKET = FAMILIES["market"]
LARGEST = 4 << 20  # of what KieClient reads
WEB = ("http://", "https://")

records = st.dictionaries(st.sampled_from(NAMES), values, max_size=12).map(
    lambda record: record | {"state": "success"}
)


@contextmanager
def kie_that_answers(body: bytes, status: int = 200) -> Iterator[KieClient]:
    wire = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    with httpx.Client(base_url="https://kie.test", transport=wire) as http:
        yield KieClient(http, "key")


@given(values | records)
def test_any_data_is_a_report_that_a_database_takes(data: object) -> None:
    report = MARKET.read_report(lenient.parse(json.dumps(data).encode()))
    assert all(file.url.lower().startswith(WEB) for file in report.files)
    assert report.progress is None or 0 <= report.progress <= 100
    for words in (report.state, report.task_id, report.fail_code, report.fail_message):
        assert "\x00" not in (words or "")
        (words or "").encode()


@given(values | records)
def test_any_data_says_what_was_asked_for_or_nothing(data: object) -> None:
    request = MARKET.read_request(lenient.parse(json.dumps(data).encode()))
    assert isinstance(request, TaskRequest)
    json.dumps(request.input).encode()


SCHEMES = ("file", "ftp", "javascript", "data", "gopher", "HTTPX", "blob", "ws", "", "\u017fhttp")


@given(st.sampled_from(SCHEMES), texts, st.sampled_from([n for n in NAMES if "rl" in n.lower()]))
def test_a_url_of_another_scheme_is_no_file(scheme: str, rest: str, name: str) -> None:
    written = f"{scheme}:{rest}"
    report = MARKET.read_report({"state": "success", "resultJson": {name: [written, URL]}})
    assert [file.url for file in report.files] in ([], [URL])


@given(bodies, st.sampled_from([200, 204, 302, 401, 404, 422, 429, 500, 502]))
def test_any_answer_to_a_question_is_a_value(body: bytes, status: int) -> None:
    with kie_that_answers(body, status) as kie:
        assert isinstance(kie.ask("market", "task-1"), Report | AskFailed)
        kie.record("market", "task-1")
        kie.credits()
        kie.download_url(URL)
        kie.create("market", "m", {}, None)


@pytest.mark.parametrize("shape", TIRING)
def test_an_answer_of_the_largest_size_is_read_soon(shape: str) -> None:
    opening, unit, closing = TIRING[shape]
    opening = opening.replace(b'"taskId":"a",', b'"taskId":"task-1","state":"success",', 1)
    body = of_size(opening, unit, closing, LARGEST)
    started = time.process_time()
    with kie_that_answers(body) as kie:
        kie.record("market", "task-1")
    assert time.process_time() - started < 20  # a reader that is quadratic takes hours
