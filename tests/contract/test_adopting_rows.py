"""What becomes of the rows of an adopted table, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.generation.model import Generation, Status
from core.store.adopting.addresses import reader
from core.store.migrate import turn_to_migrate
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.retention import Retention
from core.store.rollup import Rollup
from tests.support.historic import HOUR, NOW, OURS, USER, adopt_table, build, insert
from tests.support.postgres import Postgres, query
from tests.support.world import MEDIA, open_world

DAY = timedelta(days=1)
STORED = OURS[1] + "a/1.png"
THEIRS, SECOND = "https://kie.test/1.png", "https://kie.test/2.png"
OLD = {"created_at": NOW - 14 * DAY, "updated_at": NOW}
YOUNG = {"created_at": NOW - 14 * DAY + HOUR, "updated_at": NOW}


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A database with an old table that has no rows yet, and no rules for what they say."""
    made = postgres.create()
    build(made, "all, with stray columns", rows=False)
    yield made
    postgres.drop(made)


def adopted(url: str, *ids: str) -> list[Generation]:
    """The generations that rows have become."""
    adopt_table(url)
    return [found(url, one) for one in ids]


def found(url: str, generation_id: str) -> Generation:
    database = open_database(url, connections=2)
    generation = Queries(database).by_id(generation_id)
    database.close()
    assert generation is not None
    return generation


def events(url: str, generation_id: str) -> list[dict[str, Any]]:
    statement = "SELECT name, detail FROM events WHERE generation_id = %s ORDER BY id"
    return query(url, statement, [generation_id])


def column(url: str, name: str, generation_id: str) -> Any:
    (row,) = query(url, f"SELECT {name} AS it FROM generations WHERE id = %s", [generation_id])
    return row["it"]


@pytest.mark.parametrize("word", ["completed", "success", "succeeded", "Completed ", "done"])
def test_every_word_for_success_with_a_file_of_ours_is_success(url: str, word: str) -> None:
    (row,) = adopted(url, insert(url, status=word, asset_url=STORED))
    assert row.status is Status.SUCCESS
    assert (row.asset_url, row.due_at, row.error_code) == (STORED, None, None)


def test_a_file_of_ours_is_listed_as_stored_when_it_was_completed(url: str) -> None:
    (row,) = adopted(url, insert(url, asset_url=STORED, completed_at=NOW - DAY))
    (asset,) = row.assets
    assert (asset.url, asset.stored_at, asset.sha256) == (STORED, NOW - DAY, None)
    assert row.delivered_at == NOW - DAY


def test_files_of_ours_are_found_in_the_results_too(url: str) -> None:
    urls = [OURS[1] + "a/1.png", OURS[1] + "a/2.png"]
    first, second = adopted(
        url,
        insert(url, result_urls=urls, task_id=None),
        insert(url, results=[{"url": url} for url in urls], task_id=None),
    )
    for row in (first, second):
        assert [asset.url for asset in row.assets] == urls
        assert (row.status, row.asset_url) == (Status.SUCCESS, urls[0])


def test_an_open_word_over_a_file_of_ours_is_a_stale_one(url: str) -> None:
    (row,) = adopted(url, insert(url, status="generating", asset_url=STORED))
    assert row.status is Status.SUCCESS


@pytest.mark.parametrize("asset_url", [None, "", "not a url"])
def test_a_young_success_that_names_no_file_is_asked_about(url: str, asset_url: str | None) -> None:
    (row,) = adopted(url, insert(url, asset_url=asset_url, **YOUNG))
    assert (row.status, row.asset_url, row.assets) == (Status.GENERATING, None, ())
    assert row.due_at == NOW


@pytest.mark.parametrize("asset_url", [None, THEIRS])
def test_a_young_success_is_delivered_by_what_kie_says_now(
    url: str, tmp_path: Path, asset_url: str | None
) -> None:
    adopted_id = insert(url, asset_url=asset_url, task_id="task-1")
    adopt_table(url)
    with open_world(tmp_path, url) as world:
        world.clock.now = NOW
        world.finish("task-1")
        row = world.advance(found(url, adopted_id))
    assert row.status is Status.SUCCESS
    assert row.asset_url is not None
    assert row.asset_url.startswith(OURS[0])


@pytest.mark.parametrize("task", [None, "task-1"])
def test_a_young_success_is_copied_from_where_it_says(url: str, task: str | None) -> None:
    (row,) = adopted(url, insert(url, task_id=task, result_urls=[THEIRS, SECOND], **YOUNG))
    assert [asset.source_url for asset in row.assets] == [THEIRS, SECOND]
    assert {asset.is_wanted for asset in row.assets} == {True}
    assert (row.status, row.asset_url, row.due_at) == (Status.GENERATING, None, NOW)


def test_a_copy_of_the_first_file_is_no_file_more(url: str) -> None:
    copy = "https://copies.test/1.png"
    (row,) = adopted(url, insert(url, asset_url=copy, result_urls=[THEIRS, SECOND]))
    assert [asset.source_url for asset in row.assets] == [copy, SECOND]


@pytest.mark.parametrize("word", ["completed", "pending"])
def test_what_nobody_can_be_asked_about_is_copied(url: str, word: str) -> None:
    (row,) = adopted(url, insert(url, status=word, task_id=None, result_urls=[THEIRS], **YOUNG))
    assert (row.status, len(row.assets), row.due_at) == (Status.GENERATING, 1, NOW)


@pytest.mark.parametrize("task", [None, "a task that KIE does not know"])
def test_what_is_copied_is_delivered_in_the_end(url: str, tmp_path: Path, task: str | None) -> None:
    adopted_id = insert(url, result_url=f"{MEDIA}/a.png", task_id=task, **YOUNG)
    adopt_table(url)
    with open_world(tmp_path, url) as world:
        world.clock.now = NOW
        world.finish("any")
        row = world.advance(found(url, adopted_id))
    assert row.status is Status.SUCCESS
    assert row.error_code is None


def test_an_old_success_without_a_file_of_ours_is_gone(url: str) -> None:
    (row,) = adopted(url, insert(url, asset_url=THEIRS, **OLD))
    assert (row.status, row.error_code) == (Status.FAILED, "media.gone")
    assert (row.gave_up_at, row.due_at, row.asset_url) == (NOW, None, None)
    assert row.result_urls == (THEIRS,)
    assert [event["name"] for event in events(url, row.id)] == ["generation.gave_up"]


def test_what_is_gone_keeps_its_history_and_is_not_fetched(url: str) -> None:
    long_ago = {"created_at": NOW - 200 * DAY, "updated_at": NOW - 200 * DAY}
    (row,) = adopted(url, insert(url, asset_url=THEIRS, **long_ago))
    (asset,) = row.assets
    assert (asset.source_url, asset.error_code, row.wanted) == (THEIRS, "media.gone", None)
    prune(url)
    assert [event["name"] for event in events(url, row.id)] == ["generation.gave_up"]


def test_what_adopting_told_is_not_pruned_at_once(url: str) -> None:
    long_ago = {"created_at": NOW - 200 * DAY, "updated_at": NOW - 200 * DAY}
    (row,) = adopted(url, insert(url, status="generating", **long_ago))
    prune(url)
    assert [event["name"] for event in events(url, row.id)] == ["generation.gave_up"]


def prune(url: str) -> None:
    database = open_database(url, connections=2)
    Retention(database, lambda: NOW + DAY, 90 * DAY, pause=lambda seconds: None).prune()
    database.close()


def test_what_was_completed_later_is_not_old_yet(url: str) -> None:
    (row,) = adopted(url, insert(url, **OLD, completed_at=NOW - 14 * DAY + HOUR))
    assert row.status is Status.GENERATING


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", Status.QUEUED),
        ("queued", Status.QUEUED),
        (None, Status.QUEUED),
        ("", Status.QUEUED),
        ("processing", Status.GENERATING),
        ("generating", Status.GENERATING),
        ("upscaling; DROP TABLE", Status.GENERATING),
    ],
)
def test_a_young_open_row_is_asked_about(url: str, word: str | None, status: Status) -> None:
    (row,) = adopted(url, insert(url, status=word, **YOUNG))
    assert (row.status, row.due_at, row.error_code) == (status, NOW, None)
    assert events(url, row.id) == [{"name": "generation.adopted", "detail": {"was": word or None}}]


def test_an_old_open_row_is_closed_without_asking(url: str) -> None:
    (row,) = adopted(url, insert(url, status="processing", **OLD))
    assert (row.status, row.error_code) == (Status.FAILED, "provider.timeout")
    assert (row.gave_up_at, row.due_at) == (NOW, None)


def test_an_open_row_without_a_task_is_closed(url: str) -> None:
    (row,) = adopted(url, insert(url, status="queued", task_id=" "))
    assert (row.status, row.error_code, row.task_id) == (Status.FAILED, "submit.unknown", None)
    assert row.due_at is None


@pytest.mark.parametrize("word", ["failed", "error"])
def test_a_failure_stays_one_with_its_reason(url: str, word: str) -> None:
    first, second, third = adopted(
        url,
        insert(url, status=word, error="no such style", asset_url=THEIRS, task_id="1"),
        insert(url, status=word, error_message="out of credits", task_id="2"),
        insert(url, status=word, task_id="3"),
    )
    assert {row.error_code for row in (first, second, third)} == {"provider.failed"}
    assert (first.error, second.error) == ("no such style", "out of credits")
    assert third.error
    assert first.asset_url is None


def test_what_was_cancelled_is_not_kies_failure(url: str) -> None:
    (row,) = adopted(url, insert(url, status="cancelled"))
    assert (row.status, row.error_code) == (Status.FAILED, "operator.gave_up")
    assert row.due_at is None


def test_what_is_asked_about_is_spread_over_an_hour_by_what_dies_first(url: str) -> None:
    ids = [insert(url, task_id=f"t{day}", created_at=NOW - day * DAY) for day in range(1, 8)]
    rows = adopted(url, *ids)
    gaps = [row.due_at - NOW for row in rows if row.due_at]
    assert gaps == [HOUR - number * HOUR / 6 for number in range(7)]


@pytest.mark.parametrize(
    ("further", "others"),
    [
        ({"asset_url": STORED}, {"status": "completed"}),
        ({"status": "completed"}, {"status": "generating"}),
        ({"status": "generating"}, {"status": "pending"}),
        ({"status": "pending"}, {"status": "failed"}),
        ({"created_at": NOW}, {"created_at": NOW - HOUR}),
    ],
    ids=lambda columns: " ".join(map(str, columns.values())),
)
def test_of_one_task_the_row_that_is_further_keeps_it(
    url: str, further: dict[str, Any], others: dict[str, Any]
) -> None:
    loser, keeper = insert(url, **others), insert(url, **further)
    lost, kept = adopted(url, loser, keeper)
    assert (lost.task_id, kept.task_id) == (None, "task-1")
    conflict = {
        "told": "task-1",
        "why": "another generation has this task id",
        "generation": keeper,
    }
    assert {"name": "task_id.conflict", "detail": conflict} in events(url, loser)


def test_what_was_overwritten_is_kept_beside_it(url: str) -> None:
    results = [{"url": THEIRS, "width": 512}]
    old = insert(url, asset_url=THEIRS, result_urls=results, error="no preview", preview_url=THEIRS)
    adopt_table(url)
    assert column(url, "before_adoption", old) == {
        "status": "completed",
        "asset_url": THEIRS,
        "result_urls": results,
        "error": "no preview",
        "preview_url": THEIRS,
        "kind": None,
    }


def test_who_made_it_of_what_is_known(url: str) -> None:
    by_key, by_name = adopted(
        url,
        insert(url, model_key="kling_26", kind="video", options={"duration": "5"}, task_id="1"),
        insert(url, model_id=" ", model_name="FLUX", type="product", params={"seed": 1}),
    )
    assert (by_key.model, by_key.kind, by_key.family) == ("kling_26", "video", "market")
    assert by_key.input == {"prompt": "a red house", "duration": "5"}
    assert (by_name.model, by_name.kind, by_name.user_id) == ("FLUX", "image", USER)
    assert by_name.input == {"prompt": "a red house", "seed": 1}


@pytest.mark.parametrize(
    "results",
    [
        *(None, {}, [], "x", 7, "[", '{"a": \\u0000}', "[" * 50_000, [None, 5, {"width": 1}]),
        {"url": "javascript:alert(1)"},
        {"param": {"image_urls": [THEIRS]}, "thumbnail": THEIRS},
        json.loads("[" * 50 + f'"{THEIRS}"' + "]" * 50),
    ],
    ids=lambda results: str(results)[:20],
)
def test_results_without_a_url_are_none(url: str, results: Any) -> None:
    made = insert(url, status="failed")
    query(url, "UPDATE generations SET results = %s::jsonb", [json.dumps(results)])
    assert adopted(url, made)[0].result_urls == ()


@pytest.mark.parametrize(
    "results",
    [
        *(THEIRS, [THEIRS, THEIRS], [[THEIRS]], f'["{THEIRS}"]', json.dumps(f'["{THEIRS}"]')),
        *({"url": THEIRS}, {"resultUrls": [THEIRS]}, {"result_urls": [THEIRS]}),
        *([{"videoUrl": THEIRS}], [{"image_url": THEIRS}], {"1": {"any": THEIRS}}),
        {"data": {"resultUrls": [THEIRS], "resultWaterMarkUrls": [SECOND]}},
        {"param": {"image_urls": [SECOND]}, "resultJson": json.dumps({"resultUrls": [THEIRS]})},
        {"data": [{"imageUrl": SECOND, "audioUrl": THEIRS, "streamAudioUrl": SECOND}]},
        [{"thumbnail": SECOND, "url": THEIRS}],
    ],
    ids=str,
)
def test_results_are_found_in_every_shape(url: str, results: Any) -> None:
    made = insert(url, status="failed")
    query(url, "UPDATE generations SET results = %s::jsonb", [json.dumps(results)])
    assert adopted(url, made)[0].result_urls == (THEIRS,)


@pytest.mark.parametrize("name", ["video_url", "audio_url", "image_url"])
def test_a_column_for_one_kind_of_file_is_read_where_nothing_else_is(url: str, name: str) -> None:
    query(url, "ALTER TABLE generations ADD COLUMN video_url text")
    alone, beside, is_open = adopted(
        url,
        insert(url, **{name: STORED}, task_id="1", **OLD),
        insert(url, **{name: STORED}, result_url=THEIRS, task_id="2"),
        insert(url, **{name: STORED}, status="pending", task_id="3"),
    )
    assert (alone.status, alone.asset_url) == (Status.SUCCESS, STORED)
    assert [asset.source_url for asset in beside.assets] == [THEIRS]
    assert (is_open.status, is_open.assets) == (Status.QUEUED, ())


def test_the_cover_of_a_song_is_not_the_song(url: str) -> None:
    (row,) = adopted(url, insert(url, type="audio", image_url=STORED))
    assert (row.status, row.assets) == (Status.GENERATING, ())


def test_a_url_in_a_short_column_is_found(url: str) -> None:
    query(url, "ALTER TABLE generations ALTER result_url TYPE varchar(255)")
    assert adopted(url, insert(url, result_url=STORED, **OLD))[0].asset_url == STORED


def test_the_function_that_reads_them_is_gone_afterwards(url: str) -> None:
    with turn_to_migrate(url) as connection:
        with reader(connection):
            assert connection.exec_driver_sql(
                "SELECT pg_temp.adopted_urls(to_jsonb('https://a.test/1'::text), 0)"
            ).scalar() == ["https://a.test/1"]
        found = connection.exec_driver_sql("SELECT FROM pg_proc WHERE proname = 'adopted_urls'")
        assert found.all() == []


@pytest.mark.parametrize("when", [None, "infinity", "0001-01-01", NOW + 365 * DAY])
def test_a_time_that_cannot_be_is_left_out(url: str, when: datetime | str | None) -> None:
    (row,) = adopted(url, insert(url, created_at=when, updated_at=NOW - HOUR, completed_at=when))
    assert row.created_at == NOW - HOUR


@pytest.mark.parametrize("provider", ["kie", "KIE", None, "", "upstream", "kie_market"])
def test_rows_of_kie_are_known_by_every_name_it_had(url: str, provider: str | None) -> None:
    (row,) = adopted(url, insert(url, provider=provider))
    assert row.provider == "kie"


def test_rows_of_other_providers_are_untouched(url: str) -> None:
    for task in ("shared", "shared", None):
        insert(url, provider="fal", status="IN_QUEUE", task_id=task, **OLD)
    statement = "SELECT to_jsonb(g) AS row FROM generations g ORDER BY id"
    before = query(url, statement)
    adopt_table(url)
    for old, new in zip(before, query(url, statement), strict=True):
        assert old["row"].items() <= new["row"].items()
        assert new["row"]["before_adoption"] is None
    assert query(url, "SELECT FROM events") == []


@pytest.mark.parametrize("provider", ["kie", None])
def test_rows_that_only_a_default_called_kies_are_fals(url: str, provider: str | None) -> None:
    made = insert(url, provider=provider, fal_request_id="f1", task_id="", status="IN_QUEUE", **OLD)
    kies = insert(url, provider=provider, fal_request_id="f2", **OLD)
    told = adopt_table(url)
    statement = "SELECT provider, status, before_adoption FROM generations WHERE id = %s"
    before = {"provider": provider}
    assert query(url, statement, [made]) == [
        {"provider": "fal", "status": "IN_QUEUE", "before_adoption": before}
    ]
    assert found(url, kies).provider == "kie"
    assert "rows of fal's that only a default called KIE's, now provider 'fal': 1" in told


def test_without_a_column_for_the_provider_fals_rows_are_known_too(url: str) -> None:
    made = insert(url, fal_request_id="f1", task_id=None, **OLD)
    query(url, "ALTER TABLE generations DROP COLUMN provider")
    adopt_table(url)
    assert column(url, "provider", made) == "fal"
    assert column(url, "before_adoption", made) is None


def test_what_is_adopted_is_listed_and_counted(url: str) -> None:
    ids = {
        insert(url, asset_url=STORED, task_id=None, created_at=NOW - age)
        for age in (HOUR, 3 * HOUR, 3 * HOUR)
    }
    insert(url, provider="fal")
    adopt_table(url)
    database = open_database(url, connections=2)
    assert {item.id for item in Queries(database).page().items} == ids
    assert Rollup(database, lambda: NOW).fold() == 2
    database.close()
    counted = query(url, "SELECT generations, files FROM cohorts ORDER BY hour")
    assert counted == [{"generations": 2, "files": 2}, {"generations": 1, "files": 1}]
