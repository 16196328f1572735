"""Permanent storage in a Supabase bucket while something is wrong: no lie, no loss, no leak."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import LeaseLostError, StorageError
from tests.contract.storage_cases import PATH, SupabaseCase, supabase_case
from tests.support.supabase_storage import SupabaseStorageDouble

STALL_SECONDS = 1.0
SMALL = b"whole"
LARGE = os.urandom(7 << 20)
UPLOADS = {"small": (SMALL, "POST /object/"), "large": (LARGE, "PATCH /upload/")}


@pytest.fixture
def bucket(tmp_path: Path, supabase_storage: SupabaseStorageDouble) -> Iterator[SupabaseCase]:
    """A bucket that is there, and a client with little patience."""
    with supabase_case(tmp_path, supabase_storage, STALL_SECONDS) as case:
        case.storage.prepare()
        yield case


@pytest.fixture(params=list(UPLOADS))
def upload(request: pytest.FixtureRequest) -> tuple[bytes, str]:
    """A file, and the request that carries it."""
    return UPLOADS[request.param]


@pytest.mark.parametrize("kind", ["answer", "hang", "cut", "lose_answer", "truncate", "forget"])
def test_an_upload_that_goes_wrong_is_not_taken_for_done_and_goes_well_later(
    bucket: SupabaseCase, upload: tuple[bytes, str], kind: str
) -> None:
    content, request = upload
    bucket.double.fault(kind, request)
    for _ in range(2):
        try:
            bucket.put(content)
        except StorageError as error:
            assert (error.code, error.permanent) == ("storage.unavailable", False)
        if bucket.storage.size(PATH) == len(content):
            break
    assert bucket.objects() == {PATH: content}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b'{"statusCode":"429","error":"too_many_connections","message":"later"}'),
        (400, b'{"statusCode":"503","error":"x","message":"database read-only"}'),
        (400, b'{"statusCode":"423","error":"x","message":"lock held"}'),
        (544, b'{"statusCode":"544","error":"x","message":"database timeout"}'),
        (500, b'{"statusCode":"500","error":"Internal","message":"?"}'),
        (502, b"<html>Bad Gateway</html>"),
        (404, b"<html>no such app</html>"),
        (404, b'{"statusCode":404,"error":"Not Found","message":"Route not found"}'),
        (301, b""),
        (500, b'{"statusCode":'),
        (500, b"[" * 100_000),
        (500, b'["a", "list"]'),
        (500, b'{"statusCode":{},"error":[],"message":null}'),
        (500, b"\xff\x00"),
        (200, b""),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"size":"many"}'),
        (200, b'{"size":1e999}'),
        (200, b'{"size":true}'),
        (200, b'{"size":-5}'),
        (200, b'{"size":1.9}'),
        (200, b" " * (9 << 20)),
    ],
)
def test_an_answer_that_makes_no_sense_is_storage_being_away(
    bucket: SupabaseCase, status: int, body: bytes
) -> None:
    bucket.double.fault("answer", "info", status=status, body=body)
    with pytest.raises(StorageError) as caught:
        bucket.storage.size(PATH)
    assert caught.value.code == "storage.unavailable"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "ask",
    [
        lambda case: case.storage.size(PATH),
        lambda case: case.storage.check(),
        lambda case: list(case.storage.objects()),
        lambda case: case.storage.delete(PATH),
        lambda case: _read(case),
    ],
)
@pytest.mark.parametrize("kind", ["answer", "truncate", "lose_answer", "drip"])
def test_no_question_waits_for_ever_or_believes_half_an_answer(
    bucket: SupabaseCase,
    kind: str,
    ask: Callable[[SupabaseCase], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.put(b"x" * 1000)
    bucket.double.fault(kind)
    for limit in ("ASK_SECONDS", "CHECK_SECONDS", "TRANSFER_SECONDS"):
        monkeypatch.setattr(f"core.storage.supabase.storage.{limit}", 0.3)
    with pytest.raises(StorageError) as caught:
        ask(bucket)
    assert caught.value.code == "storage.unavailable"
    monkeypatch.undo()
    ask(bucket)


def test_our_key_is_never_repeated(bucket: SupabaseCase) -> None:
    key = SupabaseStorageDouble.key
    for body in (f'{{"statusCode":"403","message":"bad key {key}"}}', f"no such key: {key}"):
        bucket.double.fault("answer", "info", status=403, body=body.encode())
        with pytest.raises(StorageError) as caught:
            bucket.storage.size(PATH)
        assert key not in f"{caught.value!r} {caught.value.__cause__!r}"
        assert "***" in str(caught.value)


@pytest.mark.parametrize("content", [b"x" * 4000, b"x" * (6 << 20), LARGE])
@pytest.mark.parametrize("has_gateway", [False, True])
def test_a_file_over_a_limit_is_refused_in_words_also_where_nobody_reads_it(
    bucket: SupabaseCase, content: bytes, has_gateway: bool
) -> None:
    if has_gateway:
        bucket.double.put_a_gateway_in_front()
    bucket.double.buckets["generations"].file_size_limit = 2000
    with pytest.raises(StorageError, match="raise the file size limit") as caught:
        bucket.put(content)
    assert (caught.value.code, caught.value.permanent) == ("storage.refused", False)
    assert bucket.objects() == {}
    bucket.double.buckets["generations"].file_size_limit = None
    bucket.put(content)
    assert bucket.objects() == {PATH: content}


@pytest.mark.parametrize("content", [b"x" * 4000, b"x" * (6 << 20), LARGE])
def test_a_type_that_the_bucket_does_not_allow_is_refused_in_words(
    bucket: SupabaseCase, content: bytes
) -> None:
    bucket.double.buckets["generations"].allowed_mime_types = ["video/mp4"]
    with pytest.raises(StorageError, match="let the bucket allow this type") as caught:
        bucket.put(content)
    assert caught.value.code == "storage.refused"


def test_a_key_that_is_taken_back_is_refused_in_words(bucket: SupabaseCase) -> None:
    bucket.double.change_key("another")
    for content in (SMALL, b"x" * (6 << 20), LARGE):
        with pytest.raises(StorageError, match="set SUPABASE_SERVICE_ROLE_KEY") as caught:
            bucket.put(content)
        assert caught.value.code == "storage.refused"


def test_a_redirect_is_not_followed(bucket: SupabaseCase) -> None:
    headers = {"location": f"{bucket.double.url}/elsewhere"}
    bucket.double.fault("answer", "info", status=302, body=b"", headers=headers)
    with pytest.raises(StorageError, match="302"):
        bucket.storage.size(PATH)
    assert "GET /elsewhere" not in bucket.double.lines


def test_a_lost_lease_stops_an_upload(bucket: SupabaseCase, upload: tuple[bytes, str]) -> None:
    content, _ = upload

    def lost() -> None:
        raise LeaseLostError

    with pytest.raises(LeaseLostError):
        bucket.storage.put(bucket.source(content), PATH, "image/png", lost)
    assert bucket.objects() == {}
    bucket.put(content)
    assert bucket.objects() == {PATH: content}


def test_no_transfer_takes_for_ever(
    bucket: SupabaseCase, upload: tuple[bytes, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.storage.supabase.storage.TRANSFER_SECONDS", -1)
    with pytest.raises(StorageError, match="not done in"):
        bucket.put(upload[0])


def _read(case: SupabaseCase) -> int:
    with case.storage.read(PATH) as pieces:
        return sum(map(len, pieces))
