"""Every failure leaves in one shape: `{"error": {"code", "message"}}`."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import ClientDisconnected, HTTPException

from core.errors import StorageError, StoreUnavailableError

logger = logging.getLogger(__name__)

#: Codes of what the framework refuses by itself.
CODES = {
    404: "request.not_found",
    405: "request.method_not_allowed",
    413: "body.too_large",
    415: "body.not_json",
}
RETRY_AFTER_SECONDS = 5


class ApiError(Exception):
    """A request is refused. `code` is stable and dotted."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def error_response(status: int, code: str, message: str, **more: str) -> Response:
    """The one shape of an error; `more` stands beside it."""
    response = jsonify({"error": {"code": code, "message": message}, **more})
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def register(app: Flask) -> None:
    """Answer in the one shape whatever is raised."""
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(StoreUnavailableError, _store_unavailable)
    app.register_error_handler(StorageError, _storage_unavailable)
    app.register_error_handler(HTTPException, _of_the_framework)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: ApiError) -> Response:
    response = error_response(error.status, error.code, str(error))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _store_unavailable(error: StoreUnavailableError) -> Response:
    logger.error("%s", error, extra={"event": "store.unavailable", "path": request.path})
    return error_response(503, "store.unavailable", "the database cannot be used now")


def _storage_unavailable(error: StorageError) -> Response:
    logger.error("%s", error, extra={"event": "storage.unavailable", "path": request.path})
    return error_response(503, "storage.unavailable", "permanent storage cannot be used now")


def _of_the_framework(error: HTTPException) -> Response:
    status = error.code or 500
    code = CODES.get(status, "request.bad" if status < 500 else "internal.error")
    if isinstance(error, ClientDisconnected):
        code = "body.cut"
    response = error_response(status, code, error.name)
    for name, value in error.get_headers():
        if name in ("Allow", "Content-Range"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    logger.error(
        "a request failed", exc_info=error, extra={"event": "request.bug", "path": request.path}
    )
    return error_response(500, "internal.error", "an unexpected error; the log says more")
