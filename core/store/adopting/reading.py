"""SQL that reads one thing out of whichever columns an old table has for it."""

from __future__ import annotations

from core.store.adopting.columns import aside
from core.store.adopting.old_table import Columns, quote

#: Before KIE existed, and after now, lies nothing but mistakes.
_SENSIBLE = "BETWEEN '2020-01-01' AND :now"
_MOMENTS = ("timestamp with time zone", "timestamp without time zone", "date")
_JSON = ("json", "jsonb")


def text(columns: Columns, *names: str) -> str:
    """The first of these columns that says something."""
    found = [f"nullif(btrim({quote(name)}::text), '')" for name in _known(columns, names)]
    return f"coalesce({', '.join(found)})" if found else "NULL::text"


def moment(columns: Columns, *names: str) -> str:
    """The first of these columns that holds a time which can be one; without a zone it is UTC."""
    found = [
        f"CASE WHEN {value} {_SENSIBLE} THEN {value} END"
        for name in _known(columns, names)
        if columns[name].sort in _MOMENTS
        for value in (_in_utc(columns, name),)
    ]
    return f"coalesce({', '.join(found)})" if found else "NULL::timestamptz"


def request(columns: Columns, *names: str) -> str:
    """What was asked for, as a JSON object: all that these columns hold, and the prompt."""
    parts = ["jsonb_strip_nulls(jsonb_build_object('prompt', " + text(columns, "prompt") + "))"]
    for name in _known(columns, names):
        if columns[name].type in _JSON:
            value = f"{quote(name)}::jsonb"
            parts.append(f"CASE jsonb_typeof({value}) WHEN 'object' THEN {value} ELSE '{{}}' END")
    return f"({' || '.join(parts)})"


def known_as(columns: Columns, name: str) -> str | None:
    """What a column is called now, if there is one: it may have been set aside."""
    return next((known for known in (aside(name), name) if known in columns), None)


def _known(columns: Columns, names: tuple[str, ...]) -> list[str]:
    return [known for name in names if (known := known_as(columns, name)) is not None]


def _in_utc(columns: Columns, name: str) -> str:
    if columns[name].sort == _MOMENTS[0]:
        return quote(name)
    return f"({quote(name)}::timestamp AT TIME ZONE 'UTC')"
