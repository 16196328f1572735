"""Every secret that can be configured, planted, and looked for in all that a run leaves behind."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr
from streamlit import config
from streamlit.testing.v1 import AppTest

from core.generation.model import Generation
from core.kie.client import KieClient, kie_http
from core.kie.credentials import callback_token, callback_url
from core.logs import OURS, JsonFormatter, TextFormatter
from core.settings import SECRETS, Settings
from core.signing import hmac_sha256
from dashboard.access.policy import Role
from dashboard.navigation import PLACES, to_task
from tests.support.api import BODY, Api, open_api, told
from tests.support.commands import run_command
from tests.support.dashboard import APP, PATIENCE_SECONDS, forget
from tests.support.databases import rows, sqlite_url
from tests.support.storage import AWAY, RemoteStorage

PLANTED = {name: f"planted/{name.replace('_', '-')}+7f" for name in SECRETS}
PROMPT = "a heron of glass that nobody may read"
LINK_SIGNATURE = "planted-link-signature"
LINK_PATH = "/private-path/a.png"
LINK = f"https://media.test{LINK_PATH}?X-Amz-Signature={LINK_SIGNATURE}&Expires=9"
PUBLIC = "http://127.0.0.1:8000"
TABLES = ("generations", "assets", "callbacks", "events", "processes", "refusals")


def test_every_secret_setting_is_planted() -> None:
    secret = {n for n, f in Settings.model_fields.items() if "SecretStr" in str(f.annotation)}
    assert secret == set(SECRETS) == set(PLANTED)


def test_the_values_that_nothing_may_show_are_all_of_them() -> None:
    url = "postgresql://us:p%40ss@host/db"
    chosen = Settings(
        _env_file=None,
        database_url=url,
        **{name: SecretStr(f"{value}, older") for name, value in PLANTED.items()},
    )
    assert {*PLANTED.values(), "older", "p%40ss", "p@ss"} <= set(chosen.secret_values)
    assert not [value for value in chosen.secret_values if value in repr(chosen)]


@dataclass
class Run:
    """A run of the product in one process, with the real client of KIE over a scripted wire."""

    api: Api
    wire: Wire
    storage: RemoteStorage

    def made(self) -> Generation:
        """A generation that KIE has just taken."""
        answer = self.api.create(BODY | {"input": {"prompt": PROMPT}})
        row = self.api.world.core.queries.by_id(answer.json["id"])
        assert row is not None
        return row


class Wire:
    """KIE: takes everything, and quotes back all that it was sent, as KIE does in `param`."""

    def __init__(self) -> None:
        self.refusal: httpx.Response | None = None
        self.urls: dict[str, str] = {}
        self.said: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/createTask"):
            sent = json.loads(request.content)
            if self.refusal is not None:
                return self.refusal
            task_id = f"task-{len(self.urls) + 1}"
            self.urls[task_id] = sent["callBackUrl"]
            return _answer({"taskId": task_id})
        if request.url.path.endswith("/recordInfo"):
            task_id = request.url.params["taskId"]
            return _answer({"taskId": task_id, **self.quoted(task_id), **self.said})
        return httpx.Response(422, json={"code": 422, "msg": f"no {LINK} {request.headers}"})

    def quoted(self, task_id: str) -> dict[str, Any]:
        """The request as KIE repeats it: JSON in JSON, spelled in several ways."""
        url = self.urls[task_id]
        inner = json.dumps({"prompt": PROMPT, "again": quote(url), "twice": quote(quote(url))})
        escaped = url.replace("&", "\\u0026").replace("=", "\\u003d")
        return {"param": json.dumps({"callBackUrl": url, "input": inner, "e": escaped})}


def _answer(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"code": 200, "msg": "success", "data": data})


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    wire, storage = Wire(), RemoteStorage(tmp_path / "bucket")
    with (
        open_api(
            tmp_path,
            sqlite_url(tmp_path),
            storage=storage,
            **{**PLANTED, "kie_base_url": "http://[::1]"},
        ) as api,
        kie_http("https://kie.test", transport=httpx.MockTransport(wire)) as http,
    ):
        client = KieClient(http, PLANTED["kie_api_key"])
        for name in ("create", "ask", "record", "download_url"):
            setattr(api.world.kie, name, getattr(client, name))
        api.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {PLANTED['api_token']}"
        yield Run(api, wire, storage)


def signed(run: Run, task_id: str) -> dict[str, str]:
    stamp = str(int(run.api.world.clock().timestamp()))
    mac = hmac_sha256(PLANTED["kie_webhook_hmac_key"], f"{task_id}.{stamp}")
    signature = base64.b64encode(mac).decode()
    return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": stamp}


def call_back(run: Run, task_id: str, body: Any, headers: dict[str, str]) -> Any:
    url = run.wire.urls[task_id].removeprefix(PUBLIC)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return run.api.client.post(url, data=data, headers=headers)


def live(run: Run) -> tuple[str, list[str]]:
    """Go through all that can happen; the answers of the API, and the secrets that came up."""
    world, client = run.api.world, run.api.client
    answers, secrets = [], [*PLANTED.values(), "jwt"]
    key = PLANTED["kie_api_key"]

    def note(generation: Generation) -> None:
        token = callback_token(PLANTED["kie_callback_secret"], generation.id)
        secrets.extend([token, signed(run, generation.task_id or "")["X-Webhook-Signature"]])

    # KIE refuses, and quotes what it was sent
    url = callback_url(PUBLIC, PLANTED["kie_callback_secret"], "quoted")
    secrets.append(callback_token(PLANTED["kie_callback_secret"], "quoted"))
    quoting = f"{url} Bearer {key} Authorization: Bearer {key} {key} {PROMPT} {LINK}"
    for status in (401, 422, 429, 500):
        for body in (json.dumps({"code": status, "msg": quoting}), f"<html>{quoting}</html>"):
            run.wire.refusal = httpx.Response(status, text=body)
            answers.append(run.api.create(BODY | {"input": {"prompt": PROMPT}}))
    run.wire.refusal = None
    world.clock.advance(3600)  # a 429 closes the window for all

    # media and storage that fail, in words and out of the blue
    run.wire.said = {"state": "success", "resultJson": json.dumps({"resultUrls": [LINK]})}
    failures: list[Any] = [
        httpx.Response(403, text=quoting),
        httpx.Response(302, headers={"Location": f"{LINK}&token={key}"}),
        httpx.ConnectError(quoting),
        RuntimeError(quoting),
    ]
    for failure in failures:
        generation = run.made()
        note(generation)
        world.media.answers[LINK_PATH] = lambda failure=failure: _raise(failure)
        world.clock.advance(60)
        world.advance(generation)
    world.media.answers.clear()
    run.storage.error = AWAY
    generation = run.made()
    world.finish("ignored", LINK_PATH[1:])
    world.clock.advance(60)
    world.advance(generation)

    # callbacks: good, doubled, refused, broken
    task_id = generation.task_id or ""
    note(generation)
    body = told(task_id, **run.wire.quoted(task_id), failMsg=quoting)
    for headers in (signed(run, task_id), signed(run, task_id), {}, signed(run, "task-0")):
        answers.append(call_back(run, task_id, body, headers))
    for broken in (json.dumps(body).encode()[:-1], quoting.encode(), b"\xff" + quoting.encode()):
        answers.append(call_back(run, task_id, broken, signed(run, task_id)))
    for planted in PLANTED.values():
        answers.append(run.api.call_back({"secret": planted, "generation": "x"}, body))
        answers.append(run.api.call_back({"token": planted, "generation": planted}, {planted: 1}))

    # and all's well that ends well
    run.storage.error = None
    world.clock.advance(3600)
    delivered = world.advance(generation)
    assert delivered.status == "success"
    secret_link = (delivered.asset_url or "").partition("sig=")[2]
    answers.append(client.get(f"/assets/nothing.png?sig={secret_link}x"))

    # what the API says of it
    answers += [client.get(path) for path in ("/api/health", "/api/ready", "/api/docs")]
    answers += [client.get("/api/openapi.json"), client.get("/api/debug/kie")]
    for name in ("/api/kie/sync", "/api/debug/kie"):
        answers += [client.get(name, query_string={"id": each.id}) for each in everything(run)]
    answers += [client.get("/api/generations", headers={"Authorization": f"Bearer {key}"})]
    answers += [client.get("/api/generations"), client.get(f"/api/generations?status={key}")]
    return "\n".join(answer.text for answer in answers), secrets


def _raise(failure: httpx.Response | Exception) -> httpx.Response:
    if isinstance(failure, Exception):
        raise failure
    return failure


def everything(run: Run) -> list[Generation]:
    return list(run.api.world.core.queries.page().items)


def leaks(text: str, secrets: list[str]) -> list[str]:
    """The secrets that stand in a text, as they are or percent-encoded."""
    spelled = {each: (each, quote(each, safe=""), json.dumps(each)[1:-1]) for each in secrets}
    return [each for each, ways in spelled.items() if any(way in text for way in ways)]


def said(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Every line, as the processes print it in both styles."""
    printed = [record for record in caplog.records if _is_printed(record)]
    for record in printed:
        record.exc_text = None  # as pytest's own formatter left it
    kinds = {"json": JsonFormatter, "text": TextFormatter}
    return {
        name: "\n".join(map(kind(tuple(PLANTED.values())).format, printed))
        for name, kind in kinds.items()
    }


def _is_printed(record: logging.LogRecord) -> bool:
    is_ours = record.name.partition(".")[0] in OURS
    return is_ours or record.levelno >= logging.WARNING


@contextmanager
def environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of other processes over the same folder."""
    settings = run.api.world.core.settings
    chosen = {"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir)}
    nobody = {"KIE_BASE_URL": "http://127.0.0.1:1", "PUBLIC_BASE_URL": "http://127.0.0.1:1"}
    planted = {name.upper(): value for name, value in PLANTED.items()}
    del planted["SUPABASE_SERVICE_ROLE_KEY"]  # else they would ask a bucket that is not there
    for name, value in (chosen | nobody | planted).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(settings.data_dir)
    forget()
    yield
    forget()


def test_secrets_are_nowhere(
    run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    answers, secrets = live(run)
    found = {"answers": leaks(answers, secrets)}
    url = run.api.world.core.settings.database
    for table in TABLES:
        kept = json.dumps(rows(url, f"SELECT * FROM {table}"), default=str, ensure_ascii=False)
        found[table] = leaks(kept, secrets)
    generation = everything(run)[0]
    with environment(run, monkeypatch):
        for command in ("status", "doctor", "export", "verify", f"diagnose {generation.id}"):
            ran = run_command(*command.split())
            assert ran.out or ran.err
            found[command] = leaks(ran.out + ran.err, secrets)
            found[f"{command} --json"] = leaks(
                "".join(run_command(*command.split(), "--json")[1:]) if command != "export" else "",
                secrets,
            )
    found |= {f"log, {style}": leaks(text, secrets) for style, text in said(caplog).items()}
    assert {place: names for place, names in found.items() if names} == {}
    check_log(caplog)
    check_events(url, delivered_by(run))


def check_log(caplog: pytest.LogCaptureFixture) -> None:
    """No prompt, and no whole address of KIE's; but an unexpected error may quote a prompt."""
    for text in said(caplog).values():
        assert "a step failed" in text
        assert PROMPT not in re.sub(r"RuntimeError: .*", "", text)
        assert [line for line in text.splitlines() if "private-path" in line] == []
        assert LINK_SIGNATURE not in text


def check_events(url: str, delivered: Generation) -> None:
    """A private file's URL is told without what opens it."""
    signature = (delivered.asset_url or "").partition("sig=")[2]
    kept = str(rows(url, "SELECT * FROM events"))
    assert (bool(signature), signature in kept, "sig=***" in kept) == (True, False, True)


def delivered_by(run: Run) -> Generation:
    return next(each for each in everything(run) if each.asset_url)


def test_secrets_are_on_no_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secrets = live(run)
    config.set_option("server.address", "127.0.0.1")
    places = [*((place, {}) for place in PLACES), to_task(everything(run)[0].id)]
    with environment(run, monkeypatch):
        for role in Role:
            for place, query in places:
                page = AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS)
                page.session_state["access_visitor"] = (role, "somebody")
                page.switch_page(place.file)
                page.query_params.update(query)
                page.run()
                assert page.title[0].value == place.title
                assert leaks(everything_on(page), secrets) == [], (role, place)


def everything_on(page: Any) -> str:
    """All that is sent to the browser."""
    return "\n".join(str(element.proto) for element in page.main) + "\n".join(
        str(element.proto) for element in page.sidebar
    )
