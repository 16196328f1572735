"""What the task page is made of, without the page."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import core
from core.diagnosis import Facts, diagnose
from core.generation.model import Asset, Code, Generation, Status
from core.kie.report import AskAnswer, AskFailed, Report, ResultFile
from core.store.stuck import Usual
from dashboard.task.advice import naming_the_button
from dashboard.task.answers import FRESH, Answers
from dashboard.task.comparison import compare
from dashboard.task.export import everything
from dashboard.task.files import Medium, files_of, preview_of
from dashboard.task.timeline import tell
from dashboard.task.watching import landmark, may_be_hurried, share_of_usual, with_kie_for
from dashboard.words import task as words
from tests.support.clock import NOON, Clock
from tests.support.fake_kie import report

LATER = NOON + timedelta(minutes=5)
BEFORE = NOON - timedelta(minutes=5)
STORED = Asset(
    position=0,
    source_url="https://kie.test/a.png",
    path="u/image/a.png",
    url="https://ours.test/assets/u/image/a.png",
    content_type="image/png",
    size_bytes=100,
    stored_at=NOON,
)
DELIVERED: dict[str, Any] = {
    "status": Status.SUCCESS,
    "provider_state": "success",
    "provider_completed_at": NOON,
    "asset_url": STORED.url,
    "assets": (STORED,),
}
SUCCESS = report(state="success", urls=["https://kie.test/a.png"])


def generation(**fields: Any) -> Generation:
    """An open generation that KIE has."""
    values: dict[str, Any] = {
        "id": "g-1",
        "family": "market",
        "model": "flux",
        "task_id": "task-1",
        "input": {},
        "created_at": BEFORE,
        "updated_at": BEFORE,
        "submitted_at": BEFORE,
    }
    return Generation(**{**values, **fields})


def differences(
    one: Generation, kie: AskAnswer | None, sizes: dict[str, int | None] | None = None
) -> set[str]:
    """Which lines of the comparison are marked."""
    facts = Facts(generation=one, now=NOON, kie=kie, stored_sizes=sizes)
    return {line.field for line in compare(facts, UTC) if line.differs}


@pytest.mark.parametrize(
    ("ours", "kie", "differ"),
    [
        (generation(**DELIVERED), SUCCESS, set()),
        (generation(**DELIVERED), report(state="fail"), {words.STATE}),
        (generation(**DELIVERED), report(state="generating"), {words.STATE}),
        (generation(), report(state="generating"), set()),
        (generation(), SUCCESS, {words.STATE, words.FILES}),
        (generation(), report(state="fail"), {words.STATE}),
        (generation(provider_state="success"), report(state="generating"), {words.STATE}),
        (generation(), AskFailed("kie.unavailable", "down"), set()),
        (generation(), None, set()),
        (generation(), report("task-2", "generating"), {words.TASK_ID}),
        (
            generation(status=Status.FAILED, error_code=Code.PROVIDER_FAILED),
            report(state="fail"),
            set(),
        ),
        (
            generation(status=Status.FAILED, error_code=Code.PROVIDER_FAILED),
            report(state="generating"),
            {words.STATE, words.ERROR},
        ),
        (
            generation(status=Status.FAILED, error_code=Code.PROVIDER_TIMEOUT),
            report(state="generating"),
            set(),
        ),
    ],
)
def test_what_database_and_kie_cannot_both_mean_is_marked(
    ours: Generation, kie: AskAnswer | None, differ: set[str]
) -> None:
    assert differences(ours, kie) == differ


@pytest.mark.parametrize(
    ("found", "differ"),
    [
        (100, set()),
        (99, {words.size_of(0)}),
        (None, {words.size_of(0), words.FILES}),
    ],
)
def test_what_storage_holds_otherwise_is_marked(found: int | None, differ: set[str]) -> None:
    assert differences(generation(**DELIVERED), None, {"u/image/a.png": found}) == differ


def test_more_files_at_kie_are_marked() -> None:
    two = replace(SUCCESS, files=(*SUCCESS.files, ResultFile("https://kie.test/b.png")))
    assert differences(generation(**DELIVERED), two) == {words.FILES}


def test_other_credits_and_another_time_are_marked() -> None:
    ours = generation(**DELIVERED, credits_consumed=Decimal(5))
    theirs = replace(SUCCESS, credits_consumed=Decimal(6), completed_at=LATER)
    assert differences(ours, theirs) == {words.CREDITS, words.FINISHED}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("kie.unknown_task", "KIE does not know the task"),
        ("kie.unavailable", "KIE did not tell just now (kie.unavailable)"),
    ],
)
def test_that_kie_did_not_tell_is_said_in_its_place(code: str, says: str) -> None:
    facts = Facts(generation=generation(), now=NOON, kie=AskFailed(code, "no"))
    assert [line.kie for line in compare(facts, UTC) if line.field == words.STATE] == [says]


@pytest.mark.parametrize(("ago", "says"), [("now", "just now"), ("5 s ago", "5 s ago")])
def test_when_kie_was_asked_in_words(ago: str, says: str) -> None:
    assert words.asked(ago) == f"KIE was asked {says}."


def test_what_nobody_speaks_of_has_no_line() -> None:
    fields = [line.field for line in compare(Facts(generation=generation(), now=NOON), UTC)]
    assert fields == [words.STATE]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"status": Status.SUCCESS}, False),
        ({"task_id": None}, False),
        ({"lease_until": LATER}, False),
        ({"crashes": 3}, False),
        ({"due_at": BEFORE}, False),
        ({"due_at": None}, False),
        ({"asked_at": NOON - timedelta(seconds=15)}, True),
        ({"asked_at": NOON - timedelta(seconds=14)}, False),
        ({"assets": (Asset(position=0),)}, False),
        ({"submitted_at": NOON}, False),
    ],
)
def test_when_the_next_look_may_be_brought_forward(fields: dict[str, Any], expected: bool) -> None:
    assert may_be_hurried(generation(**{"due_at": LATER, **fields}), NOON) is expected


@pytest.mark.parametrize(
    ("changes", "is_another_page"),
    [
        ({"status": Status.GENERATING}, True),
        ({"task_id": "task-1"}, True),
        ({"error_code": Code.SUBMIT_UNKNOWN}, True),
        ({"assets": (STORED,)}, True),
        ({"attempts": 7, "asked_at": NOON, "progress": 50, "updated_at": NOON}, False),
    ],
)
def test_what_makes_another_page_of_it(changes: dict[str, Any], is_another_page: bool) -> None:
    before = generation(task_id=None)
    assert (landmark(before.evolve(**changes)) != landmark(before)) is is_another_page


def test_kie_has_it_from_its_acceptance_until_it_is_done() -> None:
    assert with_kie_for(generation(), NOON) == timedelta(minutes=5)
    assert with_kie_for(generation(submitted_at=None), NOON) is None
    assert with_kie_for(generation(provider_completed_at=NOON), NOON) is None


@pytest.mark.parametrize(("seconds", "share"), [(0, 0.0), (30, 0.5), (60, 1.0), (600, 1.0)])
def test_progress_is_measured_by_what_nearly_all_need(seconds: int, share: float) -> None:
    usual = Usual(samples=100, p50_ms=20_000, p99_ms=60_000)
    assert share_of_usual(timedelta(seconds=seconds), usual) == share
    assert share_of_usual(timedelta(seconds=seconds), None) == 0.0


@pytest.mark.parametrize(
    ("samples", "says"),
    [(0, "not known"), (50, "half of this model's"), (100, "99 % within 1 min")],
)
def test_how_long_it_takes_is_said_as_far_as_it_is_known(samples: int, says: str) -> None:
    usual = Usual(samples=samples, p50_ms=20_000, p99_ms=60_000)
    assert says in words.at_kie(timedelta(seconds=5), usual)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"task_id": None}, "KIE has not accepted it yet"),
        ({"task_id": None, "error_code": "submit.rate_limited"}, "waiting for its turn"),
        ({"task_id": None, "submit_started_at": NOON}, "being sent"),
        ({"task_id": None, "error_code": Code.SUBMIT_UNKNOWN}, "answer never came"),
        ({"task_id": None, "candidate_task_id": "t"}, "callback named its task"),
        ({}, "KIE has accepted it"),
        ({"provider_state": "queuing"}, "KIE's queue"),
        ({"provider_state": "generating", "progress": 40}, "making it, 40 %"),
        ({"provider_state": "success"}, "no file yet"),
        ({"provider_state": "success", "assets": (Asset(position=0),)}, "0 of 1"),
    ],
)
def test_the_step_in_words(fields: dict[str, Any], says: str) -> None:
    assert says in words.step(generation(**fields))


def test_a_stored_file_is_ours_and_can_be_downloaded() -> None:
    [file] = files_of(generation(**DELIVERED))
    assert (file.url, file.temporary_url, file.medium) == (STORED.url, None, Medium.IMAGE)
    assert file.download_url == f"{STORED.url}?download=1"


@pytest.mark.parametrize(
    ("url", "download_url"),
    [
        ("https://ours.test/assets/a.png?sig=s", "https://ours.test/assets/a.png?sig=s&download=1"),
        (
            "https://x.supabase.co/storage/v1/object/public/generations/a.png",
            "https://x.supabase.co/storage/v1/object/public/generations/a.png?download=",
        ),
    ],
)
def test_a_file_in_a_bucket_can_be_downloaded_too(url: str, download_url: str) -> None:
    [file] = files_of(generation(assets=(replace(STORED, url=url),)))
    assert file.download_url == download_url


def test_another_storage_is_not_told_to_download() -> None:
    elsewhere = replace(STORED, url="https://bucket.test/object/assets/a.png")
    assert files_of(generation(assets=(elsewhere,)))[0].download_url is None


@pytest.mark.parametrize(
    ("source", "shown"),
    [("https://kie.test/a.png", "https://kie.test/a.png"), ("data:text/html,x", None)],
)
def test_of_an_unstored_file_only_a_web_address_is_shown(source: str, shown: str | None) -> None:
    [file] = files_of(generation(assets=(Asset(position=0, source_url=source),)))
    assert (file.url, file.temporary_url) == (None, shown)


def test_the_preview_comes_last() -> None:
    one = generation(preview_url="https://ours.test/p.png")
    assert preview_of(one) == "https://ours.test/p.png"
    assert preview_of(one.evolve(result_urls=("https://kie.test/a.png",))) is None


def test_the_timeline_tells_the_gaps() -> None:
    rows = [
        {"at": NOON, "name": "submit.started", "detail": {}},
        {"at": NOON + timedelta(seconds=3), "name": "ask.failed", "detail": {"why": "down"}},
    ]
    first, second = tell(rows, UTC, NOON)
    assert (first.after, second.after) == ("", "+3.0 s")
    assert (second.who, second.why) == ("We", "down")


def test_an_event_of_a_newer_release_is_named() -> None:
    [line] = tell([{"at": NOON, "name": "moon.landed", "detail": None}], UTC, NOON)
    assert line.what == "moon.landed"


def test_an_operator_stands_in_the_timeline_by_name() -> None:
    row = {"at": NOON, "name": "operator.gave_up", "detail": {"by": "Ada", "why": "enough"}}
    assert tell([row], UTC, NOON)[0].who == "Ada"


@pytest.mark.parametrize(
    ("selection", "of", "says"),
    [
        ("all stuck, model flux", 1200, "Ada gave it up (all stuck, model flux, 1,200 in all)"),
        ("this generation", 1, "Ada gave it up"),
    ],
)
def test_the_timeline_tells_of_which_selection_it_was_part(
    selection: str, of: int, says: str
) -> None:
    detail = {"by": "Ada", "selection": selection, "of": of}
    assert words.sentence("operator.gave_up", detail) == says


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("asset.stored", "stored file 1, 2.0 kB"),
        ("asset.retry", "file 1 not stored (media.slow), attempt 2"),
    ],
)
def test_people_count_files_from_one(name: str, says: str) -> None:
    detail = {"position": 0, "bytes": 2000, "code": "media.slow", "attempt": 2}
    assert words.sentence(name, detail) == says
    assert words.role("main", 0) == "File 1, the result"


@pytest.mark.parametrize(
    ("lease_until", "due_at", "says"),
    [
        (LATER, BEFORE, "a worker is on it"),
        (BEFORE, BEFORE, "due now"),
        (BEFORE, None, "not planned"),
        (None, LATER, "in 5 min"),
    ],
)
def test_the_next_look_in_words(
    lease_until: datetime | None, due_at: datetime | None, says: str
) -> None:
    one = generation(lease_until=lease_until, due_at=due_at)
    assert words.next_look(one, NOON) == says


def test_every_event_that_is_written_has_a_sentence() -> None:
    sources = "".join(file.read_text() for file in Path(core.__file__).parent.rglob("*.py"))
    families = "generation|submit|task_id|callback|ask|provider|asset|operator"
    written = set(
        re.findall(
            rf'Event\(\s*"([a-z_.]+)"|"?name"?(?:, \w+)? ?[=:] "((?:{families})[a-z_.]+)"', sources
        )
    )
    names = {name for pair in written for name in pair if name}
    assert len(names) > 20
    assert not [name for name in names if words.sentence(name, {}) == name]


def test_advice_names_the_button_where_there_is_one() -> None:
    found = diagnose(Facts(generation=generation(due_at=None), now=NOON, kie=SUCCESS))
    advice = [line for each in naming_the_button(found).findings for line in each.suggestions]
    assert f"Bring the record up to date: {words.LOOK_AGAIN}." in advice
    assert not [line for line in advice if "/api/kie/sync" in line]


def test_everything_as_json_tells_no_lease_token() -> None:
    one = generation(**DELIVERED, lease_token="secret-token", credits_consumed=Decimal("1.5"))
    facts = Facts(generation=one, now=NOON, kie=SUCCESS)
    told = everything(facts, diagnose(facts))
    assert "secret-token" not in told
    assert json.loads(told)["generation"]["created_at"] == "2026-11-22T11:55:00Z"


class Kie:
    """Answers once it is let; `asked` are the tasks it was asked about."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []

    def ask(self, family: str, task_id: str) -> Report:
        """A report with the number of the question."""
        self.asked.append(task_id)
        assert self.may_answer.wait(20)
        return report(task_id, f"state-{len(self.asked)}")


@pytest.fixture
def kie() -> Kie:
    """Nobody has asked it yet."""
    return Kie()


@pytest.fixture
def clock() -> Clock:
    """It stands at noon."""
    return Clock()


@pytest.fixture
def answers(kie: Kie, clock: Clock) -> Iterator[Answers]:
    """What it says."""
    opened = Answers(kie.ask, clock)
    yield opened
    kie.may_answer.set()
    opened.close()


def heard(answers: Answers) -> Any:
    """KIE's answer about the task, waited for."""
    deadline = time.monotonic() + 20
    while (now := answers.about("market", "task-1")).is_asking:
        assert time.monotonic() < deadline
    return now.answer


def test_nobody_waits_for_kie(answers: Answers) -> None:
    now = answers.about("market", "task-1")
    assert now.is_asking
    assert now.answer is None


def test_kie_is_asked_once_however_many_look(answers: Answers, kie: Kie) -> None:
    answers.about("market", "task-1")
    kie.may_answer.set()
    assert heard(answers).state == "state-1"
    assert heard(answers).state == "state-1"
    assert kie.asked == ["task-1"]


def test_an_old_answer_stands_until_a_new_one_has_come(
    answers: Answers, kie: Kie, clock: Clock
) -> None:
    kie.may_answer.set()
    heard(answers)
    kie.may_answer.clear()
    clock.now += FRESH
    waiting = answers.about("market", "task-1")
    assert (waiting.is_asking, waiting.at) == (True, NOON)
    kie.may_answer.set()
    assert heard(answers).state == "state-2"
