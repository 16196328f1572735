"""`/api/openapi.json` and `/api/docs`: the same description for programs and for people."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template

from webhook import openapi as description

blueprint = Blueprint("docs", __name__)


@cache
def _document() -> dict[str, Any]:
    return description.openapi()


@blueprint.get("/api/openapi.json")
def openapi() -> Response:
    """The OpenAPI document."""
    return jsonify(_document())


@blueprint.get("/api/docs")
def page() -> Response:
    """The document as a page that needs nothing from elsewhere, and runs nothing."""
    nonce = secrets.token_urlsafe(16)
    response = make_response(render_template("docs.html", document=_document(), nonce=nonce))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    return response
