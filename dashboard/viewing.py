"""What of a generation a viewer may see: nothing that quotes the prompt, or could. Pure.

KIE repeats the prompt in its answers and callbacks, and error texts and a `why` repeat KIE. What
is left are codes, states, ids, times, numbers and files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.diagnosis import Diagnosis, Facts, Finding, diagnose
from core.generation.model import Generation
from core.kie.report import AskAnswer, AskFailed
from core.telling import LOGGED

CALLBACK_FIELDS = frozenset(
    {"id", "received_at", "task_id", "generation_id", "stage", "verdict", "reason"}
)

Row = Mapping[str, Any]


def shown_generation(generation: Generation, may_see_prompts: bool) -> Generation:
    """The generation without prompt, input, error text and a result that is data."""
    if may_see_prompts:
        return generation
    return generation.evolve(
        prompt=None,
        input={},
        error=None,
        result_object=None,
        idempotency_key=None,  # the application's words
        request_sha256=None,  # would confirm a guess
    )


def shown_events(events: Iterable[Row], may_see_prompts: bool) -> list[Row]:
    """Lines of a timeline with only those details that may be logged."""
    return [each if may_see_prompts else _without_why(each) for each in events]


def shown_callbacks(callbacks: Iterable[Row], may_see_prompts: bool) -> list[Row]:
    """Callbacks without headers, body and what was wrong in detail."""
    return [each if may_see_prompts else _without_body(each) for each in callbacks]


def shown_answer(answer: AskAnswer | None, may_see_prompts: bool) -> AskAnswer | None:
    """KIE's answer without its words and its data."""
    if may_see_prompts or answer is None:
        return answer
    if isinstance(answer, AskFailed):
        return replace(answer, message="")
    return replace(answer, fail_code=None, fail_message=None, result_object=None)


def shown_facts(facts: Facts, may_see_prompts: bool) -> Facts:
    """All of the above in one."""
    return replace(
        facts,
        generation=shown_generation(facts.generation, may_see_prompts),
        kie=shown_answer(facts.kie, may_see_prompts),
        callbacks=shown_callbacks(facts.callbacks, may_see_prompts),
        events=shown_events(facts.events, may_see_prompts),
    )


def shown_diagnosis(facts: Facts, may_see_prompts: bool) -> Diagnosis:
    """The whole diagnosis; of its evidence only what does not rest on somebody's words.

    Summaries and suggestions come from our own tables, so they stay.
    """
    whole = diagnose(facts)
    if may_see_prompts:
        return whole
    clean = diagnose(shown_facts(facts, may_see_prompts)).findings
    evidence = {finding.verdict: finding.evidence for finding in clean}
    findings = tuple(_with_evidence(each, evidence) for each in whole.findings)
    return replace(whole, evidence=findings[0].evidence, findings=findings)


def _with_evidence(finding: Finding, evidence: Mapping[str, tuple[str, ...]]) -> Finding:
    return replace(finding, evidence=evidence.get(finding.verdict, ()))


def _without_why(event: Row) -> Row:
    detail = event["detail"] or {}
    return {**event, "detail": {key: detail[key] for key in LOGGED & detail.keys()}}


def _without_body(callback: Row) -> Row:
    return {key: value for key, value in callback.items() if key in CALLBACK_FIELDS}
