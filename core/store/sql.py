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


@compiles(milliseconds_between, "sqlite")
def _sqlite(element: milliseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    days = f"julianday({later}) - julianday({earlier})"
    return f"CAST(ROUND(({days}) * 86400000) AS INTEGER)"


@compiles(milliseconds_between, "postgresql")
def _postgresql(element: milliseconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({later}) - ({earlier})) * 1000 AS BIGINT)"
