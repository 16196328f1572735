"""Reading a request's JSON body and query, or refusing it with what is wrong."""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

from flask import Flask, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from core.generation.model import Generation
from core.store.queries import Queries
from webhook.errors import ApiError
from webhook.schemas import WhichQuery

MAX_BODY_BYTES = 1 << 20

Model = TypeVar("Model", bound=BaseModel)


def register(app: Flask) -> None:
    """Refuse every query that is not UTF-8: Werkzeug raises in the middle of an endpoint."""
    app.before_request(_check_query)


def _check_query() -> None:
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        raise ApiError(400, "query.invalid", "the query is not UTF-8") from None


def read_body() -> bytes:
    """The request's body, of known length or in chunks.

    RequestEntityTooLarge over 1 MiB, ClientDisconnected where it ends before its end.
    """
    try:
        body = request.get_data()
    except OSError as error:  # gunicorn's word for chunks that are none
        raise ClientDisconnected from error
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    if len(body) < (request.content_length or 0):
        raise ClientDisconnected
    return body


def read_json(model: type[Model]) -> Model:
    """The request's body; ApiError 400 `body.not_json` or `body.invalid`, 415, or 413."""
    if not request.is_json:
        raise ApiError(415, "body.not_json", "send Content-Type: application/json")
    try:
        value = json.loads(read_body(), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ApiError(400, "body.not_json", "the body is not JSON") from None
    return _checked(model, value, "body.invalid")


def read_query(model: type[Model]) -> Model:
    """The request's query; ApiError 400 `query.invalid`, also for what is named twice."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise ApiError(400, "query.invalid", f"given more than once: {', '.join(repeated)}")
    return _checked(model, request.args.to_dict(), "query.invalid")


def read_which(queries: Queries) -> Generation | None:
    """The generation that `taskId` or `id` names; None where the query has neither.

    ApiError 400 `query.invalid` for both, 404 `generation.not_found` for one that we do not have.
    """
    which = read_query(WhichQuery)
    if which.task_id is not None and which.id is not None:
        raise ApiError(400, "query.invalid", "give either taskId or id")
    if which.task_id is not None:
        return found(queries.by_task(which.task_id))
    return found(queries.by_id(which.id)) if which.id is not None else None


def found(generation: Generation | None) -> Generation:
    """The generation, or ApiError 404."""
    if generation is None:
        raise ApiError(404, "generation.not_found", "there is no such generation")
    return generation


def _checked(model: type[Model], value: Any, code: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ApiError(400, code, _words(error)) from None


def _words(error: ValidationError) -> str:
    items = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in items)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number
