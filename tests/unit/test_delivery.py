"""The engine, from a new row to a stored file, and through everything that can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import StorageError, StoreUnavailableError
from core.generation.model import Channel, Generation
from core.kie.report import (
    Accepted,
    AskFailed,
    NotNow,
    Refused,
    ResultFile,
    Unknown,
)
from core.store.claims import Lane
from tests.support.fake_kie import report
from tests.support.media import answer_with, png, refuse_connection
from tests.support.world import MEDIA, World, open_world


def delivered(world: World, **fields: object) -> Generation:
    world.finish()
    return world.advance(world.add_submitted(**fields))


def test_a_generation_is_submitted_asked_about_and_stored(world: World) -> None:
    generation = world.add()
    submitted = world.advance(generation)
    assert (submitted.task_id, submitted.status) == ("task-1", "queued")
    world.finish()
    world.clock.advance(20)
    done = world.advance(generation)
    assert done.status == "success"
    assert done.asset_url == f"http://127.0.0.1:8000/assets/{done.assets[0].path}"
    assert world.stored() == {done.assets[0].path: world.media.files["/a.png"]}


def test_nothing_happens_before_a_generation_is_due(world: World) -> None:
    generation = world.add(due_at=world.clock() + timedelta(seconds=1))
    assert world.core.delivery.advance(generation.id, Channel.POLL) is None
    assert world.kie.creates == []


def test_the_row_says_submitting_before_kie_hears_of_it(world: World) -> None:
    generation = world.add()
    seen: list[Generation] = []
    world.kie.on_create = lambda: seen.append(world.row(generation))
    world.advance(generation)
    assert seen[0].submit_started_at is not None
    assert seen[0].task_id is None


def test_a_submission_that_died_in_between_is_never_sent_again(world: World) -> None:
    generation = world.add(submit_started_at=world.clock())
    waiting = world.advance(generation)
    assert world.kie.creates == []
    assert (waiting.status, waiting.error_code) == ("queued", "submit.unknown")


def test_an_unknown_submission_is_given_up_in_time_without_being_sent(world: World) -> None:
    world.kie.create_script = [Unknown("timeout")]
    generation = world.add()
    world.advance(generation)
    world.clock.advance(24 * 3600)
    ended = world.advance(generation)
    assert (ended.status, ended.error_code) == ("failed", "submit.unknown")
    assert len(world.kie.creates) == 1


@pytest.mark.parametrize("code", ["kie.rate_limited", "kie.unavailable", "kie.unreachable"])
def test_a_refusal_for_now_is_sent_again_within_a_minute(world: World, code: str) -> None:
    world.kie.create_script = [NotNow(code, "later"), Accepted("task-9")]
    generation = world.add()
    waiting = world.advance(generation)
    assert (waiting.error_code, waiting.submit_started_at) == (code, None)
    world.clock.advance(60)
    assert world.advance(generation).task_id == "task-9"


def test_a_refusal_for_good_fails_with_kies_words(world: World) -> None:
    world.kie.create_script = [Refused(402, "Insufficient credits")]
    failed = world.advance(world.add())
    assert (failed.status, failed.error_code) == ("failed", "provider.402")
    assert failed.error == "Insufficient credits"


def test_kies_429_closes_the_window_for_everybody(world: World) -> None:
    world.kie.create_script = [NotNow("kie.rate_limited", "slow down"), Accepted("task-2")]
    world.advance(world.add())
    second = world.advance(world.add())
    assert second.error_code == "submit.rate_limited"
    assert len(world.kie.creates) == 1


def test_the_21st_create_waits_for_the_window(world: World) -> None:
    rows = [world.advance(world.add()) for _ in range(21)]
    assert [row.task_id is None for row in rows] == [False] * 20 + [True]
    world.clock.advance(10.5)
    assert world.advance(rows[20]).task_id == "task-21"


def test_a_task_id_is_saved_even_when_the_lease_was_lost_meanwhile(world: World) -> None:
    generation = world.add()
    world.kie.on_create = lambda: take_over(world, generation)
    world.core.delivery.advance(generation.id, Channel.POLL)
    assert world.row(generation).task_id == "task-1"


def take_over(world: World, generation: Generation) -> None:
    world.clock.advance(61)
    assert world.core.store.claims.claim(generation.id, "usurper") is not None


def test_a_late_holder_changes_nothing_else(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    world.kie.on_ask = lambda: take_over(world, generation)
    assert world.core.delivery.advance(generation.id, Channel.POLL) is None
    row = world.row(generation)
    assert (row.lease_token, row.provider_state, row.crashes) == ("usurper", None, 1)
    assert world.stored() == {}


def test_a_late_holder_stores_nothing_of_what_was_deleted_meanwhile(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    storage = world.core.storage
    put = storage.put

    def put_late(*args: Any) -> None:
        take_over(world, generation)
        world.core.store.generations.delete(generation.id, "usurper")
        put(*args)

    storage.put = put_late  # type: ignore[method-assign]
    assert world.core.delivery.advance(generation.id, Channel.POLL) is None
    assert world.stored() == {}


def test_a_late_holder_leaves_the_file_to_who_took_over(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    storage = world.core.storage
    put = storage.put

    def put_late(*args: Any) -> None:
        take_over(world, generation)
        put(*args)

    storage.put = put_late  # type: ignore[method-assign]
    assert world.core.delivery.advance(generation.id, Channel.POLL) is None
    assert len(world.stored()) == 1


def test_a_callback_during_the_create_call_is_not_lost(world: World) -> None:
    generation = world.add()
    world.finish()
    world.kie.on_create = lambda: world.call_back(generation, "task-1")
    done = world.advance(generation)
    assert (done.status, done.delivered_via) == ("success", "callback")
    assert world.kie.asks == ["task-1"]


def test_a_callback_brings_the_task_id_of_an_unknown_submission(world: World) -> None:
    world.kie.create_script = [Unknown("cut")]
    generation = world.add()
    world.advance(generation)
    world.finish("task-7")
    world.call_back(generation, "task-7")
    done = world.advance(generation, Channel.CALLBACK)
    assert (done.status, done.task_id) == ("success", "task-7")


def test_a_task_that_kie_files_under_another_address_is_not_adopted(world: World) -> None:
    generation = world.add(submit_started_at=world.clock())
    world.kie.will_say(
        "task-7", report("task-7", has_callback_url=True, generation_id="somebody-else")
    )
    world.call_back(generation, "task-7")
    row = world.advance(generation, Channel.CALLBACK)
    assert (row.task_id, row.candidate_task_id, row.status) == (None, None, "queued")
    assert "callback.task_refused" in world.events(generation)


def test_a_task_that_kie_does_not_know_is_not_adopted(world: World) -> None:
    generation = world.add(submit_started_at=world.clock())
    world.call_back(generation, "task-7")
    for _ in range(12):
        row = world.advance(generation, Channel.CALLBACK)
        world.clock.advance(300)
    assert (row.task_id, row.candidate_task_id) == (None, None)


def test_a_fresh_task_may_be_unknown_to_kie_for_a_while(world: World) -> None:
    generation = world.add_submitted()
    row = world.advance(generation)
    assert (row.status, row.error_code) == ("queued", None)
    world.clock.advance(91)
    assert world.advance(generation).error_code == "kie.unknown_task"


def test_a_failed_ask_fails_no_generation(world: World) -> None:
    world.kie.will_say("task-1", AskFailed("kie.unauthorized", "401"), report())
    generation = world.add_submitted()
    row = world.advance(generation)
    assert (row.status, row.error_code) == ("queued", "kie.unauthorized")
    world.clock.advance(60)
    row = world.advance(generation)
    assert (row.status, row.error_code) == ("generating", None)


def test_only_kies_fail_fails_it_with_kies_words(world: World) -> None:
    world.kie.will_say("task-1", report(state="fail", fail_code="501", fail_message="no"))
    row = world.advance(world.add_submitted())
    assert (row.status, row.error_code, row.error) == ("failed", "provider.failed", "501: no")
    assert row.due_at is None


def test_an_unknown_state_is_progress(world: World) -> None:
    world.kie.will_say("task-1", report(state="polishing"))
    assert world.advance(world.add_submitted()).status == "generating"


def test_a_callback_ahead_of_recordinfo_is_asked_about_after_1_2_4_seconds(world: World) -> None:
    world.kie.will_say("task-1", report())
    generation = world.add_submitted()
    world.call_back(generation, "task-1")
    gaps = []
    for _ in range(3):
        row = world.advance(generation, Channel.CALLBACK)
        assert row.due_at is not None
        gaps.append((row.due_at - world.clock()).total_seconds())
        world.clock.advance(gaps[-1])
    assert gaps == [1, 2, 4]


def test_success_without_files_is_asked_again_and_then_given_up(world: World) -> None:
    world.kie.will_say("task-1", report(state="success"))
    generation = world.add_submitted()
    for _ in range(40):
        row = world.advance(generation)
        world.clock.advance(30)
    assert (row.status, row.error_code) == ("failed", "provider.empty")
    assert row.due_at is not None  # it is looked at again


def test_a_giving_up_turns_into_success_when_the_file_turns_up(world: World) -> None:
    world.kie.will_say("task-1", report())
    generation = world.add_submitted()
    world.clock.advance(24 * 3600)
    given_up = world.advance(generation)
    assert (given_up.status, given_up.error_code) == ("failed", "provider.timeout")
    world.finish()
    world.clock.advance(6 * 3600)
    done = world.advance(generation)
    assert (done.status, done.error_code, done.gave_up_at) == ("success", None, None)


def test_the_last_look_is_before_15_days(world: World) -> None:
    world.kie.will_say("task-1", report())
    generation = world.add_submitted()
    world.clock.advance(24 * 3600)
    row = world.advance(generation)
    while row.due_at is not None:
        assert row.due_at <= generation.created_at + timedelta(days=15)
        world.clock.now = row.due_at
        row = world.advance(generation)
    assert len(world.kie.asks) == 7  # at the giving up, and 6, 12, 24 ... 192 h after it


def test_every_file_of_a_task_is_stored_extras_after_the_main_ones(world: World) -> None:
    world.finish("task-1", "a.png", "b.png", "frame.png")
    files = [ResultFile(f"{MEDIA}/{name}.png") for name in ("a", "b")]
    frame = ResultFile(f"{MEDIA}/frame.png", "first_frame")
    world.kie.will_say("task-1", report(state="success", files=(*files, frame)))
    row = world.advance(world.add_submitted())
    assert [asset.role for asset in row.assets if asset.stored_at] == [
        "main",
        "main",
        "first_frame",
    ]
    assert len(world.stored()) == 3


def test_a_lost_extra_does_not_take_the_success_back(world: World) -> None:
    world.finish("task-1", "a.png")
    files = (ResultFile(f"{MEDIA}/a.png"), ResultFile(f"{MEDIA}/gone.png", "watermark"))
    world.kie.will_say("task-1", report(state="success", files=files))
    generation = world.add_submitted()
    for _ in range(4):
        row = world.advance(generation)
        world.clock.advance(120)
    assert (row.status, row.due_at) == ("success", None)
    assert row.assets[1].error_code == "media.gone"


def test_an_extra_that_cannot_be_reached_is_given_up_when_kie_keeps_nothing(world: World) -> None:
    world.finish("task-1", "a.png")
    files = (ResultFile(f"{MEDIA}/a.png"), ResultFile(f"{MEDIA}/b.png", "watermark"))
    world.kie.will_say("task-1", report(state="success", files=files))
    world.media.answers["/b.png"] = refuse_connection
    generation = world.add_submitted()
    world.advance(generation)
    world.clock.advance(15 * 86400)
    row = world.advance(generation)
    assert (row.status, row.due_at, row.assets[1].error_code) == ("success", None, "media.gone")


def test_a_result_that_is_data_is_stored_as_json(world: World) -> None:
    world.kie.will_say("task-1", report(state="success", result_object='{"text": "hi"}'))
    row = world.advance(world.add_submitted(kind=None))
    assert (row.status, row.kind, row.assets[0].content_type) == (
        "success",
        "text",
        "application/json",
    )
    assert list(world.stored().values()) == [b'{"text": "hi"}']


def test_a_dead_address_is_replaced_by_what_kie_tells_now(world: World) -> None:
    world.finish("task-1", "new.png")
    generation = world.add_submitted()
    fresh = report(state="success", urls=[f"{MEDIA}/new.png"])
    world.kie.will_say("task-1", report(state="success", urls=[f"{MEDIA}/old.png"]), fresh)
    assert world.advance(generation).status == "success"


def test_a_dead_address_is_replaced_by_a_download_link(world: World) -> None:
    world.media.files["/link.png"] = png()
    world.kie.will_say("task-1", report(state="success", urls=[f"{MEDIA}/old.png"]))
    world.kie.links[f"{MEDIA}/old.png"] = f"{MEDIA}/link.png"
    assert world.advance(world.add_submitted()).status == "success"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: httpx.Response(404), "media.gone"),
        (lambda: answer_with(b""), "media.invalid"),
    ],
)
def test_a_file_is_lost_only_after_three_ladders_over_a_minute(
    world: World, answer: Callable[[], httpx.Response], code: str
) -> None:
    world.kie.will_say("task-1", report(state="success", urls=[f"{MEDIA}/a.png"]))
    generation = world.add_submitted()
    world.media.answers["/a.png"] = answer
    started = world.clock()
    row = world.advance(generation)
    while not row.is_final and world.clock() < started + timedelta(hours=1):
        assert row.due_at is not None
        world.clock.now = row.due_at
        row = world.advance(generation)
    assert (row.status, row.error_code) == ("failed", code)
    assert world.clock() - started >= timedelta(seconds=60)


def test_a_host_that_stays_away_makes_kie_be_asked_for_another_address(world: World) -> None:
    world.media.files["/link.png"] = png()
    world.media.answers["/a.png"] = refuse_connection
    world.kie.will_say("task-1", report(state="success", urls=[f"{MEDIA}/a.png"]))
    world.kie.links[f"{MEDIA}/a.png"] = f"{MEDIA}/link.png"
    generation = world.add_submitted()
    for _ in range(3):
        row = world.advance(generation)
        world.clock.advance(300)
    assert row.status == "success"


def test_a_task_that_only_a_callback_named_is_asked_about_after_giving_up(world: World) -> None:
    generation = world.add(submit_started_at=world.clock())
    world.kie.will_say("task-7", AskFailed("kie.unavailable", "503"))
    world.call_back(generation, "task-7")
    world.clock.advance(24 * 3600)
    row = world.advance(generation)
    assert (row.status, row.error_code) == ("failed", "submit.unknown")
    world.finish("task-7")
    world.clock.advance(6 * 3600)
    assert world.advance(generation).status == "success"


def test_a_true_callback_replaces_a_planted_task(world: World) -> None:
    generation = world.add(submit_started_at=world.clock())
    world.finish("task-7")
    world.call_back(generation, "planted")
    world.kie.on_ask = lambda: (
        world.kie.asks.count("planted") == 1 and world.call_back(generation, "task-7")
    )
    assert world.advance(generation, Channel.CALLBACK).status == "success"


def test_data_beside_files_is_stored_as_well(world: World) -> None:
    world.finish()
    files = (ResultFile(f"{MEDIA}/a.png"),)
    world.kie.will_say(
        "task-1", report(state="success", files=files, result_object='{"words": []}')
    )
    row = world.advance(world.add_submitted())
    assert [asset.content_type for asset in row.assets] == ["image/png", "application/json"]
    assert (row.assets[1].path or "").split("/")[1] == "text"


def test_an_unreachable_media_host_is_tried_without_end(world: World) -> None:
    world.finish()
    world.media.answers["/a.png"] = refuse_connection
    generation = world.add_submitted()
    for _ in range(30):
        row = world.advance(generation)
        world.clock.advance(300)
    assert (row.status, row.error_code) == ("generating", "media.unreachable")
    del world.media.answers["/a.png"]
    assert world.advance(generation).status == "success"


def test_a_known_result_is_stored_after_the_give_up_time(world: World) -> None:
    world.finish()
    world.media.answers["/a.png"] = refuse_connection
    generation = world.add_submitted()
    world.advance(generation)
    world.clock.advance(25 * 3600)
    del world.media.answers["/a.png"]
    assert world.advance(generation).status == "success"


def test_a_main_file_lost_for_good_fails_it_and_keeps_what_is_stored(world: World) -> None:
    world.finish("task-1", "a.png", "b.png")
    del world.media.files["/b.png"]
    generation = world.add_submitted()
    for _ in range(4):
        row = world.advance(generation)
        world.clock.advance(120)
    assert (row.status, row.error_code) == ("failed", "media.gone")
    assert [asset.stored_at is not None for asset in row.assets] == [True, False]


def test_storage_away_loses_nothing_and_downloads_once(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    storage = world.core.storage
    put, storage.put = storage.put, unavailable  # type: ignore[method-assign]
    row = world.advance(generation)
    assert (row.status, row.error_code) == ("generating", "storage.unavailable")
    storage.put = put  # type: ignore[method-assign]
    world.clock.advance(300)
    assert world.advance(generation).status == "success"
    assert world.media.requests == ["/a.png"]


def unavailable(*_args: object) -> None:
    raise StorageError("storage.unavailable", "no route to storage")


def test_a_file_put_by_a_worker_that_died_is_not_fetched_again(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    storage = world.core.storage
    put = storage.put

    def put_and_die(*args: object) -> None:
        put(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    storage.put = put_and_die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.core.delivery.advance(generation.id, Channel.POLL)
    storage.put = put  # type: ignore[method-assign]
    world.clock.advance(61)
    row = world.advance(generation)
    assert (row.status, row.crashes) == ("success", 1)
    assert world.media.requests == ["/a.png"]


def test_an_unexpected_error_pushes_only_that_generation_ahead(world: World) -> None:
    generation = world.add_submitted()
    world.kie.on_ask = lambda: 1 // 0
    row = world.advance(generation)
    assert row.lease_token is None
    assert row.due_at == world.clock() + timedelta(minutes=5)


def test_a_database_away_hands_the_generation_back(world: World) -> None:
    generation = world.add_submitted()

    def away() -> None:
        raise StoreUnavailableError("disk I/O error")

    world.kie.on_ask = away
    row = world.advance(generation)
    assert (row.lease_token, row.due_at) == (None, world.clock() + timedelta(seconds=1))


def test_a_callback_that_kie_contradicts_is_a_finding(world: World) -> None:
    world.finish()
    generation = world.add_submitted()
    world.call_back(generation, "task-1", "fail")
    assert world.advance(generation, Channel.CALLBACK).status == "success"
    assert "callback.disagrees" in world.events(generation)


def test_final_states_are_not_looked_at_again(world: World) -> None:
    row = delivered(world)
    world.call_back(row, "task-1", "fail")
    assert world.row(row).due_at is None
    assert world.core.delivery.advance(row.id, Channel.POLL) is None


def test_two_users_never_share_a_folder(world: World) -> None:
    assert delivered(world, user_id="a/b").assets[0].path != ""
    (path,) = world.stored()
    assert path.split("/")[0].startswith("a-b.")


def test_no_callback_address_is_sent_to_the_internet_from_loopback(world: World) -> None:
    world.advance(world.add())
    assert world.kie.creates[0]["callback_url"] is None


def test_a_create_names_the_callback_address_of_its_generation(
    tmp_path: Path, database_url: str
) -> None:
    with open_world(
        tmp_path, database_url=database_url, kie_base_url="http://127.0.0.1:9000"
    ) as world:
        generation = world.add()
        world.advance(generation)
        address = world.kie.creates[0]["callback_url"]
    assert address.startswith(
        f"http://127.0.0.1:8000/api/kie/callback?generation={generation.id}&token="
    )


def test_a_row_that_cannot_be_read_is_put_off_and_blocks_nobody(world: World) -> None:
    odd, good = world.add_submitted("task-1"), world.add_submitted("task-2")
    with world.core.store.database.write() as connection:
        change = f"UPDATE generations SET result_urls = '17' WHERE id = '{odd.id}'"
        connection.exec_driver_sql(change)
    claims = world.core.store.claims
    claimed = [claims.claim_next(Lane.DELIVER, f"token{number}") for number in range(3)]
    assert [row.id for row in claimed if row] == [good.id]


def test_the_timeline_does_not_grow_with_every_retry(world: World) -> None:
    world.finish()
    world.media.answers["/a.png"] = refuse_connection
    generation = world.add_submitted()
    for _ in range(40):
        world.advance(generation)
        world.clock.advance(300)
    assert world.events(generation).count("asset.retry") == 6  # the 1st, 2nd, 4th ... 32nd


def test_a_task_named_in_an_answer_that_is_no_acceptance_is_asked_about(world: World) -> None:
    world.kie.create_script = [Unknown("code 429", "task-9")]
    world.finish("task-9")
    generation = world.add()
    world.advance(generation)
    world.clock.advance(2)
    assert (world.advance(generation).status, len(world.kie.creates)) == ("success", 1)
