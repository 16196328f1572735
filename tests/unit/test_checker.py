"""The checker is able to fail: evidence that is well, and one for each way of breaking it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from simulator.tasks import Task
from tests.checker.books import Content, Contents, named_files
from tests.checker.evidence import Evidence, objects_of, rows_of
from tests.checker.headline import Claim, Told, headline, told_by
from tests.checker.invariants import check
from tests.checker.keeping import DAY, HOUR, owed, seconds_together, unknowable
from tests.checker.witness import clock_is_ahead, install_witness
from tests.support.processes import ROOT
from tests.support.world import World, open_world

NOON = 1_790_000_000.0
PATH = "_/audio/g1_0_abc.mp3"
#: Made once for all tests.
CONTENT = Contents()


def task(**changes: Any) -> Task:
    """A success of KIE's, made for the generation g1 and over for more than a day."""
    url = "http://receiver.test/hook?generation=g1&token=t"
    made = Task(
        id="t1",
        number=1,
        kind="audio",
        request={"model": "m", "input": {"text": "a kite"}, "callBackUrl": url},
        created_at=NOON,
        finishes_at=NOON + 10,
        charged=12.5,
    )
    return replace(made, **changes)


def created(**changes: Any) -> dict[str, Any]:
    return {"fact": "created", "task": asdict(task(**changes))}


def refused(number: int, code: int, generation_id: str = "g1") -> dict[str, Any]:
    url = f"http://receiver.test/hook?generation={generation_id}"
    return {"fact": "refused", "number": number, "code": code, "callBackUrl": url}


OWED = {"fact": "owed", "taskId": "t1", "posts": [{"name": "final"}]}


def attempt(**changes: Any) -> dict[str, Any]:
    given = {
        "taskId": "t1",
        "post": "final",
        "at": NOON + 10,
        "status": 200,
        "body_sha256": "b0d1",
    }
    return {"fact": "attempt", **given, **changes}


KNOWN = [created(), OWED, attempt()]


def generation(**changes: Any) -> dict[str, Any]:
    well = {
        "id": "g1",
        "task_id": "t1",
        "idempotency_key": None,
        "status": "success",
        "announced_at": NOON + 10,
        "result_urls": ["https://media.test/t1/1.mp3"],
        "asset_url": "https://ours.test/assets/x.mp3",
        "error_code": None,
        "error": None,
        "credits_consumed": 12.5,
        "lease_token": None,
        "sent_again_at": None,
    }
    return well | changes


def asset(**changes: Any) -> dict[str, Any]:
    size, sha256 = CONTENT(task(), "1.mp3")
    well = {
        "generation_id": "g1",
        "position": 0,
        "role": "main",
        "path": PATH,
        "size_bytes": size,
        "sha256": sha256,
        "stored_at": NOON + 11,
    }
    return well | changes


def event(name: str) -> dict[str, Any]:
    return {"generation_id": "g1", "name": name, "detail": {}}


CALLBACK = {"generation_id": "g1", "verdict": "accepted", "reason": None, "body_sha256": "b0d1"}


def evidence(**changes: Any) -> Evidence:
    """All is well: one task, delivered."""
    well: dict[str, Any] = {
        "horizon": NOON + 2 * DAY,
        "generations": [generation()],
        "assets": [asset()],
        "callbacks": [CALLBACK],
        "events": [event("submit.started"), event("generation.delivered")],
        "facts": KNOWN,
        "objects": {PATH: CONTENT(task(), "1.mp3")},
        "status_changes": [],
        "grants": [],
        "connected": ["8.8.8.8"],
        "stuck": {},
        "content": CONTENT,
    }
    return Evidence(**well | changes)


def row_with(**changes: Any) -> dict[str, Any]:
    return {"generations": [generation(**changes)]}


def undelivered(**changes: Any) -> dict[str, Any]:
    """The row as it is before anything came of it."""
    fields: dict[str, Any] = {"status": "generating", "announced_at": None, "asset_url": None}
    fields |= {"result_urls": [], "credits_consumed": None, **changes}
    return {**row_with(**fields), "assets": [], "objects": {}, "events": []}


def lost(**changes: Any) -> dict[str, Any]:
    """It was waited for, and given up."""
    return undelivered(status="failed", error_code="provider.timeout", **changes)


def change(*states: str | None) -> list[dict[str, Any]]:
    names = ("old_status", "old_error_code", "new_status", "new_error_code")
    return [{"generation_id": "g1", **dict(zip(names, states, strict=True))}]


def grants(*times: float, slots: Mapping[int, int] | None = None) -> list[dict[str, Any]]:
    return [
        {"slot": (slots or {}).get(at, at % 20), "granted_at": NOON + time, "ahead_seconds": None}
        for at, time in enumerate(times)
    ]


def ahead(seconds: float) -> dict[str, Any]:
    return {"slot": None, "granted_at": None, "ahead_seconds": seconds}


TOLD_OF_T0 = [OWED | {"taskId": "t0"}, attempt(taskId="t0")]
TOLD_LATE = [created(), OWED, attempt(at=NOON + 11 + DAY - HOUR)]
ADOPTED = event("callback.task_adopted")
ONE_MORE = created(id="t2", number=2)
SENT_AGAIN = row_with(sent_again_at=NOON + 5)
FAILED_AT_KIE = created(fail_code="501", fail_message="Generation Failed")
BY_KIE = {"status": "failed", "error_code": "provider.failed", "error": "501: Generation Failed"}
KIE_LATER = [(NOON + 2 * HOUR, NOON + DAY)]
LONG_ENOUGH = {"up": {"worker": [(NOON, NOON + 3 * HOUR)], "kie": KIE_LATER}}
TOO_SHORT = {"up": {"worker": [(NOON, NOON + 3 * HOUR - 1)], "kie": KIE_LATER}}
TEXT = {"kind": "text", "shape": "object"}

WELL: dict[str, dict[str, Any]] = {
    "delivered": {},
    "nothing at all": {"generations": [], "assets": [], "facts": [], "objects": {}, "events": []},
    "nobody watched": {"status_changes": None, "grants": None, "connected": None, "stuck": None},
    "I1 refused for now, then made": {"facts": [refused(0, 429), *KNOWN]},
    "I1 an operator sent it again": {**SENT_AGAIN, "facts": [refused(0, 500), created()]},
    "I1 sent again, and the first is not delivered": {
        **SENT_AGAIN,
        "facts": [
            created(id="t0", number=0),
            OWED | {"taskId": "t0"},
            attempt(taskId="t0"),
            *KNOWN,
        ],
    },
    "I2 could not be had": {**lost(), "downloadable": set()},
    "I2 not for long enough yet": {**lost(), "horizon": NOON + DAY},
    "I2 too little time together": {**lost(), **TOO_SHORT},
    "I2 never visible": {**lost(), "facts": [created(no_files_seconds=None)]},
    "I2 names no file": {**lost(), "facts": [created(shape="null")]},
    "I2 nobody was told": {**lost(task_id=None), "facts": [created(), OWED, attempt(status=500)]},
    "I2 told too late": {**lost(task_id=None), "facts": TOLD_LATE},
    "I2 found too late": {**lost(), "facts": TOLD_LATE, "events": [ADOPTED]},
    "I2 rescued": {**lost(), "facts": [created()], "events": [event("generation.rescued")]},
    "I2 deleted": {**lost(), "generations": [], "callbacks": [], "deleted": {"g1"}},
    "I4 refused": {"facts": [created(), attempt(status=300, body_sha256="c0c0")]},
    "I5 given up, then delivered": {
        "status_changes": change("failed", "media.gone", "success", None)
    },
    "I5 given up, then failed by KIE": {
        "status_changes": change("failed", "provider.timeout", "failed", "provider.failed")
    },
    "I6 failed by KIE": {**undelivered(**BY_KIE), "facts": [FAILED_AT_KIE]},
    "I6 refused by KIE": {
        **undelivered(task_id=None, status="failed", error_code="provider.422"),
        "facts": [refused(1, 422)],
    },
    "I6 an operator attached it": {
        "facts": [created(request=task().request | {"callBackUrl": "http://a.test?generation=g2"})],
        "events": [event("submit.started"), event("operator.attached")],
    },
    "I6 rescued": {
        "facts": [created(request={"model": "m", "input": task().request["input"]})],
        "events": [event("generation.rescued")],
        **row_with(announced_at=None),
    },
    "I7 twenty at once": {"grants": grants(*[0.0] * 20, 10.0)},
    "I7 a closed window": {
        "facts": [refused(0, 429), *KNOWN],
        "grants": grants(0, *[1.0] * 20, slots={0: 7, **{n: n - 1 for n in range(1, 21)}}),
    },
    "I7 the clock went back": {
        "grants": [ahead(60), *grants(*[60.0] * 20), ahead(0), *grants(11.0)]
    },
    "I10 stuck for a true reason": {
        **undelivered(),
        "downloadable": set(),
        "stuck": {"g1": "storage.unavailable"},
        "true_causes": {"storage.unavailable"},
    },
}

BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    # the invariant, the subject that its words are about, and what is wrong
    ("I1", "g1", {"facts": [created(), ONE_MORE]}),
    ("I1", "g1", {"facts": [refused(0, 500), created()]}),
    ("I1", "g1", {"facts": [refused(0, 422), created()]}),
    ("I1", "g1", {**SENT_AGAIN, "facts": [refused(0, 500), created(), ONE_MORE]}),
    ("I1", "key", {"generations": [generation(idempotency_key="key")] * 2}),
    ("I1", "t1", {"generations": [generation(), generation(id="g2")]}),
    ("I2", "g1", lost()),
    ("I2", "g1", {**lost(), "horizon": NOON + 10 + DAY}),
    ("I2", "g1", {**lost(), **LONG_ENOUGH}),
    ("I2", "t1", {**lost(), "generations": []}),
    ("I2", "t1", lost(task_id=None)),
    ("I2", "g1", {**lost(), "events": [ADOPTED]}),
    ("I2", "g1", {"assets": [asset(), asset(position=1)]}),
    ("I2", "g1", {"facts": [created(files=2)], "horizon": NOON + 20}),
    ("I2", "g1", {"facts": [created(shape="watermark")]}),
    ("I2", "g1", {"assets": [asset(stored_at=None)], "horizon": NOON + 20}),
    ("I2", "g1", {"facts": [created(**TEXT)]}),
    ("I3", "stray", {"objects": {PATH: CONTENT(task(), "1.mp3"), "stray": Content(1, "a")}}),
    ("I3", PATH, {"objects": {}}),
    ("I3", PATH, {"objects": {PATH: Content(3, asset()["sha256"])}}),
    ("I3", PATH, {"objects": {PATH: Content(asset()["size_bytes"], "a" * 64)}}),
    ("I3", "g1", {"assets": [asset(role="watermark")]}),
    ("I3", "g1", row_with(asset_url=None)),
    ("I4", "t1", {"callbacks": [CALLBACK | {"body_sha256": "0ther"}]}),
    ("I5", "g1", {"status_changes": change("success", None, "generating", None)}),
    ("I5", "g1", {"status_changes": change("success", None, "failed", "media.gone")}),
    ("I5", "g1", {"status_changes": change("success", None, "success", "media.gone")}),
    ("I5", "g1", {"status_changes": change("failed", "provider.failed", "success", None)}),
    ("I5", "g1", {"status_changes": change("failed", "provider.422", "failed", "media.gone")}),
    ("I5", "g1", {"status_changes": change("failed", "media.gone", "generating", None)}),
    ("I5", "g1", {"events": [event("generation.delivered")] * 2}),
    ("I6", "g1", {"facts": [FAILED_AT_KIE]}),
    ("I6", "g1", {"facts": [created(finishes_at=None)]}),
    ("I6", "g1", undelivered(**BY_KIE)),
    ("I6", "g1", {**undelivered(**BY_KIE | {"error": "forged"}), "facts": [FAILED_AT_KIE]}),
    ("I6", "g1", undelivered(task_id=None, status="failed", error_code="provider.422")),
    ("I6", "g1", {**undelivered(task_id="elsewhere"), "events": [event("submit.started")]}),
    ("I6", "g1", undelivered(task_id=None, result_urls=["https://forger.test/1.mp3"])),
    ("I6", "g1", {**undelivered(task_id=None), "assets": [asset()]}),
    ("I6", "g1", {"facts": [], "events": [event("submit.started")]}),
    ("I6", "g1", {"facts": [created(request=task().request | {"callBackUrl": "?generation=g2"})]}),
    ("I6", "g1", {"assets": [asset(sha256="f0")], "objects": {PATH: Content(1, "f0")}}),
    ("I6", "g1", row_with(result_urls=["https://forger.test/1.mp3"])),
    ("I6", "g1", {"callbacks": [CALLBACK | {"verdict": "refused"}]}),
    ("I6", "g1", {"callbacks": [CALLBACK | {"reason": "task.other"}]}),
    ("I7", f"{NOON:.3f}", {"grants": grants(*[0.0] * 20, 9.9)}),
    ("I7", f"{NOON:.3f}", {"grants": [ahead(60), *grants(*[60.0] * 20), ahead(0), *grants(9.9)]}),
    ("I7", f"{NOON + 1:.3f}", {"grants": grants(*[1.0] * 20, *[2.0])}),
    (
        "I7",
        f"{NOON:.3f}",
        {"facts": [refused(0, 429), *KNOWN], "grants": grants(*[0.0] * 10, *[1.0] * 11)},
    ),
    *(
        ("I8", address, {"connected": [address]})
        for address in (
            *("10.0.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"),
            *("::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::"),
        )
    ),
    ("I9", "g1", row_with(credits_consumed=12)),
    ("I9", "g1", row_with(credits_consumed=None)),
    ("I9", "g1", {**undelivered(**BY_KIE, credits_consumed=12.5), "facts": [FAILED_AT_KIE]}),
    ("I10", "g1", undelivered()),
    ("I10", "g1", {**undelivered(), "stuck": {"g1": "slow"}}),
    ("I10", "g1", row_with(lease_token="somebody")),
]


@pytest.mark.parametrize("name", WELL)
def test_what_is_well_breaks_nothing(name: str) -> None:
    assert check(evidence(**WELL[name])) == []


@pytest.mark.parametrize(
    ("invariant", "subject", "changes"), BROKEN, ids=[f"{one[0]}-{one[1][:12]}" for one in BROKEN]
)
def test_what_is_broken_is_named(invariant: str, subject: str, changes: dict[str, Any]) -> None:
    found = check(evidence(**changes))
    assert (invariant, subject) in [violation[:2] for violation in found]
    assert all(violation.words for violation in found)


def test_a_violation_says_what_it_is() -> None:
    [violation] = check(evidence(facts=[refused(0, 500), *KNOWN]))
    assert str(violation) == "I1 g1: sent to KIE once more (call 1) after 500"


def test_a_finished_task_is_as_it_was_finished() -> None:
    end = {"fact": "finished", "taskId": "t1", "at": NOON + 1, "failCode": "5", "failMsg": "no"}
    [violation, *_] = check(evidence(facts=[created(), end]))
    assert violation.words == "success, of which KIE says fail"


def test_what_nobody_could_have_known_is_counted() -> None:
    untold = evidence(**lost(task_id=None), facts=[created(), OWED, attempt(status=None)])
    assert (unknowable(untold), owed(untold)) == (["t1"], set())
    assert (unknowable(evidence()), owed(evidence())) == ([], {"t1"})


def test_components_have_to_be_up_at_the_same_time() -> None:
    up = {"worker": [(0.0, 10.0), (20.0, 30.0)], "kie": [(5.0, 25.0)], "storage": [(0.0, 22.0)]}
    assert seconds_together(up, 0, 100) == 7
    assert seconds_together(up, 6, 100) == 6
    assert seconds_together({}, 6, 100) == 94
    assert seconds_together({}, 101, 100) == 0


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"files": 2}, ["1.mp3", "2.mp3"]),
        ({"files": 2, "shape": "url"}, ["1.mp3"]),
        ({"shape": "twin_hosts"}, ["1.mp3", "1.mp3"]),
        ({"shape": "blank"}, []),
        ({"shape": "watermark"}, ["1.mp3", "1-watermark.mp3"]),
        ({"kind": "text"}, ["resultObject"]),
    ],
)
def test_a_result_names_its_files(changes: dict[str, Any], names: list[str]) -> None:
    assert [file.name for file in named_files(task(**changes))] == names


# the headline


def test_ours_is_counted_from_rows_and_objects() -> None:
    well = evidence()
    assert headline(told_by(well), well, owed(well)) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        (lost(), (1, 1, 0, 0)),
        ({"objects": {}}, (1, 1, 0, 0)),
        ({"facts": [created(), ONE_MORE, OWED]}, (2, 1, 1, 0)),
        ({**SENT_AGAIN, "facts": [created(), ONE_MORE, OWED]}, (2, 1, 0, 0)),
        ({"facts": [FAILED_AT_KIE]}, (1, 0, 0, 1)),
        (undelivered(**BY_KIE), (1, 1, 0, 1)),
    ],
)
def test_what_is_broken_is_counted(changes: dict[str, Any], counts: tuple[int, ...]) -> None:
    broken = evidence(**changes)
    everything = {task_id for task_id, one in broken.books.tasks.items() if not one.fail_code}
    assert headline(told_by(broken), broken, everything) == counts


def test_an_application_of_another_kind_is_counted_from_what_it_says() -> None:
    books = Evidence(horizon=NOON + DAY, facts=[created(), ONE_MORE], content=CONTENT)
    kept = [CONTENT(task(), "1.mp3").sha256]
    told = Told(
        tasks_of={"a kite": ["t1", "t2"]},
        claims={"t1": Claim("success", kept), "t2": Claim("success", ["f0"])},
    )
    assert headline(told, books, ["t1", "t2"]) == (2, 1, 1, 0)
    assert headline(told, books, ["t1", "t2"], planted=["f0"]) == (2, 1, 1, 1)


# the witness, on both databases


@pytest.fixture
def watched(tmp_path: Path, database_url: str) -> Any:
    """A world whose database is watched."""
    install_witness(database_url)
    with open_world(tmp_path, database_url) as world:
        yield world


def test_the_witness_sees_every_change_of_status(watched: World, database_url: str) -> None:
    generation = watched.add_submitted()
    watched.finish()
    watched.advance(generation)
    changes = rows_of(database_url)["status_changes"] or []
    assert {one["generation_id"] for one in changes} == {generation.id}
    states = [(one["old_status"], one["new_status"]) for one in changes]
    assert states == [("queued", "generating"), ("generating", "success")]


def test_the_witness_sees_grants_and_jumps(watched: World, database_url: str) -> None:
    generation = watched.add()
    clock_is_ahead(database_url, 60)
    assert watched.core.store.grants.grant(generation.id) is None
    [jump, grant] = rows_of(database_url)["grants"] or []
    assert (jump["slot"], jump["ahead_seconds"]) == (None, 60)
    assert grant["granted_at"] == watched.clock().timestamp()


def test_rows_are_alike_on_both_databases(watched: World, database_url: str) -> None:
    generation = watched.add_submitted()
    watched.call_back(generation, "task-1")
    watched.finish()
    watched.advance(generation)
    seen = rows_of(database_url)
    [row], [file] = seen["generations"] or [], seen["assets"] or []
    assert (row["id"], row["delivered_at"]) == (generation.id, watched.clock().timestamp())
    assert row["result_urls"] == ["https://media.test/a.png"]
    objects = objects_of(watched.stored())
    assert objects[file["path"]] == (file["size_bytes"], file["sha256"])
    assert file["stored_at"] == watched.clock().timestamp()
    assert [line["generation_id"] for line in seen["callbacks"] or []] == [generation.id]
    assert check(Evidence(horizon=NOON, objects=objects, **seen)) != []  # KIE knows of no task


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    modules = [file.stem for file in (ROOT / "tests/checker").glob("[a-z]*.py")]
    imports = "; ".join(f"import tests.checker.{module}" for module in modules)
    ours = "{'core', 'webhook', 'poller', 'dashboard'} & {m.split('.')[0] for m in sys.modules}"
    command = f"import sys; {imports}; sys.exit(sorted({ours}) and str({ours}) or 0)"
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True)
