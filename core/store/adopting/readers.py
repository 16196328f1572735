"""What else in the database looks for the old words, which rows of ours do not have any more."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from core.store.adopting import words
from core.store.adopting.old_table import NAME

#: By the words of their source: a function does not say which tables it uses.
_READERS = rf"""
SELECT sort, name, string_agg(DISTINCT found[1], ', ' ORDER BY found[1]) AS words
FROM (
    SELECT 'view' AS sort, c.oid::regclass::text AS name, c.relnamespace AS place,
        pg_get_viewdef(c.oid) AS source
    FROM pg_class c WHERE c.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, p.pronamespace,
        CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END
    FROM pg_proc p
) AS reader
JOIN pg_namespace n ON n.oid = place
CROSS JOIN LATERAL regexp_matches(source, $$'({"|".join(words.PAST)})'$$, 'gi') AS found
WHERE nspname !~ '^(pg_|information_schema$)' AND source ~* '\m{NAME}\M'
GROUP BY sort, name ORDER BY sort DESC, name
"""


def tell_readers(connection: sa.Connection) -> Iterator[str]:
    """A sentence for each view and function that names an old status."""
    for sort, name, found in connection.exec_driver_sql(
        _READERS, execution_options={"no_parameters": True}
    ):
        yield (
            f"{sort} {name} stays, but see to it: it names {found}, and rows of KIE's are queued,"
            " generating, success or failed from now on"
        )
