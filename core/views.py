"""Records as the API shows them: camelCase, times in ISO 8601 with Z."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.diagnosis import Diagnosis, Facts
from core.generation.model import Asset, Generation
from core.kie.report import AskFailed


def generation_view(generation: Generation) -> dict[str, Any]:
    """A generation as every endpoint shows it."""
    delivered = generation.delivered_at is not None
    return {
        "id": generation.id,
        "taskId": generation.task_id,
        "provider": generation.provider,
        "family": generation.family,
        "model": generation.model,
        "kind": generation.kind,
        "userId": generation.user_id,
        "status": generation.status.value,
        "providerState": generation.provider_state,
        "progress": generation.progress,
        "prompt": generation.prompt,
        "assetUrl": generation.asset_url,
        "previewUrl": generation.preview_url,
        "resultUrls": list(generation.result_urls),
        "assets": [asset_view(asset) for asset in generation.assets if asset.stored_at],
        "error": _error(generation),
        "creditsConsumed": _number(generation.credits_consumed),
        "attempts": generation.attempts,
        "createdAt": time_view(generation.created_at),
        "updatedAt": time_view(generation.updated_at),
        "deliveredAt": time_view(generation.delivered_at),
        "deliveredVia": generation.delivered_via if delivered else None,
    }


def asset_view(asset: Asset) -> dict[str, Any]:
    """A stored file."""
    return {
        "position": asset.position,
        "role": asset.role,
        "url": asset.url,
        "path": asset.path,
        "contentType": asset.content_type,
        "sizeBytes": asset.size_bytes,
        "sha256": asset.sha256,
    }


def facts_view(facts: Facts, diagnosis: Diagnosis) -> dict[str, Any]:
    """A generation in every respect: the row, KIE, storage, callbacks, timeline, diagnosis."""
    return {
        "generation": generation_view(facts.generation),
        "kie": _kie(facts),
        "storage": _storage(facts),
        "callbacks": [record_view(row) for row in facts.callbacks],
        "events": [record_view(row) for row in facts.events],
        "diagnosis": diagnosis_view(diagnosis),
    }


def diagnosis_view(diagnosis: Diagnosis) -> dict[str, Any]:
    """What was found, most serious first."""
    return record_view(asdict(diagnosis))


def record_view(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row of callbacks or events."""
    return {camel_case(name): plain(value) for name, value in record.items()}


def plain(value: Any) -> Any:
    """A value as JSON takes it."""
    if isinstance(value, datetime):
        return time_view(value)
    return _number(value) if isinstance(value, Decimal) else value


def time_view(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z and milliseconds."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def camel_case(name: str) -> str:
    """`like_this` as `likeThis`."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _kie(facts: Facts) -> dict[str, Any] | None:
    """KIE's answer just now; None: it was not asked."""
    if facts.kie is None:
        return None
    if isinstance(facts.kie, AskFailed):
        return {"error": {"code": facts.kie.code, "message": facts.kie.message}}
    return record_view(asdict(facts.kie))


def _storage(facts: Facts) -> dict[str, Any]:
    """Each stored file with the size that storage shows; None: it is not there."""
    sizes = facts.stored_sizes or {}
    stored = [asset for asset in facts.generation.assets if asset.stored_at]
    files = [asset_view(asset) | {"foundBytes": sizes.get(asset.path or "")} for asset in stored]
    return {"problem": facts.storage_problem, "files": files}


def _error(generation: Generation) -> dict[str, str] | None:
    if generation.error_code is None:
        return None
    return {"code": generation.error_code, "message": generation.error or generation.error_code}


def _number(amount: Decimal | None) -> int | float | None:
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)
