"""`POST /api/kie/callback`: what is let in, what is kept, and what changes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.kie.credentials import callback_token
from core.signing import hmac_sha256
from core.store.claims import Lane
from core.store.inbox import STRANGERS_BODY_BYTES, STRANGERS_PER_HOUR
from core.store.tables import refusals
from tests.support.api import SECRET, Api, code_of, open_api, told

HMAC_KEY = "the-hmac-key"


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
def signed(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(
        tmp_path,
        database_url=database_url,
        kie_webhook_hmac_key=f"{HMAC_KEY},older",
        api_token="t" * 20,
    ) as opened:
        yield opened


def signature(
    api: Api, task_id: str = "task-1", key: str = HMAC_KEY, age: int = 0
) -> dict[str, str]:
    timestamp = str(int(api.world.clock().timestamp()) - age)
    signature = base64.b64encode(hmac_sha256(key, f"{task_id}.{timestamp}")).decode()
    return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": timestamp}


def later(api: Api) -> Any:
    """A generation that is not due for a while."""
    due_at = api.world.clock.now.replace(year=2027)
    return api.world.row(api.world.add_submitted(due_at=due_at))


def test_a_callback_is_accepted_and_wakes_its_generation(api: Api) -> None:
    generation = later(api)
    response = api.callback(generation, told())
    assert (response.status_code, response.json) == (200, {"status": "accepted"})
    assert api.world.row(generation).due_at == api.world.clock()
    assert api.workers.nudges == [Lane.DELIVER]


def test_an_accepted_callback_leads_to_the_file(tmp_path: Path, database_url: str) -> None:
    with open_api(tmp_path, database_url, threads=True) as api:
        generation = later(api)
        api.world.finish()
        api.callback(generation, told())
        delivered = api.client.get("/api/kie/sync", query_string={"id": generation.id}).json
    assert (delivered["status"], delivered["deliveredVia"]) == ("success", "callback")


def test_the_shared_secret_opens_as_well(api: Api) -> None:
    generation = later(api)
    assert api.call_back({"secret": SECRET}, told()).status_code == 200
    assert api.kept(generation) == [("accepted", None)]


def test_the_same_again_is_200_and_wakes_nobody(api: Api) -> None:
    generation = later(api)
    api.callback(generation, told())
    api.world.core.store.claims.claim(generation.id, "mine")
    again = api.callback(generation, told())
    assert (again.status_code, again.json) == (200, {"status": "accepted"})
    assert api.kept(generation) == [("accepted", None), ("duplicate", None)]
    assert api.world.row(generation).due_at is None
    assert len(api.workers.nudges) == 1


def test_another_stage_of_the_same_task_is_no_duplicate(api: Api) -> None:
    generation = later(api)
    api.callback(generation, told(state="generating"))
    api.callback(generation, told())
    assert api.kept(generation) == [("accepted", None), ("accepted", None)]


def test_an_unknown_task_is_404_kept_and_matched_later(api: Api) -> None:
    response = api.call_back({"secret": SECRET}, told("task-1"))
    assert code_of(response) == (404, "task.unknown")
    created = api.create().json
    row = api.world.core.queries.by_id(created["id"])
    assert row is not None
    assert api.kept(row) == [("accepted", "matched.later")]


def test_an_unknown_generation_is_404_with_its_token_and_401_with_another(api: Api) -> None:
    assert code_of(api.callback("nobody", told())) == (404, "task.unknown")
    forged = api.callback("nobody", told(), token=callback_token(SECRET, "other"))
    assert code_of(forged) == (401, "credential.wrong")


def test_a_callback_before_the_task_id_is_saved_is_accepted(api: Api) -> None:
    generation = api.world.add(submit_started_at=api.world.clock())
    assert api.callback(generation, told("task-9")).status_code == 200
    assert api.world.row(generation).candidate_task_id == "task-9"


def test_a_token_of_one_generation_does_not_open_another_ones_task(api: Api) -> None:
    mine, other = later(api), api.world.add_submitted("task-2", due_at=None)
    response = api.callback(mine, told("task-2"))
    assert response.status_code == 200
    assert api.kept(mine) == [("accepted", "task.other")]
    assert (api.world.row(mine), api.world.row(other)) == (mine, other)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "credential.missing"),
        ({"generation": "{id}"}, "credential.missing"),
        ({"generation": "{id}", "token": ""}, "credential.missing"),
        ({"generation": "{id}", "token": "forged"}, "credential.wrong"),
        ({"generation": "{id}", "token": "\u00e9"}, "credential.wrong"),
        ({"secret": "wrong"}, "credential.wrong"),
        ({"token": callback_token(SECRET, "")}, "credential.wrong"),
        ({"secret": HMAC_KEY}, "credential.other_key"),
        ({"secret": "t" * 20}, "credential.other_key"),
    ],
)
def test_a_wrong_credential_is_401_and_changes_nothing(
    signed: Api, query: dict[str, str], code: str
) -> None:
    generation = later(signed)
    query = {name: value.replace("{id}", generation.id) for name, value in query.items()}
    response = signed.call_back(query, told(), headers=signature(signed))
    assert code_of(response) == (401, code)
    assert signed.kept(generation) == [("refused", code)]
    assert signed.world.row(generation) == generation


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body.not_json"),
        (b"{", "body.not_json"),
        (b"[" * 100_000, "body.not_json"),
        (b"null", "body.no_task_id"),
        (b"{}", "body.no_task_id"),
        (b'{"data": {"state": "success"}}', "body.no_task_id"),
        (b'{"data": {"taskId": "has a space"}}', "body.bad_task_id"),
        (b'{"data": {"taskId": ["x"]}}', "body.bad_task_id"),
    ],
)
def test_a_body_that_names_no_task_is_400_and_changes_nothing(
    api: Api, body: bytes, code: str
) -> None:
    generation = later(api)
    assert code_of(api.callback(generation, body)) == (400, code)
    assert api.kept(generation) == [("refused", code)]
    assert api.world.row(generation) == generation


def test_a_good_signature_lets_in(signed: Api) -> None:
    generation = later(signed)
    assert signed.callback(generation, told(), headers=signature(signed)).status_code == 200


def test_every_configured_key_verifies(signed: Api) -> None:
    headers = signature(signed, key="older")
    assert signed.callback(later(signed), told(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"X-Webhook-Signature": ""}, "signature.missing"),
        ({"X-Webhook-Timestamp": ""}, "signature.missing"),
        ({"X-Webhook-Signature": "not base64!"}, "signature.malformed"),
        ({"X-Webhook-Timestamp": "yesterday"}, "signature.malformed"),
        ({"X-Webhook-Signature": base64.b64encode(b"x" * 32).decode()}, "signature.wrong"),
    ],
)
def test_a_bad_signature_is_401_and_changes_nothing(
    signed: Api, changes: dict[str, str], code: str
) -> None:
    generation = later(signed)
    response = signed.callback(generation, told(), headers=signature(signed) | changes)
    assert code_of(response) == (401, code)
    assert signed.kept(generation) == [("refused", code)]
    assert signed.world.row(generation) == generation


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ({"task_id": "task-2"}, "signature.wrong"),
        ({"key": SECRET}, "signature.other_key"),
        ({"age": 301}, "signature.stale"),
        ({"age": -301}, "signature.stale"),
    ],
)
def test_a_signature_of_something_else_is_401(signed: Api, made: dict[str, Any], code: str) -> None:
    response = signed.callback(later(signed), told(), headers=signature(signed, **made))
    assert code_of(response) == (401, code)


@pytest.mark.parametrize("age", [300, -300])
def test_clocks_may_differ_by_five_minutes(signed: Api, age: int) -> None:
    headers = signature(signed, age=age)
    assert signed.callback(later(signed), told(), headers=headers).status_code == 200


def test_what_is_wrong_first_is_said_first(signed: Api) -> None:
    too_large = b"x" * ((1 << 20) + 1)
    assert signed.call_back({}, too_large).status_code == 413
    assert code_of(signed.call_back({}, b"{")) == (401, "credential.missing")
    assert code_of(signed.callback("nobody", b"{")) == (400, "body.not_json")
    assert code_of(signed.callback("nobody", told())) == (401, "signature.missing")


@pytest.mark.parametrize("length_known", [True, False])
def test_a_callback_of_over_a_mebibyte_is_413_and_only_said_to_have_come(
    api: Api, length_known: bool
) -> None:
    generation = later(api)
    environ = {} if length_known else {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    body = json.dumps(told()).encode().ljust((1 << 20) + 1)
    response = api.callback(generation, body, environ_overrides=environ)
    assert code_of(response) == (413, "body.too_large")
    assert api.kept(generation) == [("refused", "body.too_large")]
    assert api.world.row(generation) == generation


def test_a_callback_of_a_mebibyte_is_let_in(api: Api) -> None:
    body = json.dumps(told()).encode().ljust(1 << 20)
    assert api.callback(later(api), body).status_code == 200


@pytest.mark.parametrize("sent", [b"", b'{"code": 200}', b'{"code'])
def test_a_callback_that_ends_before_its_end_is_refused_unread(api: Api, sent: bytes) -> None:
    generation = later(api)
    cut = {"CONTENT_LENGTH": "999", "wsgi.input_terminated": True}
    response = api.callback(generation, sent, environ_overrides=cut)
    assert code_of(response) == (400, "body.cut")
    assert api.kept(generation) == [("refused", "body.cut")]
    assert api.world.row(generation) == generation


def test_of_a_refused_callback_little_is_kept(api: Api) -> None:
    generation = later(api)
    api.callback(generation, b"x" * 100_000, token="forged")
    (row,) = api.world.core.queries.callbacks_of(generation)
    assert len(row["body"].encode()) <= STRANGERS_BODY_BYTES


def test_a_refused_callback_is_found_by_the_task_that_it_names(api: Api) -> None:
    generation = later(api)
    api.call_back({"secret": "wrong"}, told())
    assert api.kept(generation) == [("refused", "credential.wrong")]


def test_refused_callbacks_are_kept_up_to_a_bound(api: Api) -> None:
    generation = later(api)
    were_before = {"hour": api.world.clock(), "reason": "any", "credential": False}
    with api.world.core.store.database.write() as connection:
        connection.execute(refusals.insert(), were_before | {"count": STRANGERS_PER_HOUR - 2})
    for _ in range(5):
        api.callback(generation, told(), token="forged")
    assert len(api.kept(generation)) == 2
    api.callback(generation, b"{")  # with a right credential there is still room
    assert len(api.kept(generation)) == 3


def test_credentials_are_masked_before_anything_is_kept(api: Api) -> None:
    generation = later(api)
    token = callback_token(SECRET, generation.id)
    param = json.dumps({"callBackUrl": f"https://us.test/api/kie/callback?token={token}"})
    api.callback(generation, told(param=param), headers={"X-Webhook-Signature": "abc"})
    (row,) = api.world.core.queries.callbacks_of(generation)
    assert token not in row["body"]
    assert row["headers"]["x-webhook-signature"] == "(present)"


def test_a_finished_generation_stays_as_it_is(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish()
    delivered = api.world.advance(generation)
    assert api.callback(generation, told(state="fail")).status_code == 200
    assert api.world.row(generation) == delivered


def test_with_the_database_away_it_is_503(api: Api) -> None:
    api.lose_database()
    response = api.callback("nobody", told())
    assert code_of(response) == (503, "store.unavailable")
    assert response.headers["Retry-After"]


def test_a_callback_leaves_one_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    api.callback(later(api), told())
    (line,) = [record for record in caplog.records if record.name == "webhook.callback"]
    assert (line.event, line.task, line.stage, line.verdict) == (
        "callback.received",
        "task-1",
        "success",
        "accepted",
    )


def test_a_task_found_in_kies_log_can_be_named_by_hand(api: Api) -> None:
    generation = api.world.add(submit_started_at=api.world.clock(), due_at=None)
    api.world.finish("task-9")
    response = api.call_back({"secret": SECRET, "generation": generation.id}, {"taskId": "task-9"})
    assert response.status_code == 200
    assert api.world.advance(generation).status == "success"
