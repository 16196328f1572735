"""What database, KIE and storage say of one generation, side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from core.diagnosis import Facts
from core.generation.model import Asset, Code, Generation, Status
from core.kie.report import FAIL, SUCCESS, AskFailed, Report
from dashboard import formats
from dashboard.words import common
from dashboard.words import task as words

#: Clocks and roundings of KIE and of us may be this far apart.
SAME_TIME = timedelta(seconds=2)


class Line(NamedTuple):
    """One thing and who says what of it; empty: says nothing."""

    field: str
    database: str = ""
    kie: str = ""
    storage: str = ""
    differs: bool | None = None  # None: there is nothing to compare


def compare(facts: Facts, zone: tzinfo) -> list[Line]:
    """The lines in the order of the page; times in a reader's zone."""
    report = facts.report
    lines = [
        _task_id(facts),
        _state(facts),
        _files(facts),
        *_sizes(facts),
        _error(facts),
        _finished(facts.generation, report, zone),
        _credits(facts.generation, report),
    ]
    return [line for line in lines if line.database or line.kie or line.storage]


def _task_id(facts: Facts) -> Line:
    """Only where they differ: it is long, and stands at the top of the page."""
    ours = facts.generation.task_id or facts.generation.candidate_task_id or ""
    theirs = facts.report.task_id if facts.report else ours
    return Line(words.TASK_ID) if ours == theirs else Line(words.TASK_ID, ours, theirs, "", True)


def _state(facts: Facts) -> Line:
    generation, report = facts.generation, facts.report
    ours = common.STATUS[generation.status].word
    if generation.provider_state and not generation.is_final:
        ours = f"{ours} (KIE said {generation.provider_state})"
    differs = _states_differ(generation, report.state) if report else None
    return Line(words.STATE, ours, _state_of_kie(facts), differs=differs)


def _state_of_kie(facts: Facts) -> str:
    if isinstance(facts.kie, AskFailed):
        return words.failures_of_asking(facts.kie.code)
    if facts.report is None:
        return ""
    done = facts.report.progress
    return facts.report.state if done is None else f"{facts.report.state}, {done} %"


def _states_differ(generation: Generation, state: str) -> bool:
    """Whether they cannot both be right; a finished task that is being stored is no difference."""
    if generation.status is Status.SUCCESS:
        return state != SUCCESS
    if generation.error_code == Code.PROVIDER_FAILED and generation.is_final:
        return state != FAIL
    if generation.is_final:  # given up, or refused: KIE says what it says
        return state == SUCCESS
    return state == FAIL or (state == SUCCESS) != (generation.provider_state == SUCCESS)


def _files(facts: Facts) -> Line:
    stored = [asset for asset in facts.generation.assets if asset.stored_at]
    ours = words.found_files(len(stored), len(facts.generation.assets))
    report, sizes = facts.report, facts.stored_sizes
    named = _named(report) if report and report.state == SUCCESS else None
    there = sum(size is not None for size in (sizes or {}).values())
    is_missing = bool(sizes) and there < len(stored)
    differs = is_missing or (named is not None and named != len(facts.generation.assets))
    return Line(
        words.FILES,
        ours if facts.generation.assets else "",
        "" if named is None else formats.count(named),
        formats.count(there) if sizes else "",
        differs if named is not None or sizes else None,
    )


def _named(report: Report) -> int:
    return len(report.files) + (report.result_object is not None)


def _sizes(facts: Facts) -> Iterator[Line]:
    for asset in facts.generation.assets:
        if asset.stored_at and asset.path and asset.path in (facts.stored_sizes or {}):
            yield _size(asset, (facts.stored_sizes or {})[asset.path])


def _size(asset: Asset, found: int | None) -> Line:
    return Line(
        words.size_of(asset.position),
        _exactly(asset.size_bytes),
        storage=words.MISSING if found is None else _exactly(found),
        differs=found != asset.size_bytes,
    )


def _exactly(byte_count: int | None) -> str:
    return formats.NONE if byte_count is None else f"{byte_count:,} B"


def _error(facts: Facts) -> Line:
    generation, report = facts.generation, facts.report
    ours = ": ".join(filter(None, (generation.error_code, generation.error)))
    said = report.state == FAIL if report else False
    told = (report.fail_code, report.fail_message) if report and said else ()
    theirs = ": ".join(filter(None, told))
    is_failed = generation.error_code == Code.PROVIDER_FAILED
    return Line(words.ERROR, ours, theirs, differs=is_failed != said if report and ours else None)


def _finished(generation: Generation, report: Report | None, zone: tzinfo) -> Line:
    ours, theirs = generation.provider_completed_at, report.completed_at if report else None
    differs = abs(ours - theirs) > SAME_TIME if ours and theirs else None
    return Line(words.FINISHED, _time(ours, zone), _time(theirs, zone), differs=differs)


def _credits(generation: Generation, report: Report | None) -> Line:
    ours, theirs = generation.credits_consumed, report.credits_consumed if report else None
    return Line(words.CREDITS, _amount(ours), _amount(theirs), differs=_unequal(ours, theirs))


def _amount(credits: Decimal | None) -> str:
    return "" if credits is None else formats.credits(float(credits))


def _time(moment: datetime | None, zone: tzinfo) -> str:
    return formats.clock(moment, zone) if moment else ""


def _unequal(ours: object | None, theirs: object | None) -> bool | None:
    return None if ours is None or theirs is None else ours != theirs
