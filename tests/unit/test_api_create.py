"""`POST /api/kie/createTask`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.kie.report import NotNow, Refused, Unknown
from tests.support.api import BODY, Api, code_of, open_api


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def count(api: Api) -> int:
    return len(api.world.core.queries.page().items)


def test_an_accepted_task_is_201_with_its_task_id(api: Api) -> None:
    response = api.create()
    assert response.status_code == 201
    assert response.json["taskId"] == "task-1"
    assert response.headers["Location"] == f"/api/generations/{response.json['id']}"


def test_kind_and_prompt_are_told_by_the_request(api: Api) -> None:
    made = api.create().json
    assert (made["kind"], made["prompt"], made["family"]) == ("image", "a red kite", "market")


def test_a_kind_that_is_given_wins(api: Api) -> None:
    assert api.create(BODY | {"kind": "video"}).json["kind"] == "video"


def test_kie_hears_of_it_only_once_it_is_on_record(api: Api) -> None:
    seen: list[int] = []
    api.world.kie.on_create = lambda: seen.append(count(api))
    api.create()
    assert seen == [1]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NotNow("kie.rate_limited", "slow down"), "kie.rate_limited"),
        (NotNow("kie.unreachable", "no connection"), "kie.unreachable"),
        (Unknown("timeout"), "submit.unknown"),
    ],
)
def test_what_is_saved_but_not_submitted_is_202_and_says_why(
    api: Api, answer: Any, code: str
) -> None:
    api.world.kie.create_script = [answer]
    response = api.create()
    assert response.status_code == 202
    assert response.json["status"] == "queued"
    assert response.json["error"]["code"] == code


@pytest.mark.parametrize(
    ("kie_code", "status"),
    [(402, 402), (400, 422), (422, 422), (451, 422), (401, 502), (433, 502), (505, 502)],
)
def test_what_kie_refuses_is_an_error_with_the_id_of_the_failed_row(
    api: Api, kie_code: int, status: int
) -> None:
    api.world.kie.create_script = [Refused(kie_code, "KIE's words")]
    response = api.create()
    assert code_of(response) == (status, f"provider.{kie_code}")
    assert response.json["error"]["message"] == "KIE's words"
    row = api.world.core.queries.by_id(response.json["id"])
    assert row is not None and row.status == "failed"


def test_the_same_key_again_is_200_and_the_generation_as_it_is_now(api: Api) -> None:
    first = api.create(**{"Idempotency-Key": "k1"})
    again = api.create(**{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert len(api.world.kie.creates) == 1


def test_the_same_request_is_known_however_it_is_written(api: Api) -> None:
    api.create(**{"Idempotency-Key": "k1"})
    shuffled = json.dumps(dict(reversed(BODY.items())) | {"family": "market"}, indent=3)
    again = api.client.post(
        "/api/kie/createTask",
        data=shuffled,
        content_type="application/json; charset=utf-8",
        headers={"Idempotency-Key": "k1"},
    )
    assert again.status_code == 200


def test_the_same_key_with_another_request_is_409(api: Api) -> None:
    api.create(**{"Idempotency-Key": "k1"})
    other = api.create(BODY | {"userId": "u"}, **{"Idempotency-Key": "k1"})
    assert code_of(other) == (409, "idempotency.conflict")
    assert count(api) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there", "\xe9"])
def test_a_bad_idempotency_key_is_400(api: Api, key: str) -> None:
    assert code_of(api.create(**{"Idempotency-Key": key})) == (400, "idempotency.invalid")


@pytest.mark.parametrize("key", ["k", "k" * 255, "a key: with ~ all !"])
def test_any_printable_key_will_do(api: Api, key: str) -> None:
    assert api.create(**{"Idempotency-Key": key}).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"model": None},
        {"model": ""},
        {"model": " "},
        {"model": "m\n"},
        {"model": "m" * 201},
        {"model": 1},
        {"input": None},
        {"input": []},
        {"input": "text"},
        {"userId": ""},
        {"userId": "  "},
        {"userId": "u" * 129},
        {"userId": "u\x00"},
        {"userId": 7},
        {"kind": "film"},
        {"kind": ""},
        {"family": 1},
        {"callBackUrl": "https://elsewhere.test"},
        {"user_id": "u"},
        {"model": "half \ud800"},
        {"input": {"prompt": "half \ud800"}},
        {"userId": "half \ud800"},
    ],
)
def test_a_bad_body_is_400_and_nothing_is_saved(api: Api, change: dict[str, Any]) -> None:
    assert code_of(api.create(BODY | change)) == (400, "body.invalid")
    assert (count(api), api.world.kie.creates) == (0, [])


@pytest.mark.parametrize("missing", ["model", "input"])
def test_what_is_missing_is_named(api: Api, missing: str) -> None:
    response = api.create({name: value for name, value in BODY.items() if name != missing})
    assert code_of(response) == (400, "body.invalid")
    assert missing in response.json["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"model": "m", "input": {"x": NaN}}',
        b'{"model": "m", "input": {"x": 1e999}}',
        b"[" * 100_000,
        b'{"model": "m", "input": {"x": ' + b"9" * 5000 + b"}}",
    ],
)
def test_what_is_not_json_is_400(api: Api, body: bytes) -> None:
    response = api.client.post("/api/kie/createTask", data=body, content_type="application/json")
    assert code_of(response) == (400, "body.not_json")


@pytest.mark.parametrize("body", [[], "text", 1, True])
def test_json_that_is_no_object_is_400(api: Api, body: Any) -> None:
    response = api.client.post("/api/kie/createTask", json=body)
    assert code_of(response) == (400, "body.invalid")


def test_another_content_type_is_415(api: Api) -> None:
    response = api.client.post("/api/kie/createTask", data=json.dumps(BODY))
    assert code_of(response) == (415, "body.not_json")


@pytest.mark.parametrize(
    ("family", "code"), [("suno", "family.not_built"), ("nobody", "family.unknown")]
)
def test_a_family_that_cannot_be_used_is_400(api: Api, family: str, code: str) -> None:
    assert code_of(api.create(BODY | {"family": family})) == (400, code)


def padded(size: int) -> bytes:
    body = json.dumps(BODY).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize("length_known", [True, False])
@pytest.mark.parametrize(("size", "status"), [(1 << 20, 201), ((1 << 20) + 1, 413)])
def test_a_body_of_over_a_mebibyte_is_413(
    api: Api, size: int, status: int, length_known: bool
) -> None:
    environ = {} if length_known else {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    response = api.client.post(
        "/api/kie/createTask",
        data=padded(size),
        content_type="application/json",
        environ_overrides=environ,
    )
    assert response.status_code == status


def test_with_the_database_away_it_is_500_and_kie_is_not_called(api: Api) -> None:
    api.lose_database()
    assert code_of(api.create()) == (500, "store.unavailable")
    assert api.world.kie.creates == []


def test_a_prompt_may_hold_anything_that_json_can(api: Api) -> None:
    prompt = "nothing \x00 here"
    body = {"model": "flux-2/pro-text-to-image", "input": {"prompt": prompt, prompt: [prompt]}}
    response = api.create(body)
    assert response.status_code == 201
    assert response.json is not None
    assert api.client.get(f"/api/generations/{response.json['id']}").status_code == 200
