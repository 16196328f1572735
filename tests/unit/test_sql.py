"""What the two databases spell differently."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.store.sql import milliseconds_between
from core.store.tables import generations as g


@pytest.mark.parametrize(
    ("dialect", "spelling"),
    [(sqlite.dialect(), "julianday"), (postgresql.dialect(), "EXTRACT(EPOCH FROM")],
    ids=["sqlite", "postgresql"],
)
def test_each_database_has_its_own_spelling(dialect: sa.Dialect, spelling: str) -> None:
    took = milliseconds_between(g.c.submitted_at, g.c.provider_completed_at)
    assert spelling in str(sa.select(took).compile(dialect=dialect))
