from __future__ import annotations

import pytest

from core.kie.codes import NOT_NOW, REFUSED, Answer, ask_failure, create_answer, retry_after
from core.kie.report import Accepted, NotNow, Refused, Unknown

TASK = {"taskId": "281e5b0a11aa22bb33cc44dd55ee66ff"}
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    "body",
    [
        {"code": 200, "msg": "success", "data": TASK},
        {"code": "200", "data": TASK},
        {"code": 0, "data": TASK},
        {"data": TASK},
        {"code": 200, "data": {"task_id": TASK["taskId"]}},
        {"code": 200, "data": {"taskId": None, "recordId": TASK["taskId"]}},
    ],
)
def test_a_create_is_accepted_with_its_task_id(body: dict[str, object]) -> None:
    assert create_answer(Answer(200, body)) == Accepted(TASK["taskId"])


@pytest.mark.parametrize("status", [200, 401, 500, 502])
def test_the_bodys_code_wins_over_the_http_status(status: int) -> None:
    assert create_answer(Answer(status, {"code": 200, "data": TASK})) == Accepted(TASK["taskId"])
    assert create_answer(Answer(status, {"code": "402", "msg": "low"})) == Refused(402, "low")


@pytest.mark.parametrize(
    "code, reason",
    [
        (429, "kie.rate_limited"),
        (430, "kie.rate_limited"),
        (455, "kie.unavailable"),
        (550, "kie.unavailable"),
    ],
)
@pytest.mark.parametrize("status", [200, 429])
def test_a_create_that_kie_did_not_take_may_come_again(code: int, reason: str, status: int) -> None:
    answer = create_answer(Answer(status, {"code": code, "msg": "later"}, retry_after=7.0))
    assert answer == NotNow(reason, "later", 7.0)


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_a_create_is_refused_for_good_in_kies_words(code: int) -> None:
    answer = create_answer(Answer(200, {"code": code, "msg": "no", "data": None}))
    assert answer == Refused(code, "no")


@pytest.mark.parametrize("code", [-1, 1, 201, 302, 403, 408, 418, 500, 502, 503, 504, 522, 999])
@pytest.mark.parametrize("status", [200, 500])
def test_the_outcome_of_a_create_is_unknown(code: int, status: int) -> None:
    assert isinstance(create_answer(Answer(status, {"code": code, "msg": "oh"})), Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, None),
        Answer(501, None),
        Answer(505, {"error": "x"}),
        Answer(550, {"code": None}),
        Answer(408, None),
        Answer(200, None),
        Answer(302, None),
        Answer(200, {}),
        Answer(200, {"code": 200, "data": None}),
        Answer(200, {"code": 200, "data": []}),
        Answer(200, {"code": 200, "data": {"taskId": ""}}),
        Answer(200, {"code": 200, "data": {"taskId": "a b"}}),
        Answer(200, {"code": 200, "data": {"taskId": "x" * 129}}),
        Answer(200, {"code": 200, "data": {"taskId": ["a"]}}),
    ],
)
def test_a_create_without_a_clear_answer_is_unknown(answer: Answer) -> None:
    assert isinstance(create_answer(answer), Unknown)


@pytest.mark.parametrize("code", [201, 202, "204", 299])
def test_any_code_of_success_with_a_task_id_is_accepted(code: object) -> None:
    assert create_answer(Answer(200, {"code": code, "data": TASK})) == Accepted(TASK["taskId"])


@pytest.mark.parametrize("code", [*sorted({*REFUSED, *NOT_NOW}), 403, 408, 500, 999])
@pytest.mark.parametrize("name", ["taskId", "task_id", "recordId"])
def test_no_refusal_that_names_a_task_is_believed(code: int, name: str) -> None:
    body = {"code": code, "msg": "later", "data": {name: TASK["taskId"]}}
    assert create_answer(Answer(200, body)) == Unknown(f"{code}: later", TASK["taskId"])


@pytest.mark.parametrize("status", [401, 404, 405, 413])
def test_a_create_refused_by_http_status_alone_is_refused(status: int) -> None:
    assert isinstance(create_answer(Answer(status, None)), Refused)


def test_a_rate_limit_by_http_status_alone_is_one() -> None:
    assert isinstance(create_answer(Answer(429, None)), NotNow)


@pytest.mark.parametrize(
    "code, reason",
    [
        (401, "kie.unauthorized"),
        (402, "kie.no_credits"),
        (433, "kie.key_capped"),
        (429, "kie.rate_limited"),
        (430, "kie.rate_limited"),
        ("430", "kie.rate_limited"),
        (404, "kie.unknown_task"),
        (408, "kie.unavailable"),
        (455, "kie.unavailable"),
        (500, "kie.unavailable"),
        (501, "kie.unavailable"),
        (505, "kie.unavailable"),
        (550, "kie.unavailable"),
        (400, "kie.refused"),
        (422, "kie.refused"),
        (451, "kie.refused"),
        (999, "kie.refused"),
    ],
)
def test_a_failed_ask_says_why(code: object, reason: str) -> None:
    failure = ask_failure(Answer(200, {"code": code, "msg": "only records within 14 days"}))
    assert failure is not None
    assert failure.code == reason


@pytest.mark.parametrize("words", ["recordInfo is null", "record is null", "Task not found"])
def test_a_task_that_kie_does_not_know_yet_is_told_apart(words: str) -> None:
    failure = ask_failure(Answer(200, {"code": 422, "msg": words, "data": None}))
    assert failure is not None
    assert failure.code == "kie.unknown_task"


@pytest.mark.parametrize(
    "status, reason",
    [
        (200, "kie.unavailable"),
        (302, "kie.unavailable"),
        (401, "kie.unauthorized"),
        (403, "kie.unavailable"),
        (404, "kie.unavailable"),
        (429, "kie.rate_limited"),
        (502, "kie.unavailable"),
    ],
)
def test_an_ask_answered_with_html_goes_by_the_http_status(status: int, reason: str) -> None:
    failure = ask_failure(Answer(status, None))
    assert failure is not None
    assert failure.code == reason


@pytest.mark.parametrize("code", [200, "200", 0])
def test_an_ask_that_found_something_is_no_failure(code: object) -> None:
    assert ask_failure(Answer(200, {"code": code, "data": {}})) is None


@pytest.mark.parametrize(
    "body, words",
    [
        ({"code": 400, "msg": "one", "message": "two"}, "one"),
        ({"code": 400, "message": "two"}, "two"),
        ({"code": 400, "msg": None}, "HTTP 200 without a message"),
        ({"code": 400, "msg": "bad callBackUrl?token=abc"}, "bad callBackUrl?token=***"),
    ],
)
def test_kies_words_are_kept_without_credentials(body: dict[str, object], words: str) -> None:
    assert Answer(200, body).message == words


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 -0000", "date": DATE}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds
