"""Deciding what becomes of each row of ours: once, for all of them, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.generation.schedule import MEDIA_LIFETIME
from core.store.adopting import addresses, reading, words
from core.store.adopting.old_table import NAME, Columns, read_columns, run
from core.store.adopting.ours import Ours
from core.store.adopting.outcomes import ENDINGS, Outcome

SPREAD = timedelta(hours=1)
#: Where the files are, each once: what is called the file is the first of the list, or a copy.
_SOURCES = "CASE WHEN file = '{}' OR file <@ listed THEN listed ELSE file || listed[2:] END"
WORDS_TOLD = 40
_LATER = (Outcome.REOPENED, Outcome.COPIED, Outcome.OPEN)

_TABLE = """
CREATE TEMPORARY TABLE adopting (
    id uuid, word text, told text, model text, kind text, input jsonb, why text,
    created timestamptz, completed timestamptz, updated timestamptz,
    told_task text, task text, holder uuid,
    place text, urls text[], sources text[], stored text[], outcome text, due_at timestamptz
) ON COMMIT DROP
"""


def decide(connection: sa.Connection, now: datetime, ours: Ours) -> Iterator[str]:
    """Fill the temporary table `adopting` with what becomes of each of our rows; tell how many."""
    run(connection, _TABLE)
    values = {"now": now, "long_ago": now - MEDIA_LIFETIME, "spread": SPREAD}
    with addresses.reader(connection):
        run(connection, _statement(read_columns(connection), ours), **values, **ours.values)
    run(connection, "ANALYZE adopting")
    yield from _counts(connection)
    yield from _strangers(connection)


def _statement(columns: Columns, ours: Ours) -> str:
    return f"""
    INSERT INTO adopting
    WITH old AS (
        SELECT id, {reading.text(columns, "status")} AS word,
            {words.state(reading.text(columns, "status"))} AS told,
            coalesce({reading.text(columns, "model", "model_key", "model_id", "model_name")},
                'unknown') AS model,
            coalesce({words.kind(columns, "kind")}, {words.kind(columns, "type")}) AS kind,
            {reading.request(columns, "params", "options", "input")} AS input,
            {reading.text(columns, "error", "error_message")} AS why,
            coalesce({reading.moment(columns, "created_at", "updated_at", "completed_at")}, :now)
                AS created,
            {reading.moment(columns, "completed_at")} AS completed,
            {reading.moment(columns, "updated_at")} AS updated,
            {reading.text(columns, "task_id")} AS task,
            {addresses.inside(columns, "asset_url")} AS file,
            {addresses.inside(columns, "result_urls")} AS files,
            {addresses.inside(columns, "results")} AS results,
            {addresses.inside(columns, "result_url")} AS result,
            {_by_kind(columns)} AS by_kind
        FROM {NAME} WHERE {words.is_our_row(columns)}
    ), known AS (
        SELECT old.*, urls, sources, stored, stored[1] AS place
        FROM old CROSS JOIN LATERAL (
            SELECT {_listed()} AS listed
        ) AS lists CROSS JOIN LATERAL (
            SELECT {addresses.each_once("file || files || results || result || listed")} AS urls,
                {addresses.each_once(_SOURCES)} AS sources
        ) AS found CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT url FROM unnest(urls) WITH ORDINALITY AS each (url, place)
                WHERE {ours.has("url")} ORDER BY place
            ) AS stored
        ) AS kept
    ), ranked AS (
        SELECT known.*, first_value(id) OVER (
            PARTITION BY task ORDER BY place IS NULL OR told IN ('failed', 'cancelled'),
                array_position(ARRAY['success', 'generating', 'queued'], told),
                created DESC, id
        ) AS holder
        FROM known
    ), given AS (
        SELECT id, word, told, model, kind, input, why, created, completed, updated,
            task AS told_task, CASE WHEN holder = id THEN task END AS task, holder,
            place, urls, sources, stored
        FROM ranked
    ), ended AS (
        SELECT given.*, {_outcome()} AS outcome FROM given
    )
    SELECT ended.*, CASE WHEN outcome IN {_due()} THEN :now + :spread * percent_rank() OVER (
            PARTITION BY outcome IN {_due()} ORDER BY coalesce(completed, created), id
        ) END
    FROM ended
    """


def _outcome() -> str:
    """Its file first: there were systems that put an older state over it."""
    return f"""CASE
        WHEN told = 'failed' THEN '{Outcome.FAILED.value}'
        WHEN told = 'cancelled' THEN '{Outcome.CANCELLED.value}'
        WHEN place IS NOT NULL THEN '{Outcome.STORED.value}'
        WHEN told = 'success' AND coalesce(completed, created) <= :long_ago
            THEN '{Outcome.GONE.value}'
        WHEN told = 'success' AND sources <> '{{}}' THEN '{Outcome.COPIED.value}'
        WHEN told = 'success' AND task IS NOT NULL THEN '{Outcome.REOPENED.value}'
        WHEN told = 'success' THEN '{Outcome.GONE.value}'
        WHEN task IS NULL AND sources <> '{{}}' AND created > :long_ago
            THEN '{Outcome.COPIED.value}'
        WHEN task IS NULL THEN '{Outcome.UNSUBMITTED.value}'
        WHEN created <= :long_ago THEN '{Outcome.TIMED_OUT.value}'
        ELSE '{Outcome.OPEN.value}'
    END"""


def _due() -> str:
    return f"({words.listed(each.value for each in _LATER)})"


def _listed() -> str:
    """The list of results. Other columns may hold what was asked with: only where nothing else."""
    by_kind = "CASE WHEN told = 'success' AND file = '{}' THEN by_kind END"
    return addresses.first_of("files", "results", "result", by_kind)


def _by_kind(columns: Columns) -> str:
    """What a song or a film has beside it as `image_url` is its cover."""
    pictures = f"coalesce({words.kind(columns, 'kind')}, {words.kind(columns, 'type')}, 'image')"
    image = f"CASE WHEN {pictures} = 'image' THEN {addresses.inside(columns, 'image_url')} END"
    media = (addresses.inside(columns, name) for name in ("video_url", "audio_url"))
    return addresses.first_of(*media, image)


def _counts(connection: sa.Connection) -> Iterator[str]:
    counted = sa.text(
        "SELECT word, outcome, count(*) AS rows FROM adopting GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    for place, (word, outcome, rows) in enumerate(connection.execute(counted)):
        if place == WORDS_TOLD:
            yield "and rarer words, treated alike"
            return
        was = "no status" if word is None else f"status {word[:40]!r}"
        yield f"{was}, rows: {rows}: {ENDINGS[Outcome(outcome)].told}"


def _strangers(connection: sa.Connection) -> Iterator[str]:
    """Hosts of files that are not ours: a setting that is missing shows here."""
    fetched = (Outcome.REOPENED, Outcome.COPIED, Outcome.GONE)
    counted = sa.text(
        f"""
        SELECT split_part(urls[1], '/', 3) AS host, count(*) AS rows FROM adopting
        WHERE outcome IN ({words.listed(each.value for each in fetched)})
            AND urls <> '{{}}'
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
        """
    )
    for host, rows in connection.execute(counted):
        yield f"files at {host[:80]}, which is not our storage: {rows}"
