"""What becomes of a generation when one of its files was fetched and stored, or was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.errors import StepError
from core.generation.ending import give_up
from core.generation.model import Asset, Change, Code, Event, Generation, Status
from core.generation.schedule import (
    LADDERS,
    LADDERS_SPAN,
    LOOK_AGAIN_UNTIL,
    MEDIA_LIFETIME,
    Policy,
    is_news,
)
from core.masking import mask

#: Fruitless ladders end here; what ends at once comes with its own code.
LOST_AS = {"media.dead": Code.MEDIA_GONE, "media.broken": Code.MEDIA_INVALID}


def after_fetched(generation: Generation, asset: Asset) -> Change:
    """The generation with the place and content of a file that is about to be stored."""
    detail = {
        "position": asset.position,
        "bytes": asset.size_bytes,
        "type": asset.content_type,
        "path": asset.path,
    }
    return Change(generation.with_asset(asset), (Event("asset.fetched", detail),))


def after_stored(generation: Generation, position: int, url: str, now: datetime) -> Change:
    """The generation with one more file in permanent storage; `success` with the last main one."""
    asset = generation.asset(position)
    stored = replace(asset, url=url, stored_at=now, error_code=None)
    detail = {"position": position, "url": mask(url), "bytes": asset.size_bytes}
    event = Event("asset.stored", detail)
    told = generation.with_asset(stored).evolve(attempts=0, step_since=now)
    told = told.evolve(preview_url=_preview(told))
    if not told.gave_up:
        told = told.evolve(error_code=None, error=None)
    change = _settled(told, now)
    return Change(change.generation, (event, *change.events))


def may_be_fetched_again(generation: Generation, asset: Asset, now: datetime) -> bool:
    """Whether a file that was stored can still be had: KIE may have it, or we have its text."""
    if asset.source_url is None:
        return generation.result_object is not None
    return now < (generation.provider_completed_at or generation.created_at) + MEDIA_LIFETIME


def restored(asset: Asset) -> Event:
    """The news that a missing file is back in its place."""
    detail = {"position": asset.position, "path": asset.path, "bytes": asset.size_bytes}
    return Event("asset.restored", detail)


def after_store_failed(
    generation: Generation, position: int, error: StepError, now: datetime, policy: Policy
) -> Change:
    """The generation after a file could not be fetched or stored.

    Only a file that whole ladders did not find, or that may not be fetched at all, is lost;
    everything else is tried again without end.
    """
    asset = generation.asset(position)
    failures = asset.failures + (error.code in LOST_AS)
    since = asset.failed_since or now
    tried = replace(asset, failures=failures, failed_since=since if failures else None)
    if error.permanent:
        return _lost(generation, tried, Code(error.code), str(error), now)
    if failures >= LADDERS and error.code in LOST_AS and now - since >= LADDERS_SPAN:
        return _lost(generation, tried, LOST_AS[error.code], str(error), now)
    if error.code == "media.unreachable" and _is_too_old(generation, now):
        return _lost(generation, tried, Code.MEDIA_GONE, str(error), now)
    return _retry(generation, tried, error, now, policy)


def _is_too_old(generation: Generation, now: datetime) -> bool:
    """Whether KIE keeps nothing of it any more."""
    return now >= generation.created_at + LOOK_AGAIN_UNTIL


def _retry(
    generation: Generation, asset: Asset, error: StepError, now: datetime, policy: Policy
) -> Change:
    attempts = generation.attempts + 1
    dead = error.code in LOST_AS
    gap = policy.ladder_gap(asset.failures) if dead else policy.retry_gap(attempts)
    waiting = generation.with_asset(asset).evolve(attempts=attempts, due_at=now + gap)
    if not generation.is_final:
        waiting = waiting.evolve(error_code=error.code, error=str(error))
    detail = {
        "position": asset.position,
        "code": error.code,
        "why": str(error),
        "attempt": attempts,
        "retry_in_s": round(gap.total_seconds(), 1),
    }
    news = is_news(attempts) or error.code != generation.error_code
    return Change(waiting, (Event("asset.retry", detail, kept=news),))


def _lost(generation: Generation, asset: Asset, code: Code, why: str, now: datetime) -> Change:
    lost = generation.with_asset(replace(asset, error_code=code)).evolve(attempts=0)
    event = Event("asset.lost", {"position": asset.position, "code": code, "why": why})
    change = _settled(lost, now, why)
    return Change(change.generation, (event, *change.events))


def _settled(generation: Generation, now: datetime, why: str = "") -> Change:
    """The generation after the state of one file has changed for good."""
    mains = [asset for asset in generation.assets if asset.is_main]
    if any(asset.is_wanted for asset in mains):
        return Change(generation.evolve(due_at=now))
    due_at = now if generation.wanted else None
    lost = next((asset for asset in mains if asset.error_code), None)
    if lost is not None and lost.error_code is not None:
        given_up, events = give_up(generation, Code(lost.error_code), why, now)
        return Change(given_up.evolve(due_at=due_at or given_up.due_at), events)
    if generation.status is Status.SUCCESS:
        return Change(generation.evolve(due_at=due_at))
    return _delivered(generation.evolve(due_at=due_at), mains, now)


def _delivered(generation: Generation, mains: list[Asset], now: datetime) -> Change:
    delivered = generation.evolve(
        status=Status.SUCCESS,
        asset_url=mains[0].url,
        kind=generation.kind or _kind(mains[0].content_type),
        error_code=None,
        error=None,
        gave_up_at=None,
        delivered_at=now,
    )
    seconds = (now - (generation.provider_completed_at or now)).total_seconds()
    detail = {"url": mask(mains[0].url or ""), "ms_after_completion": round(seconds * 1000)}
    return Change(delivered, (Event("generation.delivered", detail),))


def _preview(generation: Generation) -> str | None:
    pictures = [
        asset.url
        for asset in generation.assets
        if asset.stored_at and (asset.content_type or "").startswith("image/")
    ]
    return pictures[0] if pictures else None


def _kind(content_type: str | None) -> str | None:
    major = (content_type or "").partition("/")[0]
    return major if major in ("image", "video", "audio", "text") else None
