"""`diagnose`: everything known of one generation, and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from core.commands.running import NOT_WELL, WELL, Console, command
from core.commands.telling import NONE, clock, one_line, table
from core.commands.working import opened_core, require_generation
from core.diagnosis import Diagnosis, Facts, Severity, diagnose
from core.facts import recorded_facts, with_kie, with_storage
from core.kie.report import AskFailed
from core.settings import Settings
from core.views import facts_view, plain

LAST_EVENTS = 12


@command("diagnose")
@click.argument("task")
def diagnose_one(settings: Settings, console: Console, task: str) -> int:
    """Compare what database, KIE and storage say of TASK, and say what to do.

    TASK is our id or KIE's. Nothing is changed. --json prints what GET /api/debug/kie answers.
    Exit code 1: the finding is a warning or an error.
    """
    with opened_core(settings) as core:
        generation = require_generation(core.queries, task)
        facts = with_kie(core, with_storage(core, recorded_facts(core, generation)))
    found = diagnose(facts)
    console.result(facts_view(facts, found), _lines(facts, found))
    return NOT_WELL if found.severity in (Severity.WARNING, Severity.ERROR) else WELL


def _lines(facts: Facts, found: Diagnosis) -> Iterator[str]:
    for finding in found.findings:
        yield f"{finding.severity.upper()}  {finding.verdict}: {one_line(finding.summary)}"
        yield from (f"    {one_line(evidence)}" for evidence in finding.evidence)
        yield from (f"    -> {one_line(suggestion)}" for suggestion in finding.suggestions)
    yield ""
    yield from table(["", "database", "KIE", "storage"], _sides(facts))
    yield ""
    yield from table(["at", "event", "detail"], map(_event, facts.events[-LAST_EVENTS:]))


def _sides(facts: Facts) -> Iterator[tuple[str, str, str, str]]:
    """What each of them says of the same thing."""
    row, report = facts.generation, facts.report
    failed = facts.kie.code if isinstance(facts.kie, AskFailed) else "not asked"
    yield (
        "state",
        f"{row.status} ({row.provider_state or 'KIE not asked'})",
        report.state if report else failed,
        facts.storage_problem or "answers",
    )
    yield "task", row.task_id or row.candidate_task_id or NONE, report.task_id if report else "", ""
    stored = [asset for asset in row.assets if asset.stored_at]
    sizes = facts.stored_sizes or {}
    there = [asset for asset in stored if sizes.get(asset.path or "") is not None]
    yield (
        "files",
        f"{len(stored)} of {len(row.assets)} stored",
        str(len(report.files)) if report else "",
        f"{len(there)} of {len(stored)} there",
    )
    yield (
        "completed",
        clock(row.provider_completed_at),
        clock(report.completed_at) if report else "",
        "",
    )


def _event(event: Any) -> tuple[str, str, str]:
    detail = {name: plain(value) for name, value in event["detail"].items()}
    words = json.dumps(detail, ensure_ascii=False)[:160] if detail else ""
    return clock(event["at"]), event["name"], words
