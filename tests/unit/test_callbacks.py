from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CallbackError
from core.kie.callbacks import Callback, claimed_urls, read_callback
from tests.unit.test_kie_lenient import JSON, RELAXED

KEY = "whk_test_0123456789abcdef"
TASK_ID = "task_12345678"
SIGNED_AT = datetime.fromtimestamp(1769670760, UTC)
SIGNATURE = "TYFVnbGVXtraSUXEgUPqUopzMLa09p0yubG2jPLsEx4="
HEADERS = {"X-Webhook-Timestamp": "1769670760", "X-Webhook-Signature": SIGNATURE}
URL = "https://tempfile.aiquickdraw.com/x/a.png"


def market(**changes: object) -> dict[str, object]:
    """A market callback's body for a finished task."""
    data = {
        "taskId": TASK_ID,
        "state": "success",
        "resultJson": json.dumps({"resultUrls": [URL]}),
        "failCode": None,
        "failMsg": None,
        **changes,
    }
    return {"code": 200, "msg": "Playground task completed successfully.", "data": data}


def read(
    body: object,
    headers: dict[str, str] | None = None,
    *,
    keys: tuple[str, ...] = (),
    now: datetime = SIGNED_AT,
    others: dict[str, list[str]] | None = None,
) -> Callback:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_callback(written, headers or {}, hmac_keys=keys, now=now, other_keys=others or {})


def refusal(*args: object, **kwargs: object) -> CallbackError:
    with pytest.raises(CallbackError) as caught:
        read(*args, **kwargs)  # type: ignore[arg-type]
    return caught.value


def sign(key: str, task_id: str, timestamp: str) -> dict[str, str]:
    mac = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256)
    signature = base64.b64encode(mac.digest()).decode()
    return {"x-webhook-timestamp": timestamp, "x-webhook-signature": signature}


# What the body claims


def test_a_finished_market_task_is_claimed_as_success() -> None:
    body = json.dumps(market()).encode()
    assert read(body) == Callback(
        task_id=TASK_ID,
        stage="success",
        claimed_state="success",
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


VEO = {"taskId": TASK_ID, "info": {"resultUrls": [URL], "originUrls": None}}
TRACKS = [{"id": "1", "audio_url": URL, "image_url": URL + "?cover", "createTime": 1}]
EMPTY = [{"id": "1", "audio_url": "", "image_url": URL + "?cover"}]


@pytest.mark.parametrize(
    "body, stage, state, urls",
    [
        ({"code": 200, "data": VEO}, "success", "success", 1),
        (
            {"code": 200, "data": {**VEO, "info": {"resultUrls": f'["{URL}"]'}}},
            "success",
            "success",
            1,
        ),
        ({"code": 501, "data": {"taskId": TASK_ID, "fallbackFlag": False}}, "fail", "fail", 0),
        (
            {"code": 200, "data": {"callbackType": "text", "task_id": TASK_ID, "data": EMPTY}},
            "text",
            None,
            0,
        ),
        (
            {"code": 200, "data": {"callbackType": "first", "task_id": TASK_ID, "data": TRACKS}},
            "first",
            None,
            1,
        ),
        (
            {"code": 200, "data": {"callbackType": "complete", "task_id": TASK_ID, "data": TRACKS}},
            "complete",
            "success",
            1,
        ),
        (
            {"code": 531, "data": {"callbackType": "error", "task_id": TASK_ID, "data": None}},
            "error",
            "fail",
            0,
        ),
        (
            {"code": 200, "data": {"taskId": TASK_ID, "info": {"result_urls": [URL]}}},
            "success",
            "success",
            1,
        ),
        ({"code": 451, "data": {"taskId": TASK_ID, "info": None}}, "fail", "fail", 0),
        (
            {
                "code": 200,
                "data": {
                    "taskId": TASK_ID,
                    "info": {"originImageUrl": None, "resultImageUrl": URL},
                },
            },
            "success",
            "success",
            1,
        ),
        ({"code": 200, "data": {"task_id": TASK_ID, "video_url": URL}}, "success", "success", 1),
        ({"code": 400, "data": {"task_id": TASK_ID, "video_url": ""}}, "fail", "fail", 0),
        (
            {"code": 200, "data": {"result_video_url": URL}, "taskId": TASK_ID},
            "success",
            "success",
            1,
        ),
        ({"code": 400, "msg": "no", "data": None, "taskId": TASK_ID}, "fail", "fail", 0),
        ({"code": 200, "data": {"taskId": TASK_ID, "resultUrls": [URL]}}, "success", "success", 1),
        ({"code": 500, "data": {"taskId": TASK_ID, "resultUrls": []}}, "fail", "fail", 0),
        ({"code": 200, "data": {"task_id": TASK_ID, "audioWavUrl": URL}}, "success", "success", 1),
        (
            {"code": 200, "data": {"task_id": TASK_ID, "response": {"audioWavUrl": URL}}},
            "success",
            "success",
            1,
        ),
        ({"code": 200, "data": {"taskId": TASK_ID, "images": [URL]}}, "success", "success", 1),
        ({"code": 501, "data": {"taskId": TASK_ID, "images": None}}, "fail", "fail", 0),
        ({"code": "200", "data": {"taskId": TASK_ID}}, "success", "success", 0),
        ({"code": "501", "data": {"taskId": TASK_ID}}, "fail", "fail", 0),
        ({"task_id": TASK_ID}, "unknown", None, 0),
        ({"taskId": TASK_ID, "data": "nothing"}, "unknown", None, 0),
    ],
)
def test_every_familys_callback_says_its_stage_and_what_it_claims(
    body: object, stage: str, state: str | None, urls: int
) -> None:
    callback = read(body)
    assert callback.task_id == TASK_ID
    assert (callback.stage, callback.claimed_state) == (stage, state)
    assert claimed_urls(json.dumps(body)) == (URL,) * urls


@pytest.mark.parametrize("code", [400, 408, 413, 422, 451, 500, 501, 531])
def test_every_other_code_without_a_state_claims_failure(code: int) -> None:
    assert read({"code": code, "taskId": TASK_ID}).claimed_state == "fail"


@pytest.mark.parametrize(
    "word, state",
    [
        ("waiting", None),
        ("queuing", None),
        ("wait", None),
        ("queueing", None),
        ("generating", None),
        ("PENDING", None),
        ("TEXT_SUCCESS", None),
        ("FIRST_SUCCESS", None),
        ("CALLBACK_EXCEPTION", None),
        ("never heard of", None),
        ("SUCCESS", "success"),
        ("success", "success"),
        ("fail", "fail"),
        ("GENERATE_AUDIO_FAILED", "fail"),
        ("SENSITIVE_WORD_ERROR", "fail"),
    ],
)
def test_a_state_word_is_the_stage_and_only_final_ones_are_claims(
    word: str, state: str | None
) -> None:
    callback = read(market(state=word))
    assert (callback.stage, callback.claimed_state) == (word.lower(), state)


RESULT = {"resultUrls": [URL]}


@pytest.mark.parametrize(
    "result_json, urls",
    [
        (None, ()),
        ("", ()),
        (RESULT, (URL,)),
        (json.dumps(RESULT), (URL,)),
        (json.dumps(RESULT) + "}", (URL,)),
        (json.dumps(json.dumps(RESULT)), (URL,)),
        ('{"resultUrls": ["https:', ()),
    ],
)
def test_result_json_is_read_in_steps(result_json: object, urls: tuple[str, ...]) -> None:
    assert claimed_urls(json.dumps(market(resultJson=result_json))) == urls


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "5", '{"data": "…', '{"data": [1]}'])
def test_a_body_that_cannot_be_read_names_no_file(body: str) -> None:
    assert claimed_urls(body) == ()


@pytest.mark.parametrize(
    "extra", [{"message": "text"}, {"msg": None}, {"unknown": [{}]}, {"msg": "готово 🪁 \\/"}]
)
def test_optional_and_unknown_fields_do_not_matter(extra: dict[str, object]) -> None:
    assert read({**market(), **extra}).claimed_state == "success"


# Which task it is about


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"taskId": "t1"}},
        {"data": {"task_id": "t1"}},
        {"taskId": "t1"},
        {"task_id": "t1", "data": None},
        {"data": {"task_id": "t1", "taskId": "t2"}, "taskId": "t3", "task_id": "t4"},
        {"data": {"task_id": None, "taskId": "t1"}, "taskId": "t3"},
        {"data": {"task_id": "not an id", "taskId": "t1"}},
        {"data": '{"taskId": "t1"}'},
    ],
)
def test_the_task_id_is_found_in_every_place_in_order(body: object) -> None:
    assert read(body).task_id == "t1"


@pytest.mark.parametrize("id_", ["a" * 128, "task_kling-2.6_1765182425861", "A.b:c-d_9"])
def test_a_task_id_may_have_every_documented_form(id_: str) -> None:
    assert read({"taskId": id_}).task_id == id_


@pytest.mark.parametrize("id_", ["a" * 129, "a b", "a/b", "é", "a\x00", "\ud800", [], {}, 1.5])
def test_any_other_task_id_is_refused(id_: object) -> None:
    error = refusal({"data": {"taskId": id_}})
    assert (error.code, error.task_id) == ("body.bad_task_id", None)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, 5, "text", {"data": None}, {"data": []}, {"taskId": None}, {"taskId": ""}],
)
def test_a_body_without_an_id_is_refused(body: object) -> None:
    assert refusal(body).code == "body.no_task_id"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"taskId=1", b"<html>", b"[" * 200_000, b"9" * 5_000, b"\x00", b'{"a":1,}']
)
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert refusal(body).code == "body.not_json"


# The signature


@pytest.mark.parametrize(
    "task_id, timestamp, signature",
    [
        (TASK_ID, "1769670760", SIGNATURE),
        (
            "0123456789abcdef0123456789abcdef",
            "1767225600",
            "UmfXgAFz/48GcciAdS/gofHTgmA3su+4WppsNKnizRs=",
        ),
    ],
)
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_right_signature_verifies_however_its_headers_are_spelled(
    task_id: str, timestamp: str, signature: str, spell: object
) -> None:
    names = map(spell, ("x-webhook-timestamp", "x-webhook-signature"))  # type: ignore[call-overload]
    headers = dict(zip(names, (timestamp, signature), strict=True))
    now = datetime.fromtimestamp(int(timestamp), UTC)
    callback = read({"data": {"taskId": task_id}}, headers, keys=(KEY,), now=now)
    assert callback.task_id == task_id


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"task_id": "other", "taskId": TASK_ID}},
        {"data": {"task_id": "other"}, "taskId": TASK_ID},
        {"data": {"taskId": "other"}, "task_id": TASK_ID},
    ],
)
def test_the_id_that_the_signature_covers_is_the_tasks(body: object) -> None:
    assert read(body, HEADERS, keys=(KEY,)).task_id == TASK_ID


def test_each_of_several_keys_verifies() -> None:
    assert read(market(), HEADERS, keys=("new key", KEY)).task_id == TASK_ID


@pytest.mark.parametrize(
    "headers, code",
    [
        ({}, "signature.missing"),
        ({"X-Webhook-Signature": SIGNATURE}, "signature.missing"),
        ({"X-Webhook-Timestamp": "1769670760"}, "signature.missing"),
        ({**HEADERS, "X-Webhook-Signature": " "}, "signature.missing"),
        ({**HEADERS, "X-Webhook-Signature": "not base64"}, "signature.malformed"),
        (
            {**HEADERS, "X-Webhook-Signature": f"{SIGNATURE[:9]}!{SIGNATURE[9:]}"},
            "signature.malformed",
        ),
        ({**HEADERS, "X-Webhook-Signature": "é" * 44}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Signature": SIGNATURE[:-4]}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Signature": "ab" * 32}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Timestamp": "now"}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Timestamp": "-5"}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Timestamp": "١٢٣"}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Timestamp": "1" * 5_000}, "signature.malformed"),
        ({**HEADERS, "X-Webhook-Timestamp": "1769670761"}, "signature.wrong"),
        (sign("another key", TASK_ID, "1769670760"), "signature.wrong"),
        (sign(KEY, "another-task", "1769670760"), "signature.wrong"),
    ],
)
def test_each_way_a_signature_can_be_wrong_has_its_code(headers: dict[str, str], code: str) -> None:
    error = refusal(market(), headers, keys=(KEY,))
    assert (error.code, error.task_id) == (code, TASK_ID)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_a_signature_is_good_for_five_minutes_either_way(seconds: int) -> None:
    now = SIGNED_AT + timedelta(seconds=seconds)
    assert read(market(), HEADERS, keys=(KEY,), now=now).task_id == TASK_ID


@pytest.mark.parametrize("seconds, words", [(301, "301 s behind"), (-4000, "4000 s ahead of")])
def test_a_stale_signature_says_how_far_the_clocks_differ(seconds: int, words: str) -> None:
    error = refusal(market(), HEADERS, keys=(KEY,), now=SIGNED_AT + timedelta(seconds=seconds))
    assert error.code == "signature.stale"
    assert words in str(error)


def test_a_wrong_signature_is_not_called_stale() -> None:
    headers = sign("another key", TASK_ID, "1000")
    assert refusal(market(), headers, keys=(KEY,)).code == "signature.wrong"


def test_a_key_put_under_another_setting_is_named_by_that_setting_only() -> None:
    others = {"API_TOKEN": ["x"], "KIE_CALLBACK_SECRET": ["old", KEY]}
    error = refusal(market(), HEADERS, keys=("wrong",), others=others)
    assert error.code == "signature.other_key"
    assert "KIE_CALLBACK_SECRET" in str(error)
    assert KEY not in str(error)


def test_without_keys_a_signature_is_not_looked_at() -> None:
    assert read(market(), {"X-Webhook-Signature": "nonsense"}).task_id == TASK_ID


# Whatever arrives


@RELAXED
@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_any_bytes_are_a_callback_or_a_refusal(body: bytes, headers: dict[str, str]) -> None:
    try:
        read(body, headers, keys=(KEY,))
    except CallbackError as error:
        assert error.code.startswith(("body.", "signature."))


FIELDS = ["taskId", "task_id", "state", "status", "callbackType", "resultJson", "failCode", "info"]


@RELAXED
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON),
    st.dictionaries(st.sampled_from(["code", "msg", "message", "data"]), JSON),
)
def test_any_json_is_a_callback_or_a_refusal(
    data: dict[str, object], envelope: dict[str, object]
) -> None:
    for body in (envelope, {"data": data}, {"taskId": TASK_ID, "data": data, **envelope}):
        try:
            assert read(body).stage.encode()
        except CallbackError as error:
            assert error.code.startswith("body.")


@pytest.mark.parametrize(
    "body",
    [
        b'{"taskId":"t1","data":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"taskId":"t1","data":{"failCode":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}",
        b'{"taskId":"t1","code":NaN,"data":{"resultJson":' + b"1" * 4_000 + b"}}",
        b'{"taskId":"t0","taskId":"t1","data":{"state":"\\ud800"}}',
        b'\xef\xbb\xbf{"taskId":"t1","data":"\xff"}',
    ],
)
def test_odd_json_about_a_known_task_is_still_a_callback(body: bytes) -> None:
    assert read(body).task_id == "t1"
