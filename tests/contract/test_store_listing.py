"""Lists of generations: what a filter lets through, page by page, searched and exported."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from core.generation.model import Asset, Channel, Status
from core.store.listing import Cursor, Filter
from core.store.queries import Page, Queries
from core.store.rows import to_columns
from core.store.tables import generations
from tests.contract.conftest import StoreCase
from tests.support.clock import NOON
from tests.support.databases import on_sqlite

DELIVERED: dict[str, Any] = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a"}
FAILED: dict[str, Any] = {"status": Status.FAILED, "error_code": "media.gone"}
HOUR = timedelta(hours=1)
QUOTE = 'it\'s 100% "sharp"_no/blur'
HISTORY: dict[str, dict[str, Any]] = {
    "queued": {"prompt": "a Red kite", "user_id": "ann"},
    "waiting": {"status": Status.GENERATING, "model": "video", "kind": "video", "user_id": "bob"},
    "announced": {**DELIVERED, "kind": "image", "delivered_via": Channel.CALLBACK},
    "found": {**DELIVERED, "model": "video", "kind": "video", "delivered_via": Channel.POLL},
    "gone": {**FAILED, "user_id": "ann", "prompt": QUOTE},
    "gone video": {**FAILED, "model": "video", "delivered_via": Channel.POLL, "user_id": "bob"},
    "refused": {**FAILED, "error_code": "media.refused", "prompt": "ÄPFEL, red"},
}
ALL = list(reversed(HISTORY))

FILTERS: list[tuple[Filter, list[str]]] = [
    (Filter(), ALL),
    (Filter(status=Status.QUEUED), ["queued"]),
    (Filter(status=Status.GENERATING), ["waiting"]),
    (Filter(status=Status.SUCCESS), ["found", "announced"]),
    (Filter(status=Status.FAILED), ["refused", "gone video", "gone"]),
    (Filter(is_open=True), ["waiting", "queued"]),
    (Filter(kind="video"), ["found", "waiting"]),
    (Filter(model="video"), ["gone video", "found", "waiting"]),
    (Filter(user_id="ann"), ["gone", "queued"]),
    (Filter(user_id="ANN"), []),
    (Filter(delivered_via=Channel.CALLBACK), ["announced"]),
    (Filter(error_code="media.gone"), ["gone video", "gone"]),
    (Filter(since=NOON + 5 * HOUR), ["refused", "gone video"]),
    (Filter(until=NOON + HOUR), ["queued"]),
    (Filter(since=NOON + HOUR, until=NOON + 3 * HOUR), ["announced", "waiting"]),
    (Filter(status=Status.FAILED, since=NOON + 5 * HOUR), ["refused", "gone video"]),
    (Filter(is_open=True, since=NOON + HOUR), ["waiting"]),
    (Filter(is_open=True, model="video", user_id="bob", kind="video"), ["waiting"]),
    (Filter(is_open=True, status=Status.SUCCESS), []),
    (Filter(model="video", status=Status.FAILED, since=NOON), ["gone video"]),
    (Filter(delivered_via=Channel.POLL, since=NOON + 4 * HOUR), ["gone video"]),
    (Filter(error_code="media.gone", model="video", status=Status.FAILED), ["gone video"]),
]

SEARCHES: list[tuple[tuple[str, ...], list[str]]] = [
    (("red",), ["refused", "queued"]),
    (("RED", "Kite"), ["queued"]),
    (("red", "house"), []),
    (("äpfel",), ["refused"]),
    (("Äpfel",), ["refused"]),
    (("100%",), ["gone"]),
    (("0%s",), []),
    (("_",), ["gone"]),
    (("it's",), ["gone"]),
    (('"sharp"',), ["gone"]),
    (("no/blur",), ["gone"]),
]


def numbered(number: int) -> str:
    """An id; those of greater numbers are greater."""
    return str(UUID(int=number))


IDS = {name: numbered(number) for number, name in enumerate(HISTORY)}
NAMES = {generation_id: name for name, generation_id in IDS.items()}


@pytest.fixture
def history(case: StoreCase) -> StoreCase:
    """One generation an hour, in the order of their names."""
    for name, fields in HISTORY.items():
        case.add(id=IDS[name], **fields)
        case.clock.advance(3600)
    return case


def names(page: Page) -> list[str]:
    return [NAMES[generation.id] for generation in page.items]


def walk(queries: Queries, filter: Filter, *, limit: int) -> list[Page]:
    """All pages, from the newest on."""
    pages = [queries.page(filter, limit=limit)]
    while cursor := pages[-1].next_cursor:
        pages.append(queries.page(filter, before=Cursor.parse(str(cursor)), limit=limit))
    return pages


@pytest.mark.parametrize(("filter", "expected"), FILTERS)
def test_a_filter_lets_through_what_it_says(
    history: StoreCase, filter: Filter, expected: list[str]
) -> None:
    assert names(history.queries.page(filter)) == expected


@pytest.mark.parametrize(("filter", "expected"), FILTERS)
def test_pages_have_no_gap_and_no_repeat(
    history: StoreCase, filter: Filter, expected: list[str]
) -> None:
    pages = walk(history.queries, filter, limit=2)
    assert [name for page in pages for name in names(page)] == expected
    assert all(len(page.items) == 2 for page in pages[:-1])


def test_generations_of_one_moment_are_paged_by_id(case: StoreCase) -> None:
    ids = [case.add(id=numbered(n)).id for n in range(7)]
    pages = walk(case.queries, Filter(), limit=3)
    assert [one.id for page in pages for one in page.items] == ids[::-1]


def test_a_full_last_page_is_known_to_be_the_last(history: StoreCase) -> None:
    assert history.queries.page(Filter(user_id="ann"), limit=2).next_cursor is None


def test_what_is_newer_is_counted_from_the_nearest(history: StoreCase) -> None:
    than = Cursor(NOON + 2 * HOUR, IDS["announced"])
    newer = history.queries.newer(Filter(status=Status.FAILED), than, limit=2)
    expected = [(NOON + 4 * HOUR, IDS["gone"]), (NOON + 5 * HOUR, IDS["gone video"])]
    assert newer == expected


def test_what_is_newer_of_one_moment_goes_by_id(case: StoreCase) -> None:
    for n in range(4):
        case.add(id=numbered(n))
    newer = case.queries.newer(Filter(), Cursor(case.clock(), numbered(1)), limit=9)
    assert [cursor.id for cursor in newer] == [numbered(2), numbered(3)]


@pytest.mark.parametrize(("words", "expected"), SEARCHES)
def test_all_words_are_found_in_any_case_and_as_they_are(
    history: StoreCase, words: tuple[str, ...], expected: list[str]
) -> None:
    assert names(history.queries.page(Filter(words=words))) == expected


def test_a_search_ends_at_its_budget_and_says_where(history: StoreCase) -> None:
    queries = Queries(history.store.database, searched=4)
    page = queries.page(Filter(words=("red",)))
    assert names(page) == ["refused"]
    assert page.looked_back_to == NOON + 3 * HOUR


def test_a_search_goes_on_where_it_ended(history: StoreCase) -> None:
    queries = Queries(history.store.database, searched=3)
    pages = walk(queries, Filter(words=("red",)), limit=50)
    assert [names(page) for page in pages] == [["refused"], [], ["queued"]]
    assert pages[-1].looked_back_to is None


def test_a_full_page_of_a_search_goes_on_after_what_it_found(history: StoreCase) -> None:
    page = Queries(history.store.database, searched=4).page(Filter(words=("r",)), limit=1)
    assert page.next_cursor == Cursor(NOON + 6 * HOUR, IDS["refused"])
    assert page.looked_back_to is None


def test_the_budget_counts_only_what_the_filter_lets_through(history: StoreCase) -> None:
    queries = Queries(history.store.database, searched=2)
    page = queries.page(Filter(words=("kite",), user_id="ann"))
    assert names(page) == ["queued"]


def exported(queries: Queries, filter: Filter, *columns: str, limit: int = 100) -> list[Any]:
    pieces = queries.export(filter, columns, limit=limit)
    return [tuple(row.values()) for piece in pieces for row in piece]


def test_an_export_has_the_columns_asked_for(case: StoreCase) -> None:
    added = case.add(credits_consumed=Decimal("0.5"), user_id="ann")
    rows = exported(case.queries, Filter(), "user_id", "credits_consumed", "created_at", "id")
    assert rows == [(added.id, "ann", Decimal("0.5"), case.clock())]


@pytest.mark.parametrize("limit", [1, 999, 1000, 1001, 2500])
def test_an_export_ends_at_its_limit(case: StoreCase, limit: int) -> None:
    fill(case, 1100)
    rows = exported(case.queries, Filter(), limit=limit)
    assert [UUID(one).int for (one,) in rows] == list(range(1099, max(1099 - limit, -1), -1))


def test_an_export_holds_no_transaction_between_pieces(case: StoreCase) -> None:
    fill(case, 1001)
    pieces = case.queries.export(Filter(), [], limit=2000)
    next(pieces)
    with case.store.database.write() as connection:
        connection.execute(sa.update(generations).values(user_id="late"))
    assert [row["id"] for row in next(pieces)] == [numbered(0)]


def test_an_export_says_where_it_is_cut(history: StoreCase) -> None:
    queries = history.queries
    assert queries.export_ends(Filter(), limit=2) == NOON + 5 * HOUR
    assert queries.export_ends(Filter(), limit=len(HISTORY)) is None


def test_an_export_searches_as_far_back_as_the_first_page(history: StoreCase) -> None:
    queries, filter = Queries(history.store.database, searched=3), Filter(words=("red",))
    assert exported(queries, filter) == [(IDS["refused"],)]
    assert queries.export_ends(filter, limit=100) == NOON + 4 * HOUR


@on_sqlite
def test_an_odd_row_is_left_out_of_lists_and_exports(history: StoreCase) -> None:
    with history.store.database.write() as connection:
        for change in ("credits_consumed = 'much'", "input = 'not JSON'"):
            where = f"id = '{IDS['gone']}'"
            connection.exec_driver_sql(f"UPDATE generations SET {change} WHERE {where}")
    expected = [name for name in ALL if name != "gone"]
    assert names(history.queries.page()) == expected
    assert exported(history.queries, Filter(), "credits_consumed")[0][0] == IDS[expected[0]]
    assert len(exported(history.queries, Filter(), "credits_consumed")) == len(expected)


def test_a_listed_generation_has_its_files(case: StoreCase) -> None:
    claimed = case.claim(case.add())
    case.save(claimed, assets=(Asset(position=0, path="a"),))
    (listed,) = case.queries.page().items
    assert [asset.path for asset in listed.assets] == ["a"]


def fill(case: StoreCase, count: int) -> None:
    """So many generations, a second apart, whose ids are numbers."""
    rows = []
    for n in range(count):
        rows.append(to_columns(case.new(id=numbered(n))))
        case.clock.advance(1)
    with case.store.database.write() as connection:
        connection.execute(sa.insert(generations), rows)
