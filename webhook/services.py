"""What the views work with, kept on the app."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import cast

from flask import current_app

from core.wiring import Core
from core.workers import Workers
from webhook.callback_keys import CallbackKeys
from webhook.kept import Kept
from webhook.waiting import Waiting

EXTENSION = "kie-delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One process's core, its threads, and who may wait for them."""

    core: Core
    workers: Workers
    waiting: Waiting
    asset_places: BoundedSemaphore  # fewer than threads, however slowly strangers read
    callback_keys: CallbackKeys
    readiness: Kept[dict[str, str]]


def services() -> Services:
    """The services of the app that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
