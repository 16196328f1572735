"""What a viewer may see of a generation."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from core.diagnosis import Facts, diagnose
from core.generation.model import Code, Generation, Status
from core.kie.report import AskFailed, Report
from dashboard.task.export import as_json, everything
from dashboard.viewing import (
    shown_answer,
    shown_callbacks,
    shown_diagnosis,
    shown_events,
    shown_facts,
    shown_generation,
)
from tests.support.clock import NOON

PROMPT = "a heron of glass"
FAILED = Report(
    task_id="task-1",
    state="fail",
    fail_code=f"500 {PROMPT}",
    fail_message=f"no {PROMPT}",
    result_object=json.dumps({"text": PROMPT}),
)
CALLBACK: dict[str, Any] = {
    "id": "1",
    "received_at": NOON,
    "task_id": "task-1",
    "generation_id": "g-1",
    "stage": "fail",
    "verdict": "refused",
    "reason": "signature.wrong",
    "detail": PROMPT,
    "headers": {"user-agent": PROMPT},
    "body": PROMPT,
    "body_sha256": PROMPT,
}
EVENT: dict[str, Any] = {
    "id": 1,
    "generation_id": "g-1",
    "at": NOON,
    "name": "ask.failed",
    "detail": {"code": "kie.unavailable", "why": PROMPT, "selection": PROMPT},
}


def told(**fields: Any) -> Facts:
    """Facts of which every text that may hold the prompt does."""
    generation = Generation(
        id="g-1",
        family="market",
        model="flux",
        task_id="task-1",
        prompt=PROMPT,
        input={"prompt": PROMPT},
        error=f"500: {PROMPT}",
        result_object=PROMPT,
        idempotency_key=PROMPT,
        request_sha256=PROMPT,
        created_at=NOON,
        updated_at=NOON,
        **fields,
    )
    return Facts(generation=generation, now=NOON, kie=FAILED, callbacks=[CALLBACK], events=[EVENT])


ENDS: list[dict[str, Any]] = [
    {},
    {"status": Status.FAILED, "error_code": Code.PROVIDER_FAILED},
    {"status": Status.FAILED, "error_code": "provider.422"},
    *({"status": Status.FAILED, "error_code": code} for code in Code),
    *({"error_code": code} for code in ("kie.refused", "storage.unavailable", "submit.unknown")),
]


@pytest.mark.parametrize("fields", ENDS, ids=lambda fields: str(fields.get("error_code")))
def test_a_viewer_finds_the_prompt_nowhere(fields: dict[str, Any]) -> None:
    facts = told(**fields)
    shown = everything(shown_facts(facts, False), shown_diagnosis(facts, False))
    assert PROMPT not in shown


def test_the_diagnosis_of_a_failed_ask_holds_no_words_of_kie() -> None:
    facts = replace(told(), kie=AskFailed("kie.refused", PROMPT))
    assert PROMPT not in as_json(asdict(shown_diagnosis(facts, False)))


def test_an_operator_sees_all_of_it() -> None:
    facts = told()
    assert shown_facts(facts, True) == facts
    assert shown_diagnosis(facts, True) == diagnose(facts)


def test_a_viewer_reads_the_same_verdict_and_advice() -> None:
    facts = told(status=Status.FAILED, error_code=Code.PROVIDER_FAILED)
    seen, whole = shown_diagnosis(facts, False), diagnose(facts)
    assert (seen.verdict, seen.summary) == (whole.verdict, whole.summary)
    assert seen.suggestions == whole.suggestions
    assert seen.evidence != whole.evidence


def test_codes_and_ids_stay() -> None:
    generation = shown_generation(told(error_code="provider.422").generation, False)
    assert (generation.id, generation.task_id) == ("g-1", "task-1")
    assert generation.error_code == "provider.422"


def test_of_an_event_only_what_may_be_logged_stays() -> None:
    assert shown_events([EVENT], False)[0]["detail"] == {"code": "kie.unavailable"}


def test_an_event_without_details_stays_as_it_is() -> None:
    assert shown_events([{**EVENT, "detail": None}], False)[0]["detail"] == {}


def test_of_a_callback_headers_and_body_go() -> None:
    shown = shown_callbacks([CALLBACK], False)[0]
    assert shown["reason"] == "signature.wrong"
    assert not {"headers", "body", "detail", "body_sha256"} & shown.keys()


def test_of_a_failed_ask_the_code_stays() -> None:
    assert shown_answer(AskFailed("kie.refused", PROMPT), False) == AskFailed("kie.refused", "")


def test_no_answer_stays_no_answer() -> None:
    assert shown_answer(None, False) is None
