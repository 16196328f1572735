"""The OpenAPI description, made of the table of routes and the shapes that check them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webhook import schemas
from webhook.operations import OPERATIONS, Operation

REF = "#/components/schemas/{model}"


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "KIE delivery", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"apiToken": {"type": "http", "scheme": "bearer"}},
        },
    }


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """What the path, the query and the headers of a route take."""
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in operation.path_parameters
    ]
    shape = operation.query.model_json_schema() if operation.query else {}
    for name, schema in shape.get("properties", {}).items():
        required = name in shape.get("required", ())
        named.append({"name": name, "in": "query", "required": required, "schema": schema})
    for name, description in operation.headers.items():
        schema = {"type": "string"}
        named.append({"name": name, "in": "header", "description": description, "schema": schema})
    return named


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": {
            str(status): _response(operation, status, text)
            for status, text in _all_answers(operation).items()
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body)}
    if not operation.is_open:
        described["security"] = [{"apiToken": []}]
    return described


def _all_answers(operation: Operation) -> dict[int, str]:
    if operation.is_open:
        return dict(operation.answers)
    common = {401: "no or a wrong API token"}
    if 500 not in operation.answers:
        common[503] = "the database or storage is away"
    return dict(sorted((common | dict(operation.answers)).items()))


def _response(operation: Operation, status: int, description: str) -> dict[str, Any]:
    shape = operation.answer if status < 400 else schemas.ErrorAnswer
    if operation.answer is schemas.ReadyAnswer:
        shape = schemas.ReadyAnswer
    content = {"content": _json(shape)} if shape else {}
    return {"description": description, **content}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}


def _schemas() -> dict[str, Any]:
    bodies = {operation.body for operation in OPERATIONS if operation.body}
    answers = {operation.answer for operation in OPERATIONS if operation.answer}
    modes = [(model, "validation") for model in bodies]
    modes += [(model, "serialization") for model in answers | {schemas.ErrorAnswer}]
    modes.sort(key=lambda pair: pair[0].__name__)
    _, definitions = models_json_schema(modes, ref_template=REF)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found
