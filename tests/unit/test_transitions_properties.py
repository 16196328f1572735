"""What holds whatever KIE, storage and the clock do: transitions under random histories."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, assert_never

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import MediaError, StepError, StorageError
from core.generation.asking import after_ask
from core.generation.model import Change, Channel, Generation, Status
from core.generation.schedule import LOOK_AGAIN_UNTIL, Policy
from core.generation.steps import Ask, Rest, StoreFile, Submit, next_step
from core.generation.storing import after_store_failed, after_stored
from core.generation.submitting import after_no_slot, after_submit, before_submit
from core.kie.report import (
    Accepted,
    AskAnswer,
    AskFailed,
    CreateAnswer,
    NotNow,
    Refused,
    ResultFile,
    Unknown,
)
from tests.support.clock import NOON
from tests.support.fake_kie import report

OURS = "https://ours.test"
POLICY = Policy(dice=lambda: 0.5)
KINDS = st.sampled_from(["image", "video", "audio", "text", None])
MAX_READS = 8
patient = settings(deadline=None, database=None, max_examples=60)

files = st.builds(
    lambda mains, extras: (
        *(ResultFile(f"https://kie.test/{n}") for n in range(mains)),
        *(ResultFile(f"https://kie.test/extra-{n}", "watermark") for n in range(extras)),
    ),
    st.integers(1, 3),
    st.integers(0, 2),
)
ask_failures = st.builds(
    AskFailed,
    st.sampled_from(["kie.unknown_task", "kie.unavailable", "kie.unauthorized"]),
    st.just("why"),
    st.sampled_from([None, 0.0, 3.0, 4000.0]),
)
reports = st.one_of(
    st.builds(lambda state: report("t", state), st.sampled_from(["waiting", "generating", "odd"])),
    st.builds(lambda: report("t", "fail", fail_code="500")),
    st.builds(lambda: report("t", "success")),
    st.builds(lambda: report("t", "success", result_object='{"text": "hi"}')),
    st.builds(lambda named: report("t", "success", files=named), files),
)
creates = st.sampled_from(
    [
        None,  # no slot under the rate limit
        Accepted("t"),
        NotNow("kie.rate_limited", "later", 5.0),
        NotNow("kie.unreachable", "no route"),
        Refused(402, "no credits"),
        Unknown("cut"),
    ]
)
stores = st.sampled_from(
    [
        None,  # stored
        None,
        MediaError("media.dead", "404"),
        MediaError("media.broken", "empty"),
        MediaError("media.unreachable", "timeout"),
        MediaError("media.too_large", "3 GiB", permanent=True),
        MediaError("media.refused", "10.0.0.1", permanent=True),
        StorageError("storage.unavailable", "away"),
    ]
)
delays = st.sampled_from([0.0, 0.0, 0.3, 1.0, 30.0, 700.0, 7200.0, 90_000.0])


class Move(NamedTuple):
    """What the world does at one look."""

    delay: float  # seconds after the generation became due
    create: CreateAnswer | None
    answer: AskAnswer
    stored: StepError | None
    called_back: bool


moves = st.lists(
    st.builds(Move, delays, creates, st.one_of(ask_failures, reports), stores, st.booleans()),
    max_size=40,
)


def new(kind: str | None) -> Generation:
    return Generation(
        id="g",
        family="market",
        model="m",
        kind=kind,
        input={},
        created_at=NOON,
        updated_at=NOON,
        due_at=NOON,
    )


def one_step(generation: Generation, move: Move, now: datetime) -> Change:
    step = next_step(generation, now, POLICY)
    match step:
        case Submit():
            if move.create is None:
                return after_no_slot(generation, now + timedelta(seconds=1))
            started = before_submit(generation, now).generation
            return after_submit(started, move.create, now, POLICY)
        case Ask():
            return after_ask(generation, move.answer, Channel.POLL, now, POLICY)
        case StoreFile(asset) if move.stored is None:
            return after_stored(generation, asset.position, f"{OURS}/{asset.position}", now)
        case StoreFile(asset):
            return after_store_failed(generation, asset.position, move.stored, now, POLICY)
        case Rest(change):
            return change
        case _:
            assert_never(step)


def history(kind: str | None, happened: list[Move]) -> list[tuple[Generation, datetime]]:
    """The generation after each look, as the engine would call the transitions."""
    generation, now = new(kind), NOON
    rows = [(generation, now)]
    for move in happened:
        if move.called_back and (not generation.is_final or generation.gave_up):
            generation = generation.evolve(due_at=now, announced_at=now, attempts=0)
        if generation.due_at is None:
            break
        now = max(now, generation.due_at) + timedelta(seconds=move.delay)
        generation = one_step(generation, move, now).generation
        rows.append((generation, now))
    return rows


@patient
@given(KINDS, moves)
def test_no_history_leaves_a_final_state_but_from_giving_up_to_success(
    kind: str | None, happened: list[Move]
) -> None:
    rows = [row for row, _ in history(kind, happened)]
    for before, after in pairwise(rows):
        if before.is_final and after.status is not before.status:
            assert before.gave_up
            assert after.status is Status.SUCCESS


@patient
@given(KINDS, moves)
def test_success_means_that_every_main_file_is_stored_at_our_address(
    kind: str | None, happened: list[Move]
) -> None:
    for row, _ in history(kind, happened):
        if row.status is Status.SUCCESS:
            assert all(asset.stored_at for asset in row.assets if asset.is_main)
            assert (row.asset_url or "").startswith(OURS)
            assert row.error_code is None


@patient
@given(KINDS, moves)
def test_what_is_open_is_due_and_what_is_over_is_not(
    kind: str | None, happened: list[Move]
) -> None:
    for row, _ in history(kind, happened):
        if not row.is_final:
            assert row.due_at is not None
        elif row.wanted is None and not row.gave_up:
            assert row.due_at is None
        assert (row.status is Status.FAILED) <= (row.error_code is not None)


@patient
@given(KINDS, moves)
def test_counts_are_never_negative(kind: str | None, happened: list[Move]) -> None:
    for row, _ in history(kind, happened):
        assert row.attempts >= 0
        assert all(asset.failures >= 0 for asset in row.assets)


@patient
@given(KINDS, moves)
def test_a_look_is_never_more_than_a_day_away_nor_asked_for_without_pause(
    kind: str | None, happened: list[Move]
) -> None:
    rows = history(kind, happened)
    for (before, _), (after, now) in pairwise(rows):
        if after.due_at is None:
            continue
        assert after.gave_up or after.due_at <= now + timedelta(days=1)
        if before.wanted is None and after.wanted is None and before.task_id is not None:
            assert after.due_at > now


@patient
@given(KINDS, moves)
def test_a_generation_given_up_is_not_looked_at_after_15_days(
    kind: str | None, happened: list[Move]
) -> None:
    for row, _ in history(kind, happened):
        if row.gave_up and row.wanted is None and row.due_at is not None:
            assert row.due_at <= NOON + LOOK_AGAIN_UNTIL


@patient
@given(KINDS, st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_a_task_of_five_minutes_costs_few_reads_and_is_found_within_a_minute(
    kind: str | None, lateness: list[float]
) -> None:
    row = after_submit(new(kind), Accepted("t"), NOON, POLICY).generation
    completed = NOON + timedelta(minutes=5)
    looks: list[datetime] = []
    for late in lateness:
        assert row.due_at is not None
        looks.append(row.due_at + timedelta(seconds=late))
        if looks[-1] >= completed:
            break
        row = after_ask(row, report("t"), Channel.POLL, looks[-1], POLICY).generation
    assert len(looks) <= MAX_READS
    assert completed <= looks[-1] <= completed + timedelta(seconds=60)
