from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kie.families import FAMILIES, NOT_BUILT_YET, Request
from core.kie.report import Report, ResultFile, TaskRequest
from tests.unit.test_kie_lenient import JSON, RELAXED

MARKET = FAMILIES["market"]
TASK_ID = "da2f3b4d3826a124edf678dfec75645d"
URL = "https://tempfile.aiquickdraw.com/seedance/1776728421306-ci2gzptrrs8.mp4"
CALLBACK_URL = "https://example.org/api/kie/callback?generation=0190-ab&token=abc"
INPUT = {"prompt": "a red kite"}


def record(**changes: object) -> dict[str, object]:
    """recordInfo's `data` of a finished video, as observed."""
    return {
        "taskId": TASK_ID,
        "model": "bytedance/seedance-2",
        "state": "success",
        "param": '{"input":"{...}","model":"bytedance/seedance-2"}',
        "resultJson": json.dumps({"resultUrls": [URL]}),
        "failCode": None,
        "failMsg": None,
        "costTime": 208,
        "completeTime": 1776728422476,
        "createTime": 1776728214352,
        **changes,
    }


def test_a_finished_task_reads_as_a_report() -> None:
    assert MARKET.read_report(record(creditsConsumed=1.23)) == Report(
        task_id=TASK_ID,
        state="success",
        files=(ResultFile(URL),),
        credits_consumed=Decimal("1.23"),
        completed_at=datetime(2026, 4, 20, 23, 40, 22, 476000, tzinfo=UTC),
    )


def test_a_failed_task_reads_with_kies_reason() -> None:
    data = record(state="fail", resultJson="", failCode="501", failMsg="Generation Failed")
    report = MARKET.read_report(data)
    assert (report.state, report.files) == ("fail", ())
    assert (report.fail_code, report.fail_message) == ("501", "Generation Failed")


@pytest.mark.parametrize("state", ["waiting", "queuing", "generating", "fail", "archived", ""])
def test_result_json_counts_only_once_the_state_is_success(state: str) -> None:
    assert MARKET.read_report(record(state=state)).files == ()


@pytest.mark.parametrize(
    "written, read", [("success", "success"), (" SUCCESS ", "success"), (None, "")]
)
def test_the_state_is_kies_word_in_small_letters(written: object, read: str) -> None:
    assert MARKET.read_report(record(state=written)).state == read


@pytest.mark.parametrize("empty", [None, "", {}, [], "null", '{"resultUrls": []}', "{}"])
def test_success_without_media_is_a_report_without_files(empty: object) -> None:
    report = MARKET.read_report(record(resultJson=empty))
    assert (report.state, report.files, report.result_object) == ("success", (), None)


@pytest.mark.parametrize(
    "code, text",
    [
        ("500", "500"),
        (500, "500"),
        ("GENERATION_FAILED", "GENERATION_FAILED"),
        ("", None),
        (None, None),
    ],
)
def test_the_fail_code_is_text_whatever_its_type(code: object, text: str | None) -> None:
    assert MARKET.read_report(record(state="fail", failCode=code)).fail_code == text


@pytest.mark.parametrize(
    "amounts, credits",
    [
        ({"creditsConsumed": 4, "consumeCredits": 9}, Decimal(4)),
        ({"creditsConsumed": 0, "consumeCredits": 9}, Decimal(0)),
        ({"consumeCredits": 9, "remainedCredits": 2}, Decimal(9)),
        ({"creditsConsumed": "x"}, None),
        ({}, None),
    ],
)
def test_credits_are_read_under_both_names(
    amounts: dict[str, object], credits: Decimal | None
) -> None:
    assert MARKET.read_report(record(**amounts)).credits_consumed == credits


@pytest.mark.parametrize(
    "param",
    [
        {"input": INPUT, "callBackUrl": CALLBACK_URL},
        json.dumps({"input": INPUT, "callBackUrl": CALLBACK_URL}),
        json.dumps({"input": json.dumps(INPUT), "callBackUrl": CALLBACK_URL}),
        json.dumps(json.dumps({"input": json.dumps(INPUT), "callBackUrl": CALLBACK_URL})),
        '{"callBackUrl":"https:\\/\\/h\\/cb?generation\\u003d0190-ab\\u0026token\\u003dabc"}',
    ],
)
def test_the_generation_is_read_from_the_callback_url_in_param(param: object) -> None:
    report = MARKET.read_report(record(param=param))
    assert (report.has_callback_url, report.generation_id) == (True, "0190-ab")


@pytest.mark.parametrize(
    "param",
    [None, "", "{...", 5, [], {"callBackUrl": None}, {"callBackUrl": ""}, {"input": INPUT}],
)
def test_a_param_may_name_no_callback_url(param: object) -> None:
    report = MARKET.read_report(record(param=param))
    assert (report.has_callback_url, report.generation_id) == (False, None)


@pytest.mark.parametrize(
    "param",
    [
        {"callBackUrl": "https://h/?token=abc"},
        {"callBackUrl": "not a url"},
        {"callBackUrl": ["https://h/"]},
        json.dumps({"callBackUrl": CALLBACK_URL})[:-9],
    ],
)
def test_a_callback_url_that_names_no_generation_is_one_all_the_same(param: object) -> None:
    report = MARKET.read_report(record(param=param))
    assert (report.has_callback_url, report.generation_id) == (True, None)


def test_credentials_in_a_failure_message_are_masked() -> None:
    report = MARKET.read_report(record(state="fail", failMsg=f"cannot reach {CALLBACK_URL}"))
    assert report.fail_message is not None
    assert report.fail_message.endswith("?generation=0190-ab&token=***")


@pytest.mark.parametrize("data", [None, [], "", 5, {}, {"taskId": 5.5, "state": {}}])
def test_data_of_any_other_shape_reads_as_a_report_that_says_nothing(data: object) -> None:
    report = MARKET.read_report(data)
    assert (report.task_id, report.files, report.completed_at) == ("", (), None)


FIELDS = [
    "taskId",
    "state",
    "param",
    "resultJson",
    "failCode",
    "failMsg",
    "progress",
    "completeTime",
]


@RELAXED
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.booleans())
def test_no_record_raises(changes: dict[str, object], finished: bool) -> None:
    state = {"state": "success"} if finished else {}
    assert isinstance(MARKET.read_report({**changes, **state}), Report)


@pytest.mark.parametrize("callback_url", [None, "", CALLBACK_URL])
def test_a_create_names_the_callback_url_only_if_there_is_one(callback_url: str | None) -> None:
    request = MARKET.create_request("nano-banana-pro", INPUT, callback_url)
    expected = {"callBackUrl": callback_url} if callback_url else {}
    body = {"model": "nano-banana-pro", "input": INPUT, **expected}
    assert request == Request("POST", "/api/v1/jobs/createTask", json=body)


def test_an_ask_names_the_task() -> None:
    assert MARKET.ask_request("t1") == Request(
        "GET", "/api/v1/jobs/recordInfo", params={"taskId": "t1"}
    )


@pytest.mark.parametrize(
    "input, prompt",
    [
        ({"prompt": " a kite "}, "a kite"),
        ({"text": "say this"}, "say this"),
        ({"prompt": "", "text": "say this"}, "say this"),
        ({"prompt": ["a"]}, None),
        ({}, None),
    ],
)
def test_the_prompt_is_what_a_person_wrote(input: dict[str, object], prompt: str | None) -> None:
    assert MARKET.prompt_of(input) == prompt


def test_the_kind_goes_by_the_model() -> None:
    assert MARKET.kind_of("google/nano-banana", {}) == "image"


def test_a_family_is_either_built_or_known_as_not_built_yet() -> None:
    assert not NOT_BUILT_YET & set(FAMILIES)


@pytest.mark.parametrize("encode", [lambda input: input, json.dumps], ids=["once", "twice"])
def test_the_request_is_read_from_what_kie_repeats(encode: Callable[[object], object]) -> None:
    asked = {"prompt": "a kite", "image_url": "https://a.test/x?token=secret-1"}
    url = "https://ours.test/api/kie/callback?generation=g&token=secret-2"
    param = json.dumps({"input": encode(asked), "callBackUrl": url, "model": "in-param"})
    data = {"taskId": "t", "state": "success", "param": param, "createTime": 1776728214352}
    request = MARKET.read_request(data)
    assert request.input == {"prompt": "a kite", "image_url": "https://a.test/x?token=***"}
    assert request.model == "in-param"
    assert request.created_at == datetime(2026, 4, 20, 23, 36, 54, 352000, tzinfo=UTC)
    assert "secret" not in repr(request)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"param": ""}, {"param": "{"}, {"param": 7, "createTime": "soon"}]
)
def test_a_request_that_cannot_be_read_is_empty(data: object) -> None:
    assert MARKET.read_request(data) == TaskRequest(model="unknown", input={})
