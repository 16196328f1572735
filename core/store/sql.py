"""SQL that the two databases spell differently."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class milliseconds_between(FunctionElement[int]):  # noqa: N801 - reads as an SQL function
    """Whole milliseconds from the first moment to the second."""

    type = sa.BigInteger()
    inherit_cache = True
    name = "milliseconds_between"


class as_text(FunctionElement[str]):  # noqa: N801 - reads as an SQL function
    """A user's id to be compared with any text: in an adopted table it may be a UUID.

    An index is found all the same: of text PostgreSQL makes nothing, and for UUIDs adopting adds
    one of this expression.
    """

    type = sa.String()
    inherit_cache = True
    name = "as_text"


class unindexed(FunctionElement[str]):  # noqa: N801 - reads as an SQL function
    """A column whose index is not to be used, for SQLite, which guesses what it finds by one.

    PostgreSQL knows from its statistics.
    """

    type = sa.String()
    inherit_cache = True
    name = "unindexed"


@compiles(unindexed, "sqlite")
def _unary_plus(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unindexed, "postgresql")
@compiles(as_text, "sqlite")
def _plain(element: FunctionElement[str], compiler: SQLCompiler, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(as_text, "postgresql")
def _cast(element: as_text, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS TEXT)"


@compiles(milliseconds_between, "sqlite")
def _sqlite(element: milliseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    days = f"julianday({later}) - julianday({earlier})"
    return f"CAST(ROUND(({days}) * 86400000) AS INTEGER)"


@compiles(milliseconds_between, "postgresql")
def _postgresql(element: milliseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({later}) - ({earlier})) * 1000 AS BIGINT)"
