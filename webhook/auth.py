"""Who may call: the bearer of API_TOKEN or, where none is set, programs of this machine."""

from __future__ import annotations

import hmac
import re

from flask import Flask, request

from webhook.errors import ApiError
from webhook.services import services

OPEN_ENDPOINTS = frozenset(
    {
        "callback.receive",  # has credentials of its own
        "health.health",
        "health.ready",
        "assets.serve",
        "docs.openapi",
        "docs.page",
    }
)


_LOOPBACK = re.compile(
    r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)


def register(app: Flask) -> None:
    """Check every request but those to open endpoints and to no endpoint at all."""
    app.before_request(_check_caller)


def _check_caller() -> None:
    if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS:
        return
    token = services().core.settings.api_token
    if token is None:
        _check_local()
    elif not _bears(token.get_secret_value()):
        raise ApiError(401, "auth.token", "send the header Authorization: Bearer $API_TOKEN")


def _bears(token: str) -> bool:
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    # WSGI hands header bytes over as Latin-1.
    same = hmac.compare_digest(presented.strip().encode("latin-1", "replace"), token.encode())
    return same and scheme.lower() == "bearer"


def _check_local() -> None:
    """Refuse what a web page in a browser on this machine could send (DNS rebinding, CSRF)."""
    if not _LOOPBACK.fullmatch(request.headers.get("Host", "")):
        raise ApiError(403, "auth.host", "without API_TOKEN only http://localhost may be called")
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if has_body and not request.is_json:
        raise ApiError(415, "body.not_json", "send Content-Type: application/json")
