"""Large files go on where they were cut, whoever cut them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import LeaseLostError, StorageError
from core.storage.supabase.source import PIECE_BYTES
from tests.contract.storage_cases import PATH, SupabaseCase, supabase_case
from tests.support.supabase_storage import SupabaseStorageDouble

UNIT = 1 << 17  # in place of a MiB
PIECES = UNIT // PIECE_BYTES
CONTENT = os.urandom(15 * UNIT)
PATCH = "PATCH /upload/"


@pytest.fixture(autouse=True)
def _in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.supabase.resumable.CHUNK_BYTES", 6 * UNIT)
    monkeypatch.setattr("core.storage.supabase.storage.RESUMABLE_ABOVE_BYTES", 6 * UNIT)


@pytest.fixture
def interrupted(tmp_path: Path, supabase_storage: SupabaseStorageDouble) -> SupabaseStorageDouble:
    """A bucket to which two thirds of a file were sent when the process died."""
    calls = iter(range(10**6))

    def die() -> None:
        if next(calls) == 10 * PIECES:
            raise LeaseLostError

    with supabase_case(tmp_path, supabase_storage) as case, pytest.raises(LeaseLostError):
        case.storage.put(case.source(CONTENT), PATH, "video/mp4", die)
    supabase_storage.wait_until_nobody_calls()
    supabase_storage.requests.clear()
    return supabase_storage


@pytest.fixture
def restarted(tmp_path: Path, interrupted: SupabaseStorageDouble) -> Iterator[SupabaseCase]:
    """The same as the process has it that comes next."""
    with supabase_case(tmp_path, interrupted) as case:
        yield case


def sent(case: SupabaseCase) -> int:
    """How many bytes of files were announced in requests."""
    carrying = [request for request in case.double.requests if request.method == "PATCH"]
    return sum(int(request.headers["content-length"]) for request in carrying)


def test_chunks_are_of_the_size_that_supabase_takes(
    bucket: SupabaseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    bucket.put(bytes(15 << 20))
    lengths = [
        int(request.headers["content-length"])
        for request in bucket.double.requests
        if request.method == "PATCH"
    ]
    assert lengths == [6 << 20, 6 << 20, 3 << 20]


def test_a_cut_is_gone_on_from_at_once(bucket: SupabaseCase) -> None:
    bucket.double.fault("cut", PATCH, after=2 * UNIT)
    bucket.double.fault("cut", PATCH, after=UNIT)
    bucket.put(CONTENT)
    assert bucket.objects() == {PATH: CONTENT}
    looks = [line for line in bucket.double.lines if line.startswith("HEAD")]
    assert len(looks) == 2
    assert sent(bucket) < len(CONTENT) + 2 * 6 * UNIT


def test_a_cut_that_brings_nothing_waits_for_the_next_try(bucket: SupabaseCase) -> None:
    bucket.double.fault("cut", PATCH)
    with pytest.raises(StorageError) as caught:
        bucket.put(CONTENT)
    assert caught.value.code == "storage.unavailable"
    bucket.put(CONTENT)
    assert bucket.double.lines.count("POST /upload/resumable") == 1
    assert bucket.objects() == {PATH: CONTENT}


def test_a_lost_answer_costs_nothing(bucket: SupabaseCase) -> None:
    bucket.double.fault("lose_answer", PATCH)
    bucket.put(CONTENT)
    assert (bucket.objects(), sent(bucket)) == ({PATH: CONTENT}, len(CONTENT))


def test_the_next_process_goes_on(restarted: SupabaseCase) -> None:
    restarted.put(CONTENT)
    assert restarted.objects() == {PATH: CONTENT}
    assert "POST /upload/resumable" not in restarted.double.lines
    assert sent(restarted) <= 9 * UNIT


def test_an_upload_that_has_expired_begins_anew(restarted: SupabaseCase) -> None:
    restarted.double.uploads.clear()
    restarted.put(CONTENT)
    assert (restarted.objects(), sent(restarted)) == ({PATH: CONTENT}, len(CONTENT))


def test_an_upload_that_expires_under_way_begins_anew_with_the_next_try(
    bucket: SupabaseCase,
) -> None:
    bucket.double.put_a_gateway_in_front()
    calls = iter(range(10**6))

    def expire() -> None:
        if next(calls) == 7 * PIECES:
            bucket.double.uploads.clear()

    with pytest.raises(StorageError):
        bucket.storage.put(bucket.source(CONTENT), PATH, "video/mp4", expire)
    bucket.put(CONTENT)
    assert bucket.objects() == {PATH: CONTENT}


def test_bytes_that_were_acknowledged_and_are_not_there_are_sent_again(
    bucket: SupabaseCase,
) -> None:
    told = {"upload-offset": str(6 * UNIT)}
    bucket.double.fault("answer", PATCH, status=204, body=b"", headers=told)
    bucket.double.put_a_gateway_in_front()
    bucket.put(CONTENT)
    assert bucket.objects() == {PATH: CONTENT}


@pytest.mark.parametrize("kept", [b"", b"../../etc", b"https://evil.test/x", b"\xff", b"a" * 9999])
def test_a_spoilt_memory_is_no_memory(tmp_path: Path, restarted: SupabaseCase, kept: bytes) -> None:
    (memory,) = (tmp_path / "uploads").iterdir()
    memory.write_bytes(kept)
    restarted.put(CONTENT)
    assert restarted.objects() == {PATH: CONTENT}


def test_a_file_of_another_size_does_not_go_on_with_it(restarted: SupabaseCase) -> None:
    other = os.urandom(8 * UNIT)
    restarted.put(other)
    assert restarted.objects() == {PATH: other}


def test_another_bucket_does_not_go_on_with_it(
    tmp_path: Path, interrupted: SupabaseStorageDouble
) -> None:
    with supabase_case(tmp_path, interrupted, supabase_bucket="other") as case:
        case.put(CONTENT)
    assert interrupted.contents("other") == {PATH: CONTENT}


def test_nothing_is_remembered_of_what_is_done(tmp_path: Path, restarted: SupabaseCase) -> None:
    restarted.put(CONTENT)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_our_key_goes_to_no_other_host(bucket: SupabaseCase) -> None:
    bucket.double.put_a_gateway_in_front()
    headers = {"location": "http://evil.test:1/storage/v1/upload/resumable/abc"}
    bucket.double.fault("answer", "POST /upload", status=201, body=b"", headers=headers)
    with pytest.raises(StorageError):
        bucket.put(CONTENT)
    assert "PATCH /upload/resumable/abc" in bucket.double.lines


@pytest.mark.parametrize("location", ["", "/", "/upload/..%2f", "/a b"])
def test_a_place_that_cannot_be_one_is_refused(bucket: SupabaseCase, location: str) -> None:
    headers = {"location": location}
    bucket.double.fault("answer", "POST /upload", status=201, body=b"", headers=headers)
    with pytest.raises(StorageError) as caught:
        bucket.put(CONTENT)
    assert caught.value.code == "storage.unavailable"


@pytest.mark.parametrize("offset", ["-1", "0", "99999999999", "many", "9" * 5000])
def test_an_offset_that_cannot_be_one_ends_the_try(bucket: SupabaseCase, offset: str) -> None:
    headers = {"upload-offset": offset}
    bucket.double.fault("answer", PATCH, status=204, body=b"", headers=headers)
    bucket.double.put_a_gateway_in_front()
    with pytest.raises(StorageError) as caught:
        bucket.put(CONTENT)
    assert caught.value.code == "storage.unavailable"


def test_what_supabase_has_forgotten_is_swept(tmp_path: Path, restarted: SupabaseCase) -> None:
    now = datetime.now(UTC)
    assert restarted.storage.sweep(timedelta(hours=1), now + timedelta(hours=23)) == 0
    assert restarted.storage.sweep(timedelta(hours=1), now + timedelta(hours=25)) == 1
    assert list((tmp_path / "uploads").iterdir()) == []
