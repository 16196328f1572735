"""`GET /api/debug/kie`: everything known, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.kie.report import AskFailed
from tests.support.api import Api, code_of, open_api, told
from tests.support.fake_kie import report


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def test_a_delivered_generation_is_shown_in_every_respect(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish()
    api.callback(generation, told())
    api.world.advance(generation)
    shown = api.client.get("/api/debug/kie", query_string={"taskId": "task-1"}).json
    assert set(shown) == {"generation", "kie", "storage", "callbacks", "events", "diagnosis"}
    assert shown["generation"]["id"] == generation.id
    assert shown["kie"]["state"] == "success"
    assert [file["foundBytes"] == file["sizeBytes"] for file in shown["storage"]["files"]] == [True]
    assert [callback["verdict"] for callback in shown["callbacks"]] == ["accepted"]
    assert shown["events"][0]["name"] == "generation.created"
    assert shown["diagnosis"]["verdict"] == "delivered"


def test_kie_away_is_a_fact_and_not_an_error(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.kie.will_say("task-1", AskFailed("kie.unauthorized", "401"))
    shown = api.client.get("/api/debug/kie", query_string={"id": generation.id}).json
    assert shown["kie"] == {"error": {"code": "kie.unauthorized", "message": "401"}}
    assert shown["diagnosis"]["severity"] == "error"


def test_storage_away_is_a_fact_and_not_an_error(api: Api) -> None:
    generation = api.world.add_submitted()
    api.world.finish()
    api.world.advance(generation)
    folder = api.world.core.settings.assets_dir
    folder.rename(folder.with_name("lost"))
    folder.write_text("a file where the folder was")
    response = api.client.get("/api/debug/kie", query_string={"id": generation.id})
    assert response.status_code == 200
    assert response.json["storage"]["problem"]


def test_a_generation_without_a_task_is_not_asked_about(api: Api) -> None:
    generation = api.world.add()
    shown = api.client.get("/api/debug/kie", query_string={"id": generation.id}).json
    assert (shown["kie"], api.world.kie.asks) == (None, [])


def test_where_nobody_may_wait_kie_is_not_asked(api: Api) -> None:
    generation = api.world.add_submitted()
    with api.waiting.turn(1), api.waiting.turn(1):
        shown = api.client.get("/api/debug/kie", query_string={"id": generation.id}).json
    assert (shown["kie"], api.world.kie.asks) == (None, [])


def test_without_an_id_the_ten_newest_are_diagnosed_from_what_is_recorded(api: Api) -> None:
    for number in range(12):
        newest = api.world.add_submitted(f"task-{number}")
    api.world.kie.will_say("task-11", report())
    shown = api.client.get("/api/debug/kie").json
    assert len(shown["generations"]) == 10
    assert shown["generations"][0]["generation"]["id"] == newest.id
    assert shown["generations"][0]["diagnosis"]["summary"]
    assert api.world.kie.asks == []


def test_an_unknown_one_is_404(api: Api) -> None:
    response = api.client.get("/api/debug/kie", query_string={"id": "nobody"})
    assert code_of(response) == (404, "generation.not_found")


def test_both_ids_are_400(api: Api) -> None:
    response = api.client.get("/api/debug/kie", query_string={"id": "a", "taskId": "b"})
    assert code_of(response) == (400, "query.invalid")


def test_with_the_database_away_it_is_503(api: Api) -> None:
    api.lose_database()
    assert code_of(api.client.get("/api/debug/kie")) == (503, "store.unavailable")
