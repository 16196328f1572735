"""The addresses of results, in whichever shape and column an old table has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from core.store.adopting.columns import TEXT
from core.store.adopting.old_table import Columns, define
from core.store.adopting.reading import known_as

_LISTS = ("json", "jsonb", *TEXT, "text[]", "character varying[]")

#: What results are called, in small letters without underscores: the first that has any is them.
_RESULTS = (
    *("resulturls", "urls", "outputs", "url", "resulturl", "src"),
    *("videourl", "audiourl", "imageurl"),
)
#: What stands beside them in an answer of KIE's, and in what KIE was asked.
_OTHERS = "thumb|preview|poster|cover|stream|frame|watermark|input|param|option|request|callback"
_DEEP = 8

#: JSON may be text in JSON, and what an application wrote may be no JSON at all.
_FUNCTION = f"""
CREATE FUNCTION pg_temp.adopted_urls(value jsonb, depth int) RETURNS text[]
LANGUAGE plpgsql AS $adopted_urls$
DECLARE
    said text;
    name text;
    item jsonb;
    found text[] := '{{}}';
BEGIN
    IF depth > {_DEEP} THEN
        RETURN found;
    END IF;
    IF jsonb_typeof(value) = 'string' THEN
        said := btrim(value #>> '{{}}', E' \\t\\r\\n');
        IF said ~* '^https?://\\S+$' THEN
            RETURN ARRAY[said];
        ELSIF said ~ '^["[{{]' THEN
            BEGIN
                RETURN pg_temp.adopted_urls(said::jsonb, depth + 1);
            EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
                RETURN found;
            END;
        END IF;
    ELSIF jsonb_typeof(value) = 'array' THEN
        FOR item IN SELECT * FROM jsonb_array_elements(value) LOOP
            found := found || pg_temp.adopted_urls(item, depth + 1);
        END LOOP;
    ELSIF jsonb_typeof(value) = 'object' THEN
        FOREACH name IN ARRAY ARRAY[{", ".join(f"'{name}'" for name in _RESULTS)}] LOOP
            FOR item IN
                SELECT each.value FROM jsonb_each(value) AS each
                WHERE lower(replace(each.key, '_', '')) = name
            LOOP
                found := pg_temp.adopted_urls(item, depth + 1);
                IF found <> '{{}}' THEN
                    RETURN found;
                END IF;
            END LOOP;
        END LOOP;
        FOR item IN
            SELECT each.value FROM jsonb_each(value) AS each WHERE each.key !~* '{_OTHERS}'
        LOOP
            found := found || pg_temp.adopted_urls(item, depth + 1);
        END LOOP;
    END IF;
    RETURN found;
END
$adopted_urls$
"""


@contextmanager
def reader(connection: sa.Connection) -> Iterator[None]:
    """Have the function that `inside` calls, for the length of the block."""
    define(connection, _FUNCTION)
    yield
    # A pooler would keep it together with its connection.
    define(connection, "DROP FUNCTION pg_temp.adopted_urls")


def inside(columns: Columns, name: str) -> str:
    """Every web address of a result in this column, in order, as an array."""
    if (known := known_as(columns, name)) is None or columns[known].sort not in _LISTS:
        return "'{}'::text[]"
    as_text = "::text" if columns[known].sort == "json" else ""  # which may hold what jsonb refuses
    return f'pg_temp.adopted_urls(to_jsonb("{known}"{as_text}), 0)'


def first_of(*arrays: str) -> str:
    """The first of these arrays that is not empty."""
    found = ", ".join(f"nullif({array}, '{{}}')" for array in arrays)
    return f"coalesce({found}, '{{}}')"


def each_once(array: str) -> str:
    """The array without its repetitions, in order."""
    return f"""ARRAY(
        SELECT url FROM unnest({array}) WITH ORDINALITY AS each (url, place)
        GROUP BY url ORDER BY min(place)
    )"""
