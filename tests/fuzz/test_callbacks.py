"""Whatever is posted to the callback's address: a value or a refusal, soon."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CallbackError
from core.kie.callbacks import Callback, claimed_urls, read_callback
from core.masking import mask
from tests.fuzz.documents import TIRING, bodies, of_size, texts
from tests.support.clock import NOON

KEY = "whk_test_0123456789abcdef"
CODES = {
    *("body.not_json", "body.no_task_id", "body.bad_task_id"),
    *("signature.missing", "signature.malformed", "signature.wrong", "signature.stale"),
    "signature.other_key",
}
MIB = 1 << 20

ids = st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True)
stamps = st.sampled_from([str(int(NOON.timestamp())), "0", "-1", "99999999999", "1e9", "²", " 1 "])
headers = st.dictionaries(
    st.sampled_from(["X-Webhook-Signature", "x-webhook-timestamp", "X-WEBHOOK-TIMESTAMP"]) | texts,
    stamps
    | texts
    | st.binary(min_size=32, max_size=32).map(lambda raw: base64.b64encode(raw)).map(bytes.decode),
)


def read(body: bytes, sent: Mapping[str, str], keys: tuple[str, ...]) -> Callback | None:
    """The callback, or None for a refusal that `docs/operations.md` knows."""
    try:
        return read_callback(
            body, sent, hmac_keys=keys, now=NOON, other_keys={"KIE_API_KEY": ["other"]}
        )
    except CallbackError as error:
        assert error.code in CODES
        return None


def signed(task_id: str) -> dict[str, str]:
    stamp = str(int(NOON.timestamp()))
    digest = hmac.digest(KEY.encode(), f"{task_id}.{stamp}".encode(), hashlib.sha256)
    return {
        "X-Webhook-Timestamp": stamp,
        "X-Webhook-Signature": base64.b64encode(digest).decode(),
    }


@given(bodies, headers, st.booleans())
def test_any_bytes_and_headers_are_a_callback_or_a_refusal(
    body: bytes, sent: dict[str, str], with_keys: bool
) -> None:
    callback = read(body, sent, (KEY,) if with_keys else ())
    if callback is not None:
        assert callback.task_id.encode() in body or b"\\u" in body
        assert callback.claimed_state in ("success", "fail", None)
        assert len(callback.stage) <= 64


@given(bodies)
def test_what_a_body_claims_is_no_more_than_urls_of_the_web(body: bytes) -> None:
    for url in claimed_urls(body.decode("utf-8", "replace")):
        assert url.lower().startswith(("http://", "https://"))


PLACES = (("data", "task_id"), ("data", "taskId"), ("taskId",), ("task_id",))


@given(st.lists(ids, min_size=4, max_size=4), st.integers(0, 3))
def test_of_four_ids_the_one_that_was_signed_is_taken(named: list[str], which: int) -> None:
    data = dict(zip(("task_id", "taskId"), named[:2], strict=True))
    body = json.dumps({"data": data, "taskId": named[2], "task_id": named[3]}).encode()
    callback = read(body, signed(named[which]), (KEY,))
    assert callback is not None
    assert callback.task_id == named[which]


@given(st.sampled_from(PLACES), texts | st.integers() | st.booleans() | st.floats() | st.lists(ids))
def test_an_id_is_taken_as_it_was_written_or_not_at_all(
    place: tuple[str, ...], value: object
) -> None:
    body: object = value
    for name in reversed(place):
        body = {name: body}
    callback = read(json.dumps(body).encode(), {}, ())
    assert callback is None or (type(value) in (str, int) and callback.task_id == str(value))


@given(ids, ids, texts)
def test_a_signature_opens_no_other_id(mine: str, other: str, stamp: str) -> None:
    body = json.dumps({"data": {"taskId": other}}).encode()
    callback = read(body, signed(mine), (KEY,))
    assert (callback is not None) == (mine == other)
    assert read(body, signed(other) | {"x-webhook-timestamp": stamp}, (KEY,)) is None


@pytest.mark.parametrize("shape", TIRING)
def test_a_body_of_the_largest_size_is_read_soon_and_in_little_memory(shape: str) -> None:
    body = of_size(*TIRING[shape], MIB)
    started = time.process_time()
    read(body, {}, ())
    claimed_urls(body.decode("utf-8", "replace"))
    mask(body.decode("utf-8", "replace"))
    assert time.process_time() - started < 5  # a reader that is quadratic takes minutes


@pytest.mark.parametrize("shape", TIRING)
def test_reading_takes_no_more_than_a_few_times_the_body(shape: str) -> None:
    body = of_size(*TIRING[shape], MIB // 4)
    tracemalloc.start()
    try:
        read(body, {}, ())
        claimed_urls(body.decode("utf-8", "replace"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * len(body)
