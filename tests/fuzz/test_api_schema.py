"""The API against its own description: requests that fit it, and requests that do not.

Schemathesis makes the requests; the app answers in this process, without a socket.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.creating import CreateBody
from tests.support.api import BODY, Api, open_api
from tests.support.databases import sqlite_url
from webhook.openapi import parameters
from webhook.operations import OPERATIONS, Operation

TOKEN = "the-api-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
SHARE = 10  # of the profile's examples, for each of many operations

few = settings(max_examples=settings.default.max_examples // SHARE)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    with open_api(folder, sqlite_url(folder), api_token=TOKEN) as opened:
        opened.create(BODY, **BEARER)
        yield opened


def takes_anything(operation: Operation) -> bool:
    return operation.body is not None or bool(parameters(operation))


CASES = [
    pytest.param(operation, mode, id=f"{operation.method} {operation.path} {mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or takes_anything(operation)
]


@pytest.mark.parametrize("headers", [BEARER, {}], ids=["token", "no token"])
@pytest.mark.parametrize("operation, mode", CASES)
def test_whatever_is_asked_the_answer_is_as_described(
    api: Api, operation: Operation, mode: GenerationMode, headers: dict[str, str]
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", api.client.application)
    described = schema[operation.path][operation.method.upper()]
    seen = set()

    @few
    @given(described.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        response = case.call_and_validate(headers=headers, checks=CHECKS)
        assert response.status_code < 500 or response.status_code in operation.answers
        seen.add(response.status_code)

    ask()
    if not headers and not operation.is_open:
        assert min(seen) >= 400
    if operation.body is CreateBody and headers and mode is GenerationMode.POSITIVE:
        assert 201 in seen  # or only refusals were looked at
