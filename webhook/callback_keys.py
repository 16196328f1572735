"""The secrets that callbacks are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from core.wiring import Core

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackKeys:
    """What verifies, and by the setting's name what must not, to recognise a mix-up."""

    url: Keys
    signature: Keys
    not_url: Mapping[str, Keys]
    not_signature: Mapping[str, Keys]
    never_shown: Keys


def callback_keys(core: Core) -> CallbackKeys:
    """The keys of a core's settings."""
    settings = core.settings
    url, signature = core.callback_secrets, settings.hmac_keys
    others = {"KIE_API_KEY": _key(settings.kie_api_key), "API_TOKEN": _key(settings.api_token)}
    return CallbackKeys(
        url=url,
        signature=signature,
        not_url={"KIE_WEBHOOK_HMAC_KEY": signature, **others},
        not_signature={"KIE_CALLBACK_SECRET": url, **others},
        never_shown=(*url, *settings.secret_values),
    )


def _key(secret: SecretStr | None) -> Keys:
    return (secret.get_secret_value(),) if secret else ()
