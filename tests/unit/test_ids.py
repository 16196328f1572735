"""Identifiers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from core.ids import new_id


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
