"""What columns hold, where the two databases do not hold it alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out, also where the database knows no time zones (SQLite)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times: they would silently mean another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime at the database boundary")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Stamp what SQLite gives back, which is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


NOBODY = str(UUID(int=0))


class GenerationId(TypeDecorator[str]):
    """A UUID, which PostgreSQL keeps as such; what is none is the id of no row there."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Text where the database knows no UUIDs (SQLite)."""
        kind = sa.Uuid(as_uuid=False) if dialect.name == "postgresql" else sa.String()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The id that no row has, instead of what PostgreSQL would refuse to compare."""
        if value is None or dialect.name != "postgresql":
            return value
        try:
            return str(UUID(value))
        except ValueError:
            return NOBODY


class UserId(TypeDecorator[str]):
    """Free text; the UUID column of a table that was there before us is read as text too."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """PostgreSQL gets it without a type, and reads it as the column's."""
        kind = _Untyped() if dialect.name == "postgresql" else sa.String()
        return dialect.type_descriptor(kind)

    def process_result_value(self, value: object, dialect: sa.Dialect) -> str | None:
        """Text, whatever the column is."""
        return None if value is None else str(value)


class _Untyped(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """What a new table has."""
        return "VARCHAR"
