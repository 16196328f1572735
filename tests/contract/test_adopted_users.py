"""Users of an adopted table are UUIDs; callers send, and look for, any text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core.creating import CreateError
from core.store.listing import Filter, select_newest
from core.store.tables import generations
from tests.contract.conftest import StoreCase
from tests.support.historic import USER, adopt_table, build
from tests.support.postgres import Postgres

STRANGER = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def case(postgres: Postgres) -> Iterator[StoreCase]:
    """A store on an adopted table, whose users are those of Supabase's `auth`."""
    url = postgres.create()
    build(url, "all")
    adopt_table(url)
    opened = StoreCase(url)
    yield opened
    opened.close()
    postgres.drop(url)


def test_a_users_generations_are_listed(case: StoreCase) -> None:
    added = case.add(user_id=USER)
    found = case.queries.page(Filter(user_id=USER)).items
    assert added.id in [generation.id for generation in found]
    assert {generation.user_id for generation in found} == {USER}


@pytest.mark.parametrize("user", ["anna", "", "\0", "'; --"])
@pytest.mark.parametrize("more", [{}, {"is_open": True}])
def test_who_can_be_no_user_has_nothing(case: StoreCase, user: str, more: dict[str, bool]) -> None:
    assert case.queries.page(Filter(user_id=user, **more)).items == []


@pytest.mark.parametrize("user", ["anna", None, STRANGER])
def test_a_user_that_the_table_refuses_is_an_error_of_the_caller(
    case: StoreCase, user: str | None
) -> None:
    with pytest.raises(CreateError, match="userId") as caught:
        case.add(user_id=user)
    assert caught.value.code == "user.refused"


def test_users_are_found_by_an_index(case: StoreCase) -> None:
    query = select_newest(Filter(user_id=USER), None, generations.c.id).limit(50)
    with case.store.database.read() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        sql = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = connection.execute(sa.text(f"EXPLAIN {sql}".replace(":", r"\:"))).scalars().all()
    assert any("ix_generations_user_text" in line for line in plan), plan
