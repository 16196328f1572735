"""SQL that reads one thing out of whichever columns an old table has for it."""

from __future__ import annotations

from dataclasses import dataclass

from core.store.adopting.columns import TEXT, aside
from core.store.adopting.old_table import Columns, quote

#: Before KIE existed, and after now, lies nothing but mistakes.
_SENSIBLE = "BETWEEN '2020-01-01' AND :now"
_MOMENTS = ("timestamp with time zone", "timestamp without time zone", "date")
_JSON = ("json", "jsonb")
_LISTS = (*_JSON, *TEXT, "text[]", "character varying[]")

#: How the elements of a list of results are called by those who do not list plain URLs.
_URL_KEYS = ("url", "resultUrl", "src", "imageUrl", "videoUrl", "audioUrl")
_LIST_KEYS = ("resultUrls", "urls", "outputs")


@dataclass(frozen=True, slots=True)
class Ours:
    """How the addresses of permanent files begin."""

    prefixes: tuple[str, ...]

    @property
    def values(self) -> dict[str, str]:
        """What the condition is to be run with."""
        return {f"ours_{place}": prefix for place, prefix in enumerate(self.prefixes)}

    def has(self, url: str) -> str:
        """The condition that a URL is one of them."""
        return " OR ".join(f"starts_with({url}, :{name})" for name in self.values) or "false"


def text(columns: Columns, *names: str) -> str:
    """The first of these columns that says something."""
    found = [f"nullif(btrim({quote(name)}::text), '')" for name in _known(columns, names)]
    return f"coalesce({', '.join(found)})" if found else "NULL::text"


def moment(columns: Columns, *names: str) -> str:
    """The first of these columns that holds a time which can be one; without a zone it is UTC."""
    found = [
        f"CASE WHEN {value} {_SENSIBLE} THEN {value} END"
        for name in _known(columns, names)
        if columns[name].type in _MOMENTS
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


def urls(columns: Columns, *names: str) -> str:
    """Every web address that these columns list, each once and in order, as an array."""
    lists = [
        _as_list(f"to_jsonb({quote(name)})")
        for name in _known(columns, names)
        if columns[name].type in _LISTS
    ]
    if not lists:
        return "'{}'::text[]"
    keys = ", ".join(f"item ->> '{key}'" for key in _URL_KEYS)
    return f"""ARRAY(
        SELECT url FROM (
            SELECT place, btrim(CASE jsonb_typeof(item)
                WHEN 'string' THEN item #>> '{{}}'
                WHEN 'object' THEN coalesce({keys})
            END) AS url
            FROM jsonb_array_elements({" || ".join(lists)}) WITH ORDINALITY AS listed (item, place)
        ) AS named
        WHERE url ~* '^https?://\\S+$'
        GROUP BY url ORDER BY min(place)
    )"""


def _as_list(value: str) -> str:
    named = " ".join(
        f"WHEN jsonb_typeof({value} -> '{key}') = 'array' THEN {value} -> '{key}'"
        for key in _LIST_KEYS
    )
    return f"""CASE
        WHEN jsonb_typeof({value}) = 'array' THEN {value} {named}
        WHEN jsonb_typeof({value}) IN ('string', 'object') THEN jsonb_build_array({value})
        ELSE '[]'
    END"""


def _known(columns: Columns, names: tuple[str, ...]) -> list[str]:
    """Those that there are; one that was set aside is found under its new name."""
    found = ((name, aside(name)) for name in names)
    return [new if new in columns else old for old, new in found if {old, new} & columns.keys()]


def _in_utc(columns: Columns, name: str) -> str:
    if columns[name].type == _MOMENTS[0]:
        return quote(name)
    return f"({quote(name)}::timestamp AT TIME ZONE 'UTC')"
