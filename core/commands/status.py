"""`status`: how everything stands, at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.checks.processes import STALE_AFTER
from core.commands.running import NOT_WELL, WELL, Console, command
from core.commands.telling import NONE, clock
from core.commands.working import opened_core
from core.diagnosis.words import when
from core.settings import Settings
from core.store.standing import Beat, Standing, read_standing
from core.store.stuck import Reason
from core.views import time_view

WATCHED = {"poller": "poller", "web": "webhook"}  # by heartbeat: the module that beats


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, and how much waits in between."""

    database: str
    storage: str
    spool_bytes: int


@command("status")
def status(settings: Settings, console: Console) -> int:
    """Say how everything stands: what is open, stuck and due, who works, how the last day went.

    Exit code 1: something needs a person, named first. Costs the same however long the history.
    """
    with opened_core(settings) as core:
        database = core.store.database
        with database.read() as connection:
            stuck_after = timedelta(minutes=settings.stuck_after_minutes)
            standing = read_standing(connection, core.store.now(), stuck_after)
        places = Places(database.place, core.storage.place, core.spool.size())
    needs = list(_needs(standing))
    console.result(_view(standing, places, needs), _lines(standing, places, needs))
    return NOT_WELL if needs else WELL


def _needs(standing: Standing) -> Iterator[str]:
    """What a person has to see to."""
    if standing.stuck:
        yield f"{standing.stuck} stuck ({_reasons(standing)})"
    beats = {beat.name: beat for beat in standing.processes}
    for name, module in WATCHED.items():
        if name not in beats:
            yield f"{module} never started"
        elif _is_silent(beats[name], standing):
            yield f"{module} silent: its last heartbeat was {_when(beats[name], standing)}"


def _is_silent(beat: Beat, standing: Standing) -> bool:
    return standing.at - beat.beat_at > STALE_AFTER


def _when(beat: Beat, standing: Standing) -> str:
    return when(beat.beat_at, standing.at)


def _reasons(standing: Standing) -> str:
    named = [f"{count} {reason}" for reason, count in standing.reasons.items() if count]
    return ", ".join(named) or NONE


def _lines(standing: Standing, places: Places, needs: list[str]) -> Iterator[str]:
    yield from (f"NEEDS YOU  {each}" for each in needs)
    if not needs:
        yield "well"
    day, oldest = standing.last_day, standing.oldest_due_at
    share = NONE if day.success_rate is None else f"{day.success_rate:.1%}"
    waits = f", the oldest since {clock(oldest)}" if oldest else ""
    refused = ", ".join(f"{count} {why}" for why, count in standing.refused_callbacks.items())
    yield "open       " + ", ".join(f"{n} {status}" for status, n in standing.open.items())
    yield f"stuck      {standing.stuck} ({_reasons(standing)})"
    yield f"due now    {standing.due}{waits}"
    yield (
        f"last 24 h  {day.created} created, {day.delivered + day.failed} ended: {day.delivered}"
        f" delivered, {day.failed} failed, {share} success (counted {clock(day.counted_at)})"
    )
    for beat in standing.processes:
        silent = ", SILENT" if _is_silent(beat, standing) else ""
        yield f"process    {beat.name}: heartbeat {_when(beat, standing)}{silent}"
    yield f"callbacks  last accepted {clock(standing.last_callback_at)}"
    yield f"refused    {refused or 'none in the last 24 h'}"
    yield f"database   {places.database}"
    yield f"storage    {places.storage}"
    yield f"spool      {places.spool_bytes:,} bytes"


def _view(standing: Standing, places: Places, needs: list[str]) -> dict[str, Any]:
    day = standing.last_day
    return {
        "at": time_view(standing.at),
        "needs": needs,
        "open": dict(standing.open),
        "stuck": standing.stuck,
        "atRisk": standing.reasons[Reason.AT_RISK],
        "setAside": standing.reasons[Reason.SET_ASIDE],
        "submitUnknown": standing.reasons[Reason.SUBMIT_UNKNOWN],
        "slow": standing.reasons[Reason.SLOW],
        "due": standing.due,
        "oldestDueAt": time_view(standing.oldest_due_at),
        "last24h": {
            "created": day.created,
            "ended": day.delivered + day.failed,
            "delivered": day.delivered,
            "failed": day.failed,
            "successRate": day.success_rate,
            "countedAt": time_view(day.counted_at),
        },
        "processes": [
            {
                "name": beat.name,
                "startedAt": time_view(beat.started_at),
                "beatAt": time_view(beat.beat_at),
                "silent": _is_silent(beat, standing),
            }
            for beat in standing.processes
        ],
        "lastCallbackAt": time_view(standing.last_callback_at),
        "refusedCallbacks": dict(standing.refused_callbacks),
        "database": places.database,
        "storage": places.storage,
        "spoolBytes": places.spool_bytes,
    }
