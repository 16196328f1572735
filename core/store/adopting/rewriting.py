"""Writing what was decided into the table, and beside it what makes it visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa

from core.generation.model import Code
from core.generation.schedule import MEDIA_LIFETIME
from core.kie.report import SUCCESS
from core.store.adopting import words
from core.store.adopting.columns import FILLED_WITH, KEPT_AS
from core.store.adopting.old_table import NAME, Columns, run
from core.store.adopting.ours import Ours
from core.store.adopting.outcomes import ENDINGS, Outcome
from core.store.generations import TaskIdResult
from core.store.tables import OUR_PROVIDER

_DELIVERED_AT = "coalesce(a.completed, a.updated, a.created)"
_GAVE_UP = [outcome for outcome, ending in ENDINGS.items() if ending.gives_up]
#: What the old table says of these is about something else.
_OUR_WORDS = (Outcome.GONE, Outcome.TIMED_OUT, Outcome.UNSUBMITTED)

_STATUSES = {each: f"'{end.status}'" for each, end in ENDINGS.items() if end.status is not None}
_CODES = {each: f"'{end.code}'" for each, end in ENDINGS.items() if end.code is not None}
_WHY = {
    each: f"'{end.why}'" if each in _OUR_WORDS else f"coalesce(a.why, '{end.why}')"
    for each, end in ENDINGS.items()
    if end.why is not None
}

_NOTHING = "CAST('{}' AS jsonb)"
_STORED_FILES = f"""
INSERT INTO assets (generation_id, position, role, url, stored_at, failures)
SELECT a.id, file.place - 1, 'main', file.url, {_DELIVERED_AT}, 0
FROM adopting a CROSS JOIN LATERAL unnest(a.stored) WITH ORDINALITY AS file (url, place)
WHERE a.outcome = '{Outcome.STORED.value}'
"""
#: Those that are gone too: their history is kept for as long as their files are not stored.
_OTHER_FILES = f"""
INSERT INTO assets (generation_id, position, role, source_url, failures, error_code)
SELECT a.id, file.place - 1, 'main', file.url, 0,
    CASE WHEN a.outcome = '{Outcome.GONE.value}' THEN '{Code.MEDIA_GONE}' END
FROM adopting a CROSS JOIN LATERAL unnest(a.sources) WITH ORDINALITY AS file (url, place)
WHERE a.outcome IN ('{Outcome.COPIED.value}', '{Outcome.GONE.value}')
"""


def rewrite(
    connection: sa.Connection, columns: Columns, now: datetime, ours: Ours
) -> Iterator[str]:
    """Give our rows the values of their outcome, and tell their timelines.

    `columns`: those that the table came with; what they held stays in another one.
    """
    values = _values(columns, ours)
    sets = ", ".join(f"{name} = {value}" for name, value in values.items())
    changed = f"UPDATE {NAME} AS g SET {sets}, {KEPT_AS} = {_before(columns, values)}"
    moments = {"now": now, "lifetime": MEDIA_LIFETIME}
    run(connection, f"{changed} FROM adopting a WHERE g.id = a.id", **moments, **ours.values)
    if shared := _tell_conflicts(connection, now):
        yield f"rows whose task another row has that is further, and keeps it: {shared}"
    _tell_others(connection, now)
    if files := run(connection, _STORED_FILES):
        yield f"files that are in our storage, listed as stored: {files}"
    run(connection, _OTHER_FILES)


def name_fals(connection: sa.Connection, columns: Columns) -> Iterator[str]:
    """Give fal's rows its name, where the column's default had called them KIE's."""
    before = "jsonb_build_object('provider', provider)" if "provider" in columns else "NULL"
    named = f"UPDATE {NAME} SET provider = 'fal', {KEPT_AS} = {before}"
    if rows := run(connection, f"{named} WHERE {words.is_fals_row(columns)}"):
        yield f"rows of fal's that only a default called KIE's, now provider 'fal': {rows}"


def fill_others(connection: sa.Connection, columns: Columns) -> Iterator[str]:
    """Fill what must not be empty in rows of other providers; they stay as they are otherwise."""
    for name, value in FILLED_WITH.items():
        if name in columns:
            empty = f"provider <> '{OUR_PROVIDER}' AND {name} IS NULL"
            if filled := run(connection, f"UPDATE {NAME} SET {name} = {value} WHERE {empty}"):
                yield f"rows of other providers that had no {name}, now {value}: {filled}"


def _values(columns: Columns, ours: Ours) -> dict[str, str]:
    """What each column of our rows is set to."""
    list_type = columns["result_urls"].type if "result_urls" in columns else "json"
    completed = (Outcome.STORED, Outcome.GONE, Outcome.COPIED)
    return {
        "provider": f"'{OUR_PROVIDER}'",
        "model": _decided("model"),
        "kind": _decided("kind"),
        "input": "CAST(a.input AS json)",
        "result_urls": f"CAST(to_jsonb(a.urls) AS {list_type})",
        "task_id": _decided("task"),
        "status": f"CASE {_cases(_STATUSES)} ELSE a.told END",
        "provider_state": _case(dict.fromkeys(completed, f"'{SUCCESS}'")),
        "asset_url": f"CASE WHEN a.outcome = '{Outcome.STORED.value}' THEN a.place"
        f" ELSE {_ours_of('asset_url', columns, ours)} END",
        "preview_url": _ours_of("preview_url", columns, ours),
        "error_code": _case(_CODES),
        "error": _case(_WHY),
        "due_at": _decided("due_at"),
        "expires_at": "CASE WHEN a.due_at IS NOT NULL"
        " THEN a.completed + CAST(:lifetime AS interval) END",
        "submit_started_at": _decided("created"),
        "submitted_at": "CASE WHEN a.told_task IS NOT NULL THEN a.created END",
        # Of files that were stored it says when that was: when KIE had finished is not known.
        "provider_completed_at": f"CASE WHEN a.outcome <> '{Outcome.STORED.value}'"
        " THEN a.completed END",
        "gave_up_at": _case(dict.fromkeys(_GAVE_UP, "CAST(:now AS timestamptz)")),
        "delivered_at": _case({Outcome.STORED: _DELIVERED_AT}),
        "created_at": _decided("created"),
        "updated_at": "coalesce(a.updated, a.created)",
    }


def _decided(name: str) -> str:
    return f"a.{name}"


def _case(values: Mapping[Outcome, str]) -> str:
    """By outcome; NULL for the others."""
    return f"CASE {_cases(values)} END"


def _cases(values: Mapping[Outcome, str]) -> str:
    return " ".join(
        f"WHEN a.outcome = '{each.value}' THEN {value}" for each, value in values.items()
    )


def _ours_of(name: str, columns: Columns, ours: Ours) -> str:
    """A URL of ours stays where it is; no other one may be taken for permanent."""
    if name not in columns:
        return "NULL"
    return f"CASE WHEN {ours.has(f'g.{name}')} THEN g.{name} END"


def _before(columns: Columns, values: Mapping[str, str]) -> str:
    """A JSON object of what a row had where it has something else now; NULL for nothing."""
    now = {
        name: f"to_jsonb(CAST({value} AS {columns[name].type}))"
        for name, value in values.items()
        if name in columns
    }
    parts = [
        f"CASE WHEN to_jsonb(g.{name}) IS DISTINCT FROM {value}"
        f" THEN jsonb_build_object('{name}', g.{name}) ELSE '{{}}' END"
        for name, value in now.items()
    ]
    return f"nullif({' || '.join([*parts, _NOTHING])}, {_NOTHING})"


def _tell_conflicts(connection: sa.Connection, now: datetime) -> int:
    """That a task id went to another row, in the timelines of those that had it too."""
    name = "task_id.conflict"
    taken = TaskIdResult.TAKEN.value
    detail = f"json_build_object('told', a.told_task, 'why', '{taken}', 'generation', a.holder)"
    return _tell(connection, now, name, detail, "a.told_task IS NOT NULL AND a.task IS NULL")


def _tell_others(connection: sa.Connection, now: datetime) -> None:
    """What happened to those that are open now, and to those we gave up."""
    name = "generation.adopted"
    _tell(connection, now, name, "json_build_object('was', a.word)", "a.due_at IS NOT NULL")
    name = "generation.gave_up"
    detail = f"json_build_object('code', {_case(_CODES)}, 'why', {_case(_WHY)}, 'next_look', NULL)"
    gave_up = ", ".join(f"'{outcome.value}'" for outcome in _GAVE_UP)
    _tell(connection, now, name, detail, f"a.outcome IN ({gave_up})")


def _tell(connection: sa.Connection, now: datetime, name: str, detail: str, of: str) -> int:
    told = f"SELECT a.id, :now, '{name}', {detail} FROM adopting a WHERE {of}"
    insert = "INSERT INTO events (generation_id, at, name, detail)"
    return run(connection, f"{insert} {told}", now=now)
