"""Who may look and who may act. Pure."""

from __future__ import annotations

import hashlib
import hmac
import string
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from pydantic import SecretStr

from core.errors import ConfigError
from core.settings import Settings, is_loopback

PLAIN = frozenset(string.ascii_letters + string.digits + string.punctuation)


class Role(StrEnum):
    """What a session may do."""

    OPERATOR = "operator"  # everything
    VIEWER = "viewer"  # no actions, and no prompts anywhere


def check_access(settings: Settings, *, has_oidc: bool) -> None:
    """Raise ConfigError where anybody, or nobody, could come in."""
    operators, viewers = _listed(settings.dashboard_operators), _listed(settings.dashboard_viewers)
    odd = [one for one in (*operators, *viewers) if not _has_domain(one)]
    if odd:
        raise ConfigError(
            f"DASHBOARD_OPERATORS, DASHBOARD_VIEWERS: neither an e-mail nor an @domain: {odd[0]}"
        )
    password = settings.dashboard_password
    if password and _same(password.get_secret_value(), settings.dashboard_viewer_password):
        raise ConfigError("DASHBOARD_VIEWER_PASSWORD: must differ from DASHBOARD_PASSWORD")
    if has_oidc and not (operators or viewers):
        raise ConfigError(
            "DASHBOARD_OPERATORS: name who may come in by OpenID Connect (e-mails or @domains, "
            "comma list), or who may only look in DASHBOARD_VIEWERS"
        )
    if not is_loopback(settings.bind) and not asks_who(settings, has_oidc=has_oidc):
        raise ConfigError(
            "DASHBOARD_PASSWORD: BIND is not loopback, so set it, or configure OpenID Connect in "
            ".streamlit/secrets.toml"
        )


def asks_who(settings: Settings, *, has_oidc: bool) -> bool:
    """Whether a visitor has to say who it is. If not, everybody on this machine is an operator."""
    passwords = (settings.dashboard_password, settings.dashboard_viewer_password)
    return has_oidc or any(password is not None for password in passwords)


def role_of_password(typed: str, settings: Settings) -> Role | None:
    """The role that a password opens; None for a wrong one. Takes as long for right and wrong."""
    is_operator = _same(typed, settings.dashboard_password)
    is_viewer = _same(typed, settings.dashboard_viewer_password)
    if is_operator:
        return Role.OPERATOR
    return Role.VIEWER if is_viewer else None


def role_of_email(email: str, *, is_verified: bool, settings: Settings) -> Role | None:
    """The role of somebody whom an OpenID Connect provider vouches for; None: may not come in."""
    if not (is_verified and _is_plain(email)):
        return None
    if _is_among(email, _listed(settings.dashboard_operators)):
        return Role.OPERATOR
    return Role.VIEWER if _is_among(email, _listed(settings.dashboard_viewers)) else None


def _same(typed: str, password: SecretStr | None) -> bool:
    expected = password.get_secret_value() if password else ""
    return hmac.compare_digest(_digest(typed), _digest(expected)) and bool(expected)


def _digest(password: str) -> bytes:
    """Of equal length for all, and the same however a keyboard composes its letters."""
    composed = unicodedata.normalize("NFC", password)
    return hashlib.sha256(composed.encode("utf-8", "surrogatepass")).digest()


def _is_plain(email: str) -> bool:
    """An address that reads in one way only: no second @, no spaces, no letters that look alike."""
    name, _, domain = email.partition("@")
    return bool(name and domain) and "@" not in domain and PLAIN.issuperset(email)


def _is_among(email: str, allowed: Sequence[str]) -> bool:
    address = email.lower()
    return bool({address, address[address.index("@") :]} & set(allowed))


def _listed(comma_list: str) -> list[str]:
    return [entry for one in comma_list.split(",") if (entry := one.strip().lower())]


def _has_domain(entry: str) -> bool:
    return entry.count("@") == 1 and not entry.endswith("@")
