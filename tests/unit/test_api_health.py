"""`/api/health` and `/api/ready`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Api, open_api
from tests.support.databases import give_back, take_away
from tests.support.world import World
from webhook.worker import heartbeat


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        opened.world.core.store.processes.started("poller")
        yield opened


def ready(api: Api) -> tuple[int, dict[str, str]]:
    response = api.client.get("/api/ready")
    assert response.json["status"] == ("ready" if response.status_code == 200 else "not_ready")
    return response.status_code, response.json["checks"]


def test_all_is_well(api: Api) -> None:
    assert ready(api) == (200, {"database": "ok", "poller": "ok", "storage": "ok"})


@pytest.mark.parametrize(
    ("seconds", "status", "line"),
    [(30, 200, "ok"), (31, 503, "silent for 31 s")],
)
def test_a_poller_that_is_silent_is_stale(api: Api, seconds: int, status: int, line: str) -> None:
    api.world.clock.advance(seconds)
    code, checks = ready(api)
    assert (code, checks["poller"]) == (status, line)


def test_a_poller_that_never_started_is_missed(tmp_path: Path, database_url: str) -> None:
    with open_api(tmp_path, database_url) as api:
        code, checks = ready(api)
    assert (code, checks["poller"]) == (503, "never started")


def test_storage_that_cannot_be_written_is_told(api: Api) -> None:
    api.world.core.settings.assets_dir.write_text("a file where the folder should be")
    code, checks = ready(api)
    assert (code, checks["storage"], checks["database"]) == (503, "cannot be written", "ok")


def test_a_database_that_is_away_is_told(api: Api) -> None:
    api.lose_database()
    code, checks = ready(api)
    assert (code, checks["database"], checks["storage"]) == (503, "cannot be written", "ok")


def test_strangers_who_ask_make_storage_be_asked_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    storage = api.world.core.storage
    monkeypatch.setattr(storage, "check", lambda: asked.append(1))
    assert [ready(api)[0] for _ in range(40)] == [200] * 40
    assert len(asked) < 40


def test_health_needs_no_database(api: Api) -> None:
    api.lose_database()
    response = api.client.get("/api/health")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_a_worker_process_says_that_it_lives(world: World) -> None:
    beat = heartbeat(world.core.store)
    beat()
    assert world.core.queries.beat_at("web") == world.clock()
    world.clock.advance(5)
    beat()
    assert world.core.queries.beat_at("web") == world.clock()


def test_worker_processes_beat_as_one(world: World) -> None:
    beats = [heartbeat(world.core.store) for _ in range(2)]
    for beat in [*beats, *beats]:
        world.clock.advance(1)
        beat()
    assert world.core.queries.beat_at("web") == world.clock()


def test_a_worker_process_begins_to_beat_once_there_is_a_database(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    beat = heartbeat(world.core.store)
    take_away(world.core.settings.database)
    beat()
    give_back(world.core.settings.database)
    beat()
    assert world.core.queries.beat_at("web") == world.clock()
    lines = [record for record in caplog.records if record.name == "webhook.worker"]
    assert [(line.levelno, line.exc_info) for line in lines] == [(logging.WARNING, None)]
