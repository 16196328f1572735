"""What Supabase Storage means when it says no: the true status is in the body, never in HTTP's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.storage.supabase.refusals import BucketMissingError, read_refusal, storage_error

KEY = "the-service-role-key"


def body(status: object, error: str, message: str, code: str | None = None) -> bytes:
    told = {"statusCode": status, "error": error, "message": message}
    return json.dumps({**told, **({"code": code} if code else {})}).encode()


@pytest.mark.parametrize(
    ("http", "answer", "code"),
    [
        # as the server was seen to answer
        (400, body("409", "Duplicate", "exists", "KeyAlreadyExists"), "storage.unavailable"),
        (400, body("404", "not_found", "Object not found", "NoSuchKey"), "storage.missing"),
        (400, body("404", "not_found", "Object not found"), "storage.missing"),
        (400, body("403", "Unauthorized", "bad signature", "AccessDenied"), "storage.refused"),
        (400, body("400", "Error", "no authorization", "InvalidRequest"), "storage.refused"),
        (400, body("413", "Payload too large", "too large", "EntityTooLarge"), "storage.refused"),
        (400, body("415", "invalid_mime_type", "no png", "InvalidMimeType"), "storage.refused"),
        (400, body("400", "InvalidKey", "Invalid key", "InvalidKey"), "storage.refused"),
        (500, body("500", "Internal", "Internal", "InternalError"), "storage.unavailable"),
        (429, body("429", "too_many_connections", "later", "SlowDown"), "storage.unavailable"),
        (544, body("544", "-", "timeout", "DatabaseTimeout"), "storage.unavailable"),
        (400, body("503", "-", "read-only", "DatabaseReadOnly"), "storage.unavailable"),
        (400, body("423", "-", "locked", "ResourceLocked"), "storage.unavailable"),
        (404, body(404, "Not Found", "Route not found"), "storage.unavailable"),
        # the resumable endpoint: true statuses, plain text
        (413, b"Maximum size exceeded", "storage.refused"),
        (404, b"The file for this url was not found", "storage.unavailable"),
        (409, b"Upload-Offset conflict", "storage.unavailable"),
        # gateways
        (401, b'{"message":"Invalid API key"}', "storage.refused"),
        (502, b"<html>Bad Gateway</html>", "storage.unavailable"),
        (540, b"project paused", "storage.unavailable"),
        (302, b"", "storage.unavailable"),
    ],
)
def test_every_refusal_is_known_by_its_true_status(http: int, answer: bytes, code: str) -> None:
    error = storage_error("cannot store a", read_refusal(http, answer, KEY))
    assert (error.code, error.permanent) == (code, False)
    assert not isinstance(error, BucketMissingError)


@pytest.mark.parametrize("code", ["NoSuchBucket", None])
def test_a_missing_bucket_is_no_missing_object(code: str | None) -> None:
    answer = body("404", "Bucket not found", "Bucket not found", code)
    error = storage_error("cannot look at a", read_refusal(400, answer, KEY))
    assert isinstance(error, BucketMissingError)
    assert error.code == "storage.unavailable"


@pytest.mark.parametrize(
    ("status", "advice"),
    [("413", "file size limit"), ("415", "allow this type"), ("403", "SERVICE_ROLE_KEY")],
)
def test_a_refusal_says_what_to_do(status: str, advice: str) -> None:
    refusal = read_refusal(400, body(status, "-", "their words"), KEY)
    error = storage_error("cannot store a", refusal)
    assert str(error).startswith(f"cannot store a: their words ({status})")
    assert advice in str(error)


@given(st.integers(300, 599), st.binary(max_size=400))
def test_any_answer_can_be_read(http: int, answer: bytes) -> None:
    check_readable(http, answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.integers(300, 599),
    st.fixed_dictionaries(
        {}, optional={"statusCode": JSON, "error": JSON, "message": JSON, "code": JSON}
    ),
)
def test_any_json_can_be_read(http: int, answer: dict[str, object]) -> None:
    check_readable(http, json.dumps(answer).encode())


def test_our_key_is_masked_in_words_and_names() -> None:
    for answer in (body("403", KEY, f"bad {KEY}", KEY), f"bad {KEY}".encode()):
        refusal = read_refusal(400, answer, KEY)
        assert KEY not in f"{refusal.words} {storage_error('x', refusal)}"


def check_readable(http: int, answer: bytes) -> None:
    error = storage_error("cannot store a", read_refusal(http, answer, KEY))
    assert error.code in ("storage.unavailable", "storage.refused", "storage.missing")
    assert str(error).isprintable() or "\n" not in str(error)
    assert len(str(error).encode()) < 600
