"""Permanent storage: one suite for every adapter."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import StorageError
from tests.contract.storage_cases import PATH, StorageCase

LARGE = 7 << 20  # goes in chunks


def test_what_is_put_is_there_under_its_path(storage_case: StorageCase) -> None:
    storage_case.put(b"whole")
    assert (storage_case.objects(), storage_case.storage.size(PATH)) == ({PATH: b"whole"}, 5)


def test_a_second_put_replaces_the_first(storage_case: StorageCase) -> None:
    storage_case.put(b"first")
    storage_case.put(b"second one")
    assert storage_case.objects() == {PATH: b"second one"}


def test_a_large_file_arrives_as_it_is(storage_case: StorageCase) -> None:
    content = os.urandom(LARGE)
    storage_case.put(content)
    with storage_case.storage.read(PATH) as pieces:
        assert b"".join(pieces) == content


def test_a_missing_source_leaves_what_is_there(storage_case: StorageCase) -> None:
    storage_case.put(b"whole")
    with pytest.raises(StorageError):
        storage_case.storage.put(storage_case.spool / "missing", PATH, "image/png")
    assert storage_case.objects() == {PATH: b"whole"}


def test_what_is_not_there_has_no_size_and_cannot_be_read(storage_case: StorageCase) -> None:
    storage_case.storage.prepare()
    assert storage_case.storage.size(PATH) is None
    with pytest.raises(StorageError) as caught, storage_case.storage.read(PATH):
        pass
    assert caught.value.code == "storage.missing"


def test_a_folder_is_not_an_object(storage_case: StorageCase) -> None:
    storage_case.put()
    assert storage_case.storage.size("somebody") is None


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage_case: StorageCase) -> None:
    storage_case.put()
    storage_case.storage.delete(PATH)
    storage_case.storage.delete(PATH)
    assert (storage_case.objects(), storage_case.storage.size(PATH)) == ({}, None)


def test_an_error_while_reading_stays_what_it_is(storage_case: StorageCase) -> None:
    storage_case.put()
    with pytest.raises(KeyError), storage_case.storage.read(PATH):
        raise KeyError("of the reader")


def test_every_object_is_listed_with_size_and_time(storage_case: StorageCase) -> None:
    paths = ["a/image/1.png", "a/image/2.png", "b.mp4"]
    for number, path in enumerate(paths):
        storage_case.put(b"x" * number, path)
    found = sorted(storage_case.storage.objects())
    assert [(item.path, item.size_bytes) for item in found] == list(
        zip(paths, range(3), strict=True)
    )
    assert all(abs(item.stored_at - datetime.now(UTC)) < timedelta(minutes=1) for item in found)


def test_empty_storage_lists_nothing(storage_case: StorageCase) -> None:
    storage_case.storage.prepare()
    assert list(storage_case.storage.objects()) == []


def test_a_url_holds_no_character_that_ends_a_path(storage_case: StorageCase) -> None:
    path = storage_case.storage.url("a b/c?d#e").partition("?sig=")[0]
    assert path.endswith("/a%20b/c%3Fd%23e")


def test_preparing_again_changes_nothing(storage_case: StorageCase) -> None:
    storage_case.storage.prepare()
    storage_case.put()
    storage_case.storage.prepare()
    assert storage_case.objects() == {PATH: b"whole"}


def test_a_check_leaves_nothing_behind(storage_case: StorageCase) -> None:
    storage_case.storage.check()
    assert storage_case.objects() == {}


def test_storage_that_is_away_says_so(storage_case: StorageCase) -> None:
    storage_case.put()
    storage = storage_case.storage
    with storage_case.away():
        for act in (
            storage.prepare,
            storage.check,
            storage_case.put,
            lambda: storage.size(PATH),
            lambda: storage.delete(PATH),
            lambda: storage.read(PATH).__enter__(),
        ):
            with pytest.raises(StorageError) as caught:
                act()
            assert (caught.value.code, caught.value.permanent) == ("storage.unavailable", False)
    assert storage_case.objects() == {PATH: b"whole"}


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a/..", "a\0b", "./."]
)
def test_a_path_that_names_no_object_is_refused(storage_case: StorageCase, path: str) -> None:
    source = storage_case.source()
    for act in (
        lambda: storage_case.storage.put(source, path, "image/png"),
        lambda: storage_case.storage.size(path),
        lambda: storage_case.storage.delete(path),
        lambda: storage_case.storage.read(path).__enter__(),
    ):
        with pytest.raises(StorageError) as caught:
            act()
        assert caught.value.code == "storage.bad_path"
    assert source.exists()


def test_nothing_is_swept_where_nothing_was_interrupted(storage_case: StorageCase) -> None:
    storage_case.put()
    assert storage_case.storage.sweep(timedelta(), datetime.now(UTC) + timedelta(days=2)) == 0
    assert storage_case.objects() == {PATH: b"whole"}
