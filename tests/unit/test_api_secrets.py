"""No secret is found in any log, event, row, error or answer."""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from core.kie.credentials import callback_token
from core.logs import JsonFormatter
from core.signing import hmac_sha256
from tests.support.api import BODY, SECRET, Api, open_api, told

PLANTED = {
    "kie_webhook_hmac_key": "planted-hmac-key",
    "api_token": "planted-api-token",
    "kie_api_key": "planted-kie-key",
}
PROMPT = "a prompt that nobody else may read"


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url, **PLANTED) as opened:
        opened.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {PLANTED['api_token']}"
        yield opened


def dump(api: Api) -> str:
    with sqlite3.connect(api.world.core.settings.data_dir / "kie.db") as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return text


def lines(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(map(JsonFormatter().format, caplog.records))


def test_secrets_go_nowhere(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = api.create(BODY | {"input": {"prompt": PROMPT}}).json
    token = callback_token(SECRET, made["id"])
    stamp = str(int(api.world.clock().timestamp()))
    key = PLANTED["kie_webhook_hmac_key"]
    signature = base64.b64encode(hmac_sha256(key, f"task-1.{stamp}")).decode()
    headers = {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": stamp}
    secrets = [SECRET, token, signature, *PLANTED.values()]
    url = f"https://us.test/api/kie/callback?generation={made['id']}&token={token}"
    bodies = [
        told(param=json.dumps({"callBackUrl": url, "input": json.dumps({"x": quote(url)})})),
        told(state="fail", failMsg=f"secret={SECRET} {' '.join(secrets[3:])}"),
        told(**{f"header {number}": secret for number, secret in enumerate(secrets[3:])}),
    ]
    answers = [api.callback(made["id"], body, headers=headers) for body in bodies]
    answers += [api.callback(made["id"], body, token="forged") for body in bodies]
    answers += [api.call_back({"secret": secret}, bodies[0]) for secret in secrets]
    answers += [api.callback(made["id"], b"{" + url.encode(), headers=headers)]
    api.world.finish()
    query = {"id": made["id"]}
    answers += [
        api.client.get(path, query_string=query) for path in ("/api/kie/sync", "/api/debug/kie")
    ]
    told_all = "\n".join(answer.text for answer in answers)
    for secret in secrets:
        for spelling in (secret, quote(secret, safe="")):
            assert spelling not in dump(api)
            assert spelling not in lines(caplog)
            assert spelling not in told_all


def test_prompts_are_in_no_log_and_no_event(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = api.create(BODY | {"input": {"prompt": PROMPT}}).json
    api.create({"model": "m", "input": PROMPT})
    api.callback(made["id"], told(param=json.dumps({"input": {"prompt": PROMPT}})))
    api.world.finish()
    api.client.get("/api/kie/sync", query_string={"id": made["id"]})
    row = api.world.core.queries.by_id(made["id"])
    assert row is not None
    assert PROMPT not in lines(caplog)
    assert PROMPT not in str(api.world.core.queries.events_of(row))
