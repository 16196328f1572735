"""What of the settings is risky, though everything works with them. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.checks.model import CheckState, Outcome, Surroundings, together
from core.settings import SECRETS, Settings, is_loopback

#: Those that we or our users make up; the others are made by KIE and Supabase.
CHOSEN = (
    *("kie_callback_secret", "api_token", "asset_url_secret"),
    *("dashboard_password", "dashboard_viewer_password"),
)
USUAL_VIDEO_BYTES = 50 << 20
LEAST_PATIENCE_HOURS = 1
LEAST_LENGTH = 12
LEAST_CHARACTERS = 6  # different ones
_PLACEHOLDER = re.compile(r"change|your|replace|example|secret|password|test|admin|default", re.I)


def settings(around: Surroundings) -> Outcome:
    """Whether they are safe; those that could be loaded are complete."""
    return risks_of(around.settings)


def risks_of(settings: Settings) -> Outcome:
    """All risks as one outcome; it holds no secret."""
    return together(list(_risks(settings)), "complete, and none is risky")


def _risks(settings: Settings) -> Iterator[Outcome]:
    yield from _read_on_the_way(settings)
    real_kie = not is_loopback(settings.kie_base_url)
    if real_kie and settings.media_allow_private:
        found = "MEDIA_ALLOW_PRIVATE lets what KIE answers lead into this network"
        yield _risk(found, "Set MEDIA_ALLOW_PRIVATE=false.")
    if real_kie and settings.sends_callback_url and not settings.hmac_keys:
        found = "KIE_WEBHOOK_HMAC_KEY is not set: callbacks are told by the token in their URL only"
        yield _risk(found, "Set KIE_WEBHOOK_HMAC_KEY to the webhook key of KIE's settings page.")
    if not (is_loopback(settings.bind) and is_loopback(settings.public_base_url)):
        yield from _guessable(settings)
    yield from _used_twice(settings)
    yield from _too_small(settings)


def _too_small(settings: Settings) -> Iterator[Outcome]:
    if settings.spool_max_bytes < settings.max_asset_bytes:
        found = "SPOOL_MAX_BYTES is less than MAX_ASSET_BYTES: the largest files are never fetched"
        yield Outcome(CheckState.FAILED, found, "Raise SPOOL_MAX_BYTES, or lower MAX_ASSET_BYTES.")
    if settings.max_asset_bytes < USUAL_VIDEO_BYTES:
        yield _risk("MAX_ASSET_BYTES refuses ordinary videos", "Raise it: 2147483648 by default.")
    if settings.give_up_after_hours < LEAST_PATIENCE_HOURS:
        found = "GIVE_UP_AFTER_HOURS gives up on tasks that KIE still works on"
        yield _risk(found, "Raise it: 24 by default.")


def _read_on_the_way(settings: Settings) -> Iterator[Outcome]:
    urls = {
        "KIE_BASE_URL": settings.kie_base_url,
        "PUBLIC_BASE_URL": settings.public_base_url,
        "SUPABASE_URL": settings.supabase_url,
    }
    for name, url in urls.items():
        if urlsplit(url).scheme == "http" and not is_loopback(url):
            found = f"{name} is http, so keys and tokens can be read on the way"
            yield _risk(found, f"Serve it by https and change {name}.")


def _guessable(settings: Settings) -> Iterator[Outcome]:
    for name in CHOSEN:
        if any(map(_is_guessable, _values(settings, name))):
            remedy = "For each secret take an output of `openssl rand -hex 32`."
            yield _risk(f"{name.upper()} is short or easily guessed", remedy)


def _is_guessable(secret: str) -> bool:
    return (
        len(secret) < LEAST_LENGTH
        or len(set(secret)) < LEAST_CHARACTERS
        or _PLACEHOLDER.match(secret) is not None
    )


def _used_twice(settings: Settings) -> Iterator[Outcome]:
    names = defaultdict(list)
    for name in SECRETS:
        for value in set(_values(settings, name)):
            names[value].append(name.upper())
    for same in names.values():
        if len(same) > 1:
            yield _risk(f"{' and '.join(same)} hold the same secret", "Give each one of its own.")


def _values(settings: Settings, name: str) -> list[str]:
    secret: SecretStr | None = getattr(settings, name)
    text = secret.get_secret_value() if secret else ""
    return [part.strip() for part in text.split(",") if part.strip()]


def _risk(found: str, remedy: str) -> Outcome:
    return Outcome(CheckState.WARNING, found, remedy)
