"""The records: Generation, Asset, Event, and the words for their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self


class Status(StrEnum):
    """What an application sees."""

    QUEUED = "queued"  # not yet being made, or not yet known to be
    GENERATING = "generating"  # KIE works on it, or has finished and we still store it
    SUCCESS = "success"  # every main file is stored and checked
    FAILED = "failed"  # KIE failed it, or we gave up


class Channel(StrEnum):
    """Who brought the news."""

    CALLBACK = "callback"
    POLL = "poll"
    SYNC = "sync"


class Code(StrEnum):
    """Why a generation waits or ended, where it is not KIE's own word."""

    SUBMIT_UNKNOWN = "submit.unknown"
    PROVIDER_FAILED = "provider.failed"
    PROVIDER_TIMEOUT = "provider.timeout"
    PROVIDER_EMPTY = "provider.empty"
    MEDIA_GONE = "media.gone"
    MEDIA_INVALID = "media.invalid"
    MEDIA_TOO_LARGE = "media.too_large"
    MEDIA_REFUSED = "media.refused"
    OPERATOR_GAVE_UP = "operator.gave_up"


#: Our own ends. A file that turns up later makes these `success` after all.
GIVING_UP = frozenset(set(Code) - {Code.PROVIDER_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file of a generation. It is stored once `stored_at` is set."""

    position: int
    role: str = "main"
    source_url: str | None = None  # where KIE keeps it for now; None: see result_object
    path: str | None = None  # in permanent storage; set before the bytes are put there
    url: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    stored_at: datetime | None = None
    failures: int = 0  # whole ladders (as told, asked again, download-url) that found no file
    failed_since: datetime | None = None
    error_code: str | None = None  # set: given up, not tried again unless the generation is

    @property
    def is_main(self) -> bool:
        """Whether the generation succeeds only with this file."""
        return self.role == "main"

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to be stored."""
        return self.stored_at is None and self.error_code is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Our record of one KIE task, with its files."""

    id: str  # UUIDv7
    family: str
    model: str
    input: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    user_id: str | None = None
    provider: str = "kie"
    kind: str | None = None  # image, video, audio, text; None until known
    prompt: str | None = None
    idempotency_key: str | None = None
    request_sha256: str | None = None
    task_id: str | None = None  # KIE's name for it; None until KIE accepted the task
    candidate_task_id: str | None = None  # a callback says so; KIE has not confirmed it yet
    status: Status = Status.QUEUED
    provider_state: str | None = None  # what KIE last said
    announced_state: str | None = None  # what an accepted callback claimed
    announced_at: datetime | None = None
    progress: int | None = None
    result_urls: tuple[str, ...] = ()  # KIE's, temporary
    result_object: str | None = None  # JSON text of a result that is data, not files
    asset_url: str | None = None  # ours, permanent
    preview_url: str | None = None
    error_code: str | None = None  # while open: why it waits; when failed: why
    error: str | None = None
    credits_consumed: Decimal | None = None
    attempts: int = 0  # tries at the current step
    step_since: datetime | None = None  # when the current step was first due
    asked_at: datetime | None = None  # when KIE was last asked about the task
    crashes: int = 0  # take-overs of dead leases
    due_at: datetime | None = None  # when somebody should next look
    expires_at: datetime | None = None  # when KIE's files die; orders the work, never ends it
    lease_token: str | None = None
    lease_until: datetime | None = None
    submit_started_at: datetime | None = None  # from here on KIE may know of it
    sent_again_at: datetime | None = None  # an operator's word: KIE may have an earlier task too
    submitted_at: datetime | None = None
    provider_completed_at: datetime | None = None
    gave_up_at: datetime | None = None
    delivered_at: datetime | None = None
    delivered_via: Channel | None = None
    delete_requested_at: datetime | None = None  # whoever has it finishes the deletion
    assets: tuple[Asset, ...] = field(default=())

    @property
    def is_final(self) -> bool:
        """Whether an application may stop asking."""
        return self.status in (Status.SUCCESS, Status.FAILED)

    @property
    def gave_up(self) -> bool:
        """Whether the failure is our own end and not KIE's word."""
        return self.status is Status.FAILED and self.error_code in GIVING_UP

    def is_held(self, now: datetime) -> bool:
        """Whether a worker's lease is in force; the very moment of its end still belongs to it."""
        return self.lease_until is not None and self.lease_until >= now

    @property
    def wanted(self) -> Asset | None:
        """The next file to store: main files first, then in KIE's order."""
        wanted = [asset for asset in self.assets if asset.is_wanted]
        return min(wanted, key=lambda asset: (not asset.is_main, asset.position), default=None)

    def asset(self, position: int) -> Asset:
        """The file at a position."""
        return next(asset for asset in self.assets if asset.position == position)

    def evolve(self, **changes: Any) -> Self:
        """The same generation with some fields changed."""
        return replace(self, **changes)

    def with_asset(self, asset: Asset) -> Self:
        """The same generation with this asset in the place of the one at its position."""
        assets = [asset if old.position == asset.position else old for old in self.assets]
        return replace(self, assets=tuple(assets))


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a generation's timeline."""

    name: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = True  # False: logged only, since many like it are kept already


class Change(NamedTuple):
    """What a transition gives: the generation afterwards, and what is to be told of it."""

    generation: Generation
    events: tuple[Event, ...] = ()
