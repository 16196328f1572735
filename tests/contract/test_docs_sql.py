"""The questions to the database that docs/troubleshooting.md gives people to paste."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.generation.model import Asset, Status
from core.ids import new_id
from tests.contract.conftest import StoreCase
from tests.support.databases import rows
from tests.support.docs import Block, blocks

SQL = [block for block in blocks("sql") if block.page == "docs/troubleshooting.md"]
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def questions(case: StoreCase, containing: str) -> list[dict[str, Any]]:
    """The answer to the one question that contains this."""
    asked = [block for block in SQL if containing in block.text and is_for(case, block)]
    assert len(asked) == 1
    return rows(case.url, asked[0].text)


def is_for(case: StoreCase, block: Block) -> bool:
    return NAMES[case.url.partition(":")[0]] in block.text.splitlines()[0]


@pytest.fixture
def old_case(case: StoreCase) -> StoreCase:
    """Three delivered, one failed, two open (one for long), and one of the day before."""
    case.clock.now = datetime.now(UTC)
    stored = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a", "kind": "image"}
    for age_hours in (1, 2, 23, 25):
        add(case, timedelta(hours=age_hours), user_id="anna", **stored)
    add(case, timedelta(hours=3), status=Status.FAILED, error_code="provider.failed", error="why")
    add(case, timedelta(minutes=11), model="slow")
    add(case, timedelta(minutes=9), model="fast")
    return case


def add(case: StoreCase, age: timedelta, **fields: Any) -> None:
    then = case.clock() - age
    added = case.add(created_at=then, updated_at=then, **fields)
    if added.status is Status.SUCCESS:
        claimed = case.claim(added)
        asset = Asset(position=0, path=new_id(), size_bytes=1_500_000, url="u", stored_at=then)
        case.save(claimed, assets=(asset,))


@pytest.mark.parametrize("block", SQL, ids=str)
def test_every_question_is_understood(block: Block, case: StoreCase) -> None:
    if is_for(case, block):
        rows(case.url, block.text)


def test_each_is_there_for_both_databases() -> None:
    heads = [block.text.splitlines()[0] for block in SQL]
    assert heads.count("-- PostgreSQL") == heads.count("-- SQLite") > 0
    assert set(heads) == {"-- PostgreSQL", "-- SQLite", "-- PostgreSQL and SQLite"}


def test_the_success_rate(old_case: StoreCase) -> None:
    (row,) = questions(old_case, "success_percent")
    assert {name: float(value) for name, value in row.items()} == {
        "delivered": 3,
        "failed": 1,
        "open": 2,
        "success_percent": 75,
    }


def test_the_success_rate_of_nothing(case: StoreCase) -> None:
    (row,) = questions(case, "success_percent")
    assert row["success_percent"] is None


def test_what_is_stuck(old_case: StoreCase) -> None:
    assert [row["model"] for row in questions(old_case, "open_")] == ["slow"]


def test_the_storage_in_use(old_case: StoreCase) -> None:
    (row,) = questions(old_case, "SELECT g.kind")
    assert (row["kind"], row["files"], float(row["megabytes"])) == ("image", 4, 6)
    (row,) = questions(old_case, "SELECT g.user_id")
    assert (row["user_id"], row["files"]) == ("anna", 4)


def test_failures_by_cause(old_case: StoreCase) -> None:
    (row,) = questions(old_case, "AS example")
    assert (row["error_code"], row["generations"], row["example"]) == ("provider.failed", 1, "why")
