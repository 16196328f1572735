"""Everything that is known of a generation, as JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

from core.diagnosis import Diagnosis, Facts

#: Proves a worker's right to write, and so is nobody else's business.
LEASE_TOKEN = "lease_token"


def everything(facts: Facts, diagnosis: Diagnosis) -> str:
    """The facts and the diagnosis as JSON."""
    generation = asdict(facts.generation)
    del generation[LEASE_TOKEN]
    return as_json(
        {
            "generation": generation,
            "kie": asdict(facts.kie) if facts.kie else None,
            "storage": {"problem": facts.storage_problem, "sizes": facts.stored_sizes},
            "callbacks": facts.callbacks,
            "events": facts.events,
            "diagnosis": asdict(diagnosis),
            "at": facts.now,
        }
    )


def as_json(value: object) -> str:
    """Readable JSON that any browser takes; times in ISO 8601 with Z, amounts as text."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    return text.encode("utf-8", "replace").decode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
