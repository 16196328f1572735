"""Every transition as a table: what happened, and the moment on each side of a boundary."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import MediaError, StepError, StorageError
from core.generation.asking import after_ask, candidate_refused
from core.generation.ending import give_up
from core.generation.model import Asset, Channel, Code, Generation, Status
from core.generation.schedule import (
    CANDIDATE_ASKS,
    CANDIDATE_PATIENCE,
    LOOK_AGAIN_UNTIL,
    Policy,
    look_again_at,
)
from core.generation.steps import Ask, Delete, Rest, StoreFile, Submit, next_step
from core.generation.storing import after_store_failed, after_stored
from core.generation.submitting import after_no_slot, after_submit
from core.kie.report import Accepted, AskAnswer, AskFailed, NotNow, Refused, ResultFile, Unknown
from tests.support.clock import NOON
from tests.support.fake_kie import report

POLICY = Policy(dice=lambda: 0.5)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
UNKNOWN_TASK = AskFailed("kie.unknown_task", "recordInfo is null")
AROUND = [-SECOND, timedelta(), SECOND]


def made(**fields: Any) -> Generation:
    values = {"family": "market", "model": "m", "input": {}, "created_at": NOON, "updated_at": NOON}
    return Generation(**{"id": "g", **values, **fields})


def submitted(**fields: Any) -> Generation:
    return made(**{"task_id": "t", "submit_started_at": NOON, "submitted_at": NOON, **fields})


def with_file(**fields: Any) -> Generation:
    asset = Asset(position=0, source_url="https://kie.test/a.png", **fields)
    return submitted(status=Status.GENERATING, provider_state="success", assets=(asset,))


def asked(generation: Generation, answer: AskAnswer, at: datetime) -> Generation:
    return after_ask(generation, answer, Channel.POLL, at, POLICY).generation


def failed_to_store(generation: Generation, error: StepError, at: datetime) -> Generation:
    return after_store_failed(generation, 0, error, at, POLICY).generation


def gap(generation: Generation, now: datetime) -> float:
    assert generation.due_at is not None
    return (generation.due_at - now).total_seconds()


# What to do next


@pytest.mark.parametrize(
    ("generation", "step"),
    [
        (made(), Submit()),
        (submitted(), Ask("t")),
        (made(submit_started_at=NOON, candidate_task_id="c"), Ask("c")),
        (made(delete_requested_at=NOON), Delete()),
        (submitted(status=Status.SUCCESS, delete_requested_at=NOON), Delete()),
        (with_file(), StoreFile(with_file().assets[0])),
        (submitted(status=Status.FAILED, error_code=Code.PROVIDER_TIMEOUT), Ask("t")),
    ],
)
def test_the_next_step_follows_from_what_is_known(generation: Generation, step: object) -> None:
    assert next_step(generation, NOON, POLICY) == step


@pytest.mark.parametrize(
    "generation",
    [
        submitted(status=Status.SUCCESS, asset_url="u"),
        submitted(status=Status.FAILED, error_code=Code.PROVIDER_FAILED),
        made(status=Status.FAILED, error_code="provider.402"),
        made(status=Status.FAILED, error_code=Code.SUBMIT_UNKNOWN, submit_started_at=NOON),
    ],
)
def test_what_is_over_rests_for_good(generation: Generation) -> None:
    step = next_step(generation.evolve(due_at=NOON), NOON, POLICY)
    assert isinstance(step, Rest)
    assert step.change.generation == generation
    assert step.change.events == ()


@pytest.mark.parametrize("around", AROUND)
def test_what_kie_never_took_is_given_up_at_the_give_up_time(around: timedelta) -> None:
    step = next_step(made(), NOON + DAY + around, POLICY)
    assert isinstance(step, Submit) == (around < timedelta())


# Submitting


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("image", 20), ("audio", 15), ("video", 60), ("text", 15), (None, 30), ("hologram", 30)],
)
def test_the_first_look_comes_when_a_result_is_likely(kind: str | None, seconds: float) -> None:
    row = after_submit(made(kind=kind), Accepted("t"), NOON, POLICY).generation
    assert (row.task_id, row.status, gap(row, NOON)) == ("t", "queued", seconds)


def test_a_setting_moves_the_first_look_of_every_kind() -> None:
    policy = Policy(first_look_seconds=5)
    row = after_submit(made(kind="video"), Accepted("t"), NOON, policy).generation
    assert gap(row, NOON) == 5


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(None, 2), (0.0, 0.5), (7.0, 7), (60.0, 60), (3600.0, 60)]
)
def test_what_kie_refused_for_now_is_sent_again_within_a_minute(
    retry_after: float | None, seconds: float
) -> None:
    answer = NotNow("kie.rate_limited", "later", retry_after)
    row = after_submit(made(submit_started_at=NOON), answer, NOON, POLICY).generation
    assert (row.submit_started_at, gap(row, NOON)) == (None, seconds)


def test_refusals_for_now_never_push_a_submission_beyond_a_minute() -> None:
    for attempts in (5, 50, 500):
        row = made(attempts=attempts)
        later = after_submit(row, NotNow("kie.unreachable", ""), NOON, POLICY).generation
        assert 0 < gap(later, NOON) <= 60


def test_an_unknown_outcome_waits_for_the_give_up_time_and_is_told_once() -> None:
    change = after_submit(made(submit_started_at=NOON), Unknown("cut"), NOON, POLICY)
    assert (change.generation.error_code, gap(change.generation, NOON)) == (
        "submit.unknown",
        24 * 3600,
    )
    again = after_submit(change.generation, Unknown("cut"), NOON, POLICY)
    assert again.events == ()


def test_a_refusal_for_good_is_final() -> None:
    row = after_submit(made(), Refused(451, "not allowed"), NOON, POLICY).generation
    assert (row.status, row.error_code, row.due_at, row.gave_up) == (
        "failed",
        "provider.451",
        None,
        False,
    )


def test_waiting_for_a_slot_is_told_once() -> None:
    change = after_no_slot(made(), NOON + SECOND)
    assert [event.name for event in change.events] == ["submit.rate_limited"]
    assert after_no_slot(change.generation, NOON + SECOND).events == ()


# Asking


@pytest.mark.parametrize("kind", ["image", "video", "audio", "text", None])
def test_gaps_between_looks_grow_up_to_five_minutes(kind: str | None) -> None:
    row, now, gaps = submitted(kind=kind), NOON, []
    while now < NOON + timedelta(hours=20):
        row = asked(row, report("t"), now)
        gaps.append(gap(row, now))
        now = row.due_at or now
    assert gaps == sorted(gaps)
    assert gaps[-1] == 300


@pytest.mark.parametrize("answer", [report("t"), AskFailed("kie.unavailable", "503")])
@pytest.mark.parametrize("around", AROUND)
def test_without_a_final_state_it_is_given_up_at_the_give_up_time(
    answer: AskAnswer, around: timedelta
) -> None:
    row = asked(submitted(), answer, NOON + DAY + around)
    expected = Status.FAILED if around >= timedelta() else None
    assert (row.status is Status.FAILED) == (expected is Status.FAILED)
    assert (row.error_code == "provider.timeout") == (expected is Status.FAILED)


def test_the_last_look_before_the_give_up_time_is_not_after_it() -> None:
    row = asked(submitted(), report("t"), NOON + DAY - SECOND)
    assert row.due_at == NOON + DAY


@pytest.mark.parametrize("around", AROUND)
def test_a_task_may_be_unknown_for_90_seconds(around: timedelta) -> None:
    row = asked(submitted(), UNKNOWN_TASK, NOON + timedelta(seconds=90) + around)
    assert row.error_code == (None if around < timedelta() else "kie.unknown_task")


@pytest.mark.parametrize("around", AROUND)
def test_a_task_that_holds_up_a_submission_is_dropped_after_90_seconds(
    around: timedelta,
) -> None:
    row = made(candidate_task_id="c", announced_at=NOON)
    row = asked(row, UNKNOWN_TASK, NOON + timedelta(seconds=90) + around)
    assert row.candidate_task_id == ("c" if around < timedelta() else None)


@pytest.mark.parametrize("first_look", [timedelta(), timedelta(minutes=2), timedelta(hours=3)])
def test_a_task_that_only_a_callback_named_is_asked_about_for_a_while(
    first_look: timedelta,
) -> None:
    """The first look can be late: createTask may have hung, or KIE have been away."""
    row = made(submit_started_at=NOON, candidate_task_id="c", announced_at=NOON)
    now, asks = NOON + first_look, 0
    while row.candidate_task_id is not None:
        row, asks = asked(row, UNKNOWN_TASK, now), asks + 1
        now = row.due_at or now
    assert CANDIDATE_ASKS <= asks < 30
    assert now - NOON >= CANDIDATE_PATIENCE


def test_a_dropped_candidate_does_not_hold_up_a_submission() -> None:
    row = candidate_refused(made(candidate_task_id="c"), "foreign", NOON).generation
    assert row.due_at == NOON
    assert next_step(row, NOON, POLICY) == Submit()


@pytest.mark.parametrize("state", ["waiting", "queuing", "generating", "polishing"])
def test_news_older_than_a_success_changes_nothing(state: str) -> None:
    before = submitted(status=Status.GENERATING, provider_state="success", progress=100)
    change = after_ask(before, report("t", state, progress=3), Channel.POLL, NOON, POLICY)
    assert (change.generation.provider_state, change.generation.progress) == ("success", 100)
    assert (change.generation.status, change.events) == (Status.GENERATING, ())


def test_a_generating_task_is_not_queued_again() -> None:
    row = asked(submitted(status=Status.GENERATING), report("t", "waiting"), NOON)
    assert row.status is Status.GENERATING


@pytest.mark.parametrize("code", ["unauthorized", "no_credits", "unavailable", "rate_limited"])
def test_a_failed_ask_is_shown_and_tried_again_soon(code: str) -> None:
    row = asked(submitted(), AskFailed(f"kie.{code}", "why"), NOON)
    assert (row.status, row.error_code) == (Status.QUEUED, f"kie.{code}")
    assert 1 <= gap(row, NOON) <= 300


@pytest.mark.parametrize("code", ["kie.unavailable", "submit.unknown", "submit.rate_limited"])
def test_an_answer_of_kie_ends_the_waiting_for_it(code: str) -> None:
    row = asked(submitted(error_code=code, error="why"), report("t"), NOON)
    assert (row.error_code, row.error) == (None, None)


def test_a_late_look_that_told_nothing_is_repeated_soon() -> None:
    row = submitted(status=Status.FAILED, error_code="provider.timeout", gave_up_at=NOON)
    now, gaps = NOON + timedelta(hours=6), []
    for _ in range(14):
        row = asked(row, AskFailed("kie.unavailable", "HTTP 502"), now)
        assert row.due_at is not None
        gaps.append((row.due_at - now).total_seconds())
        now = row.due_at
    assert gaps[:4] == [1, 2, 4, 8]
    assert gaps[-1] == 3600
    assert (row.status, row.error_code) == ("failed", "provider.timeout")


@pytest.mark.parametrize(("retry_after", "seconds"), [(7.0, 7), (9999.0, 300)])
def test_a_failed_ask_keeps_to_what_kie_asks_for(retry_after: float, seconds: float) -> None:
    row = asked(submitted(), AskFailed("kie.rate_limited", "429", retry_after), NOON)
    assert gap(row, NOON) == seconds


@pytest.mark.parametrize("around", AROUND)
def test_a_success_without_files_is_asked_about_for_ten_minutes(around: timedelta) -> None:
    empty = report("t", "success")
    row = asked(asked(submitted(), empty, NOON), empty, NOON + timedelta(minutes=10) + around)
    given_up = around >= timedelta()
    assert row.status == ("failed" if given_up else "generating")
    assert row.error_code == ("provider.empty" if given_up else None)


def test_the_looks_at_an_empty_success_end_with_its_ten_minutes() -> None:
    row = asked(submitted(), report("t", "success"), NOON)
    row = asked(row, report("t", "success"), NOON + timedelta(minutes=10) - SECOND)
    assert row.due_at == NOON + timedelta(minutes=10)


def test_a_success_is_due_at_once_and_its_files_are_wanted() -> None:
    row = asked(submitted(), report("t", "success", urls=["https://kie.test/a.png"]), NOON)
    assert (row.status, row.due_at, row.attempts) == (Status.GENERATING, NOON, 0)
    assert row.expires_at == NOON + timedelta(days=14)
    assert row.wanted == Asset(position=0, source_url="https://kie.test/a.png")


def test_a_fail_is_final_and_not_our_end() -> None:
    row = asked(submitted(), report("t", "fail"), NOON)
    assert (row.status, row.error_code, row.due_at) == (Status.FAILED, "provider.failed", None)
    assert not row.gave_up


def test_a_contradicted_callback_is_told() -> None:
    before = submitted(announced_state="success", announced_at=NOON)
    change = after_ask(before, report("t", "fail"), Channel.POLL, NOON, POLICY)
    assert "callback.disagrees" in [event.name for event in change.events]


# Giving up, and looking again


@pytest.mark.parametrize(
    ("since", "next_look"),
    [
        (timedelta(), 6),
        (6 * HOUR - SECOND, 6),
        (6 * HOUR, 12),
        (6 * HOUR + SECOND, 12),
        (12 * HOUR, 24),
        (24 * HOUR, 48),
        (48 * HOUR, 96),
    ],
)
def test_a_giving_up_is_looked_at_after_6_12_24_48_hours(
    since: timedelta, next_look: float
) -> None:
    assert look_again_at(NOON, NOON, NOON + since) == NOON + next_look * HOUR


@pytest.mark.parametrize("around", AROUND)
def test_nobody_looks_after_15_days(around: timedelta) -> None:
    gave_up_at = NOON + LOOK_AGAIN_UNTIL - 6 * HOUR + around
    expected = None if around > timedelta() else gave_up_at + 6 * HOUR
    assert look_again_at(NOON, gave_up_at, gave_up_at) == expected


def test_a_second_giving_up_keeps_the_first_ones_reason() -> None:
    first = give_up(submitted(), Code.MEDIA_GONE, "no file", NOON)
    second = give_up(first.generation, Code.PROVIDER_TIMEOUT, "late", NOON + DAY)
    assert (second.generation.error_code, second.events) == ("media.gone", ())
    assert second.generation.gave_up_at == NOON


def test_without_a_task_id_there_is_nothing_to_look_at_again() -> None:
    assert give_up(made(), Code.SUBMIT_UNKNOWN, "why", NOON).generation.due_at is None


@pytest.mark.parametrize("code", [Code.PROVIDER_TIMEOUT, Code.PROVIDER_EMPTY, Code.MEDIA_GONE])
def test_kies_fail_after_a_giving_up_is_the_last_word(code: Code) -> None:
    given_up = give_up(submitted(), code, "why", NOON).generation
    row = asked(given_up, report("t", "fail"), NOON + 6 * HOUR)
    assert (row.error_code, row.due_at, row.gave_up_at) == ("provider.failed", None, None)


def test_a_given_up_task_that_kie_still_makes_keeps_its_reason() -> None:
    given_up = give_up(submitted(), Code.PROVIDER_TIMEOUT, "why", NOON).generation
    row = asked(given_up, AskFailed("kie.unavailable", "503"), NOON + 6 * HOUR)
    assert (row.status, row.error_code, row.error) == (Status.FAILED, "provider.timeout", "why")


def test_a_lost_file_that_kie_names_no_more_is_not_asked_about_without_pause() -> None:
    stored = Asset(position=0, source_url="https://kie.test/a", stored_at=NOON, url="u")
    lost = Asset(position=1, source_url="https://kie.test/b", error_code=Code.MEDIA_GONE)
    given_up = give_up(submitted(assets=(stored, lost)), Code.MEDIA_GONE, "why", NOON).generation
    now = NOON + 6 * HOUR
    row = asked(given_up, report("t", "success", urls=["https://kie.test/a"]), now)
    assert gap(row, now) == 6 * 3600


# Storing


@pytest.mark.parametrize("code", ["media.dead", "media.broken"])
@pytest.mark.parametrize(
    ("earlier_failures", "seconds", "lost"),
    [
        (0, 600, False),
        (1, 600, False),
        (2, 59, False),
        (2, 60, True),
        (2, 61, True),
        (9, 59, False),
        (9, 60, True),
    ],
)
def test_a_file_is_lost_after_three_ladders_over_60_seconds(
    code: str, earlier_failures: int, seconds: int, lost: bool
) -> None:
    row = with_file(failures=earlier_failures, failed_since=NOON)
    row = failed_to_store(row, MediaError(code, "why"), NOON + timedelta(seconds=seconds))
    assert (row.assets[0].error_code is not None) == lost
    assert (row.status is Status.FAILED) == lost


@pytest.mark.parametrize(
    "error",
    [
        MediaError("disk.full", "no room"),
        StorageError("storage.unavailable", "away"),
        StepError("kie.unavailable", "503"),
    ],
)
def test_nothing_else_ever_loses_a_file(error: StepError) -> None:
    row = with_file(failures=99, failed_since=NOON).evolve(attempts=5000)
    row = failed_to_store(row, error, NOON + 30 * DAY)
    assert (row.status, row.error_code) == (Status.GENERATING, error.code)
    assert 0 < gap(row, NOON + 30 * DAY) <= 300


@pytest.mark.parametrize(("days", "lost"), [(14.9, False), (15, True), (15.1, True)])
def test_a_host_that_stays_away_is_given_up_when_kie_keeps_nothing(days: float, lost: bool) -> None:
    row = failed_to_store(
        with_file(), MediaError("media.unreachable", "timeout"), NOON + days * DAY
    )
    assert (row.error_code == Code.MEDIA_GONE) is lost


@pytest.mark.parametrize("code", [Code.MEDIA_TOO_LARGE, Code.MEDIA_REFUSED])
def test_what_may_not_be_fetched_is_given_up_at_once(code: Code) -> None:
    row = failed_to_store(with_file(), MediaError(code, "why", permanent=True), NOON)
    assert (row.status, row.error_code, row.gave_up) == (Status.FAILED, code, True)


def test_ladders_stay_minutes_apart_however_many_there_were() -> None:
    for failures in range(200):
        row = with_file(failures=failures, failed_since=NOON)
        row = failed_to_store(row, MediaError("media.dead", "404"), NOON)
        assert 0 < gap(row, NOON) <= 300


def test_the_fourth_ladder_is_the_last_whatever_the_dice_say() -> None:
    policy = Policy(dice=lambda: 0.0)
    gaps = [policy.ladder_gap(failures) for failures in (1, 2, 3)]
    assert sum(gaps, timedelta()) >= timedelta(seconds=60)


def test_the_extras_of_a_lost_main_file_are_stored_at_once() -> None:
    extra = Asset(position=1, role="watermark", source_url="https://kie.test/w.png")
    row = with_file(failures=2, failed_since=NOON)
    row = row.evolve(assets=(*row.assets, extra))
    row = failed_to_store(row, MediaError("media.dead", "404"), NOON + timedelta(minutes=2))
    assert (row.status, gap(row, NOON + timedelta(minutes=2))) == (Status.FAILED, 0)
    assert row.wanted == extra


def test_success_comes_with_the_last_main_file_and_extras_follow() -> None:
    files = (ResultFile("https://kie.test/a"), ResultFile("https://kie.test/b", "watermark"))
    row = asked(submitted(), report("t", "success", files=files), NOON)
    row = after_stored(row, 0, "https://ours.test/a", NOON).generation
    assert (row.status, row.asset_url, row.due_at) == ("success", "https://ours.test/a", NOON)
    row = after_stored(row, 1, "https://ours.test/b", NOON).generation
    assert (row.status, row.due_at) == ("success", None)
