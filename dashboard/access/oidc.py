"""Streamlit's own login by OpenID Connect: whether, and with whom, it is configured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError

#: Where Streamlit looks for it. Read without Streamlit, as it is needed before Streamlit starts.
SECRETS = Path(".streamlit/secrets.toml")


def has_oidc() -> bool:
    """Whether SECRETS has a section `[auth]`.

    Raises ConfigError where that file cannot be read: who may come in is not known then.
    """
    return bool(_auth())


def providers() -> list[str | None]:
    """Those that somebody can sign in with; None: the only one, which has no name."""
    named = [name for name, value in _auth().items() if isinstance(value, dict)]
    return [name for name in named if name != "client_kwargs"] or [None]


def _auth() -> Mapping[str, Any]:
    try:
        auth = tomllib.loads(SECRETS.read_text("utf-8")).get("auth", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{SECRETS}: cannot be read: {error}") from None
    if not isinstance(auth, dict):
        raise ConfigError(f"{SECRETS}: auth has to be a section")
    return auth
