"""Identifiers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.ids import made_at, new_id


def test_ids_are_uuids_of_version_7() -> None:
    found = {(UUID(one).version, UUID(one).variant) for one in (new_id() for _ in range(2000))}
    assert found == {(7, "specified in RFC 4122")}


def test_ids_grow_within_a_millisecond_too() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_threads_make_no_id_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert len({one for some in made for one in some}) == 4000


def test_an_id_tells_when_it_was_made() -> None:
    assert made_at("019aaaaa-0000-7000-8000-000000000001") == datetime(
        2025, 11, 22, 8, 24, 19, 200000, UTC
    )


@pytest.mark.parametrize(
    "adopted",
    ["42", "9f1c8a52-40cc-4a24-8b15-1f32edbad500", "ffffffff-ffff-7fff-bfff-ffffffffffff"],
)
def test_an_id_that_is_not_ours_does_not_tell(adopted: str) -> None:
    assert made_at(adopted) is None
