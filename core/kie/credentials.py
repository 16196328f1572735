"""The credential in our callback URL: a token that opens one generation, or the shared secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from core.errors import CallbackError
from core.signing import matches_any, url_token

_GENERATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential that verified, and the generation it came with, if any."""

    generation_id: str | None


def callback_token(secret: str, generation_id: str) -> str:
    """The token of one generation: of its id, keyed with the secret."""
    return url_token(secret, generation_id)


def callback_url(public_base_url: str, secret: str, generation_id: str) -> str:
    """Where KIE shall call back about one generation; KIE keeps the query as it is given."""
    query = {"generation": generation_id, "token": callback_token(secret, generation_id)}
    return f"{public_base_url.rstrip('/')}/api/kie/callback?{urlencode(query)}"


def check_credential(
    query: Mapping[str, str],
    secrets: Sequence[str],
    other_keys: Mapping[str, Sequence[str]],
) -> Credential:
    """The credential in a callback URL's query.

    `other_keys` are keys of other settings by the setting's name, to recognise a mix-up. Raises
    CallbackError: `credential.missing`, `credential.wrong` or `credential.other_key`.
    """
    if not query.get("token") and not query.get("secret"):
        raise CallbackError("credential.missing", "the URL has neither token nor secret")
    if _verifies(query, secrets):
        generation_id = query.get("generation", "")
        return Credential(generation_id if _GENERATION_ID.fullmatch(generation_id) else None)
    for setting, keys in other_keys.items():
        if _verifies(query, keys):
            raise CallbackError(
                "credential.other_key", f"made with a key that is configured as {setting}"
            )
    raise CallbackError("credential.wrong", "token or secret verify with none of our keys")


def _verifies(query: Mapping[str, str], keys: Sequence[str]) -> bool:
    generation_id = query.get("generation", "")
    by_token = matches_any(
        query.get("token", ""), [callback_token(key, generation_id) for key in keys]
    )
    by_secret = matches_any(query.get("secret", ""), keys)
    return (by_token and bool(generation_id)) or by_secret
