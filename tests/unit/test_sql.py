"""What the two databases spell differently."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.store.sql import as_text, milliseconds_between, unindexed
from core.store.tables import generations as g

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


@pytest.mark.parametrize(
    ("name", "expression", "spelling"),
    [
        ("sqlite", milliseconds_between(g.c.submitted_at, g.c.provider_completed_at), "julianday"),
        (
            "postgresql",
            milliseconds_between(g.c.submitted_at, g.c.provider_completed_at),
            "EXTRACT(EPOCH FROM",
        ),
        ("sqlite", as_text(g.c.user_id), "SELECT generations.user_id AS"),
        ("postgresql", as_text(g.c.user_id), "CAST(generations.user_id AS TEXT)"),
        ("sqlite", unindexed(g.c.status), "+generations.status"),
        ("postgresql", unindexed(g.c.status), "SELECT generations.status AS"),
    ],
)
def test_each_database_has_its_own_spelling(
    name: str, expression: sa.ColumnElement[object], spelling: str
) -> None:
    assert spelling in str(sa.select(expression).compile(dialect=DIALECTS[name]))
