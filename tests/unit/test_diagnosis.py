"""Each rule by the fewest facts that set it off, the moments around each limit, and the order."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnosis import Facts, Finding, Severity, Verdict, diagnose
from core.diagnosis.words import span, when
from core.generation.model import GIVING_UP, Asset, Channel, Code, Generation, Status
from core.kie.report import AskAnswer, AskFailed, Report
from tests.support.clock import NOON
from tests.support.fake_kie import report
from tests.support.world import World

ID = "01993a5e-0000-7000-8000-000000000001"
SECOND = timedelta(seconds=1)
PROMPT = "a red kite above the sea"
UNKNOWN = AskFailed("kie.unknown_task", "recordInfo is null")


def ago(**duration: float) -> datetime:
    return NOON - timedelta(**duration)


def soon(**duration: float) -> datetime:
    return NOON + timedelta(**duration)


def generation(**fields: Any) -> Generation:
    """Created a minute ago, due in 40 s."""
    values: dict[str, Any] = {
        "id": ID,
        "family": "market",
        "model": "flux-2/pro-text-to-image",
        "kind": "image",
        "prompt": PROMPT,
        "input": {"prompt": PROMPT},
        "created_at": ago(minutes=1),
        "updated_at": ago(minutes=1),
        "due_at": soon(seconds=40),
    }
    return Generation(**{**values, **fields})


def submitted(**fields: Any) -> Generation:
    """Accepted by KIE ten seconds ago."""
    values: dict[str, Any] = {
        "task_id": "task-1",
        "submit_started_at": ago(seconds=11),
        "submitted_at": ago(seconds=10),
    }
    return generation(**{**values, **fields})


def asset(**fields: Any) -> Asset:
    """A file still at KIE's host."""
    return Asset(**{"position": 0, "source_url": "https://host.test/a.png?sig=s3cret", **fields})


def stored(**fields: Any) -> Asset:
    """A file in permanent storage."""
    values: dict[str, Any] = {"path": "u/a.png", "size_bytes": 10, "stored_at": ago(minutes=1)}
    return asset(**{**values, **fields})


def finished(**fields: Any) -> Generation:
    """Finished by KIE half a minute ago, its file not stored yet."""
    values: dict[str, Any] = {
        "status": Status.GENERATING,
        "provider_state": "success",
        "announced_at": ago(seconds=30),
        "announced_state": "success",
        "provider_completed_at": ago(seconds=30),
        "expires_at": soon(days=14),
        "assets": (asset(),),
    }
    return submitted(**{**values, **fields})


def delivered(**fields: Any) -> Generation:
    """Stored, announced by a callback."""
    values: dict[str, Any] = {
        "status": Status.SUCCESS,
        "assets": (stored(),),
        "asset_url": "http://127.0.0.1:8000/assets/u/a.png",
        "delivered_at": ago(seconds=20),
        "delivered_via": Channel.CALLBACK,
        "due_at": None,
    }
    return finished(**{**values, **fields})


def failed(code: str, **fields: Any) -> Generation:
    values: dict[str, Any] = {"status": Status.FAILED, "error_code": code, "due_at": None}
    return submitted(**{**values, **fields})


def callback(verdict: str = "accepted", **fields: Any) -> dict[str, Any]:
    values = {
        "verdict": verdict,
        "reason": None,
        "detail": None,
        "task_id": "task-1",
        "generation_id": ID,
        "received_at": ago(seconds=5),
    }
    return {**values, **fields}


def naming(url: str, **fields: Any) -> dict[str, Any]:
    """An accepted callback whose body names a file."""
    result = json.dumps({"resultUrls": [url]})
    return callback(body=json.dumps({"data": {"resultJson": result}}), **fields)


def event(name: str, **detail: Any) -> dict[str, Any]:
    return {"name": name, "at": ago(seconds=5), "detail": detail}


def findings(of: Generation, **fields: Any) -> dict[str, Finding]:
    facts = Facts(**{"generation": of, "now": NOON, **fields})
    return {finding.verdict: finding for finding in diagnose(facts).findings}


V, S = Verdict, Severity
NO_TASK: dict[str, Any] = {"task_id": None, "submitted_at": None}

RULES: list[tuple[Verdict, Severity, Generation, dict[str, Any]]] = [
    (V.NOT_SUBMITTED, S.INFO, generation(), {}),
    (V.NOT_SUBMITTED, S.INFO, generation(error_code="submit.rate_limited"), {}),
    (V.NOT_SUBMITTED, S.INFO, generation(error_code="kie.rate_limited"), {}),
    (V.NOT_SUBMITTED, S.WARNING, generation(error_code="kie.unreachable"), {}),
    (V.SUBMITTING, S.INFO, submitted(**NO_TASK, lease_until=soon(seconds=9)), {}),
    (V.SUBMIT_UNKNOWN, S.WARNING, submitted(**NO_TASK), {}),
    (V.SUBMIT_UNKNOWN, S.WARNING, submitted(**NO_TASK, error_code="submit.unknown"), {}),
    (V.TASK_ID_UNCONFIRMED, S.INFO, submitted(**NO_TASK, candidate_task_id="task-1"), {}),
    (V.TASK_ID_CONFLICT, S.WARNING, submitted(), {"events": [event("task_id.conflict")]}),
    (V.WAITING_AT_KIE, S.INFO, submitted(), {}),
    (V.WAITING_AT_KIE, S.INFO, submitted(), {"kie": report(state="waiting")}),
    (V.NO_FILES_YET, S.WARNING, finished(assets=()), {}),
    (V.KIE_CANNOT_BE_ASKED, S.ERROR, submitted(error_code="kie.unauthorized"), {}),
    (V.KIE_CANNOT_BE_ASKED, S.WARNING, submitted(), {"kie": AskFailed("kie.no_credits", "402")}),
    (V.KIE_CANNOT_BE_ASKED, S.INFO, submitted(), {"kie": AskFailed("kie.rate_limited", "429")}),
    (V.KIE_CANNOT_BE_ASKED, S.WARNING, submitted(), {"kie": AskFailed("kie.unavailable", "HTML")}),
    (V.KIE_UNKNOWN_TASK, S.WARNING, submitted(submitted_at=ago(minutes=5)), {"kie": UNKNOWN}),
    (V.BEHIND_KIE, S.WARNING, submitted(), {"kie": report(state="success")}),
    (V.BEHIND_KIE, S.WARNING, submitted(), {"kie": report(state="fail")}),
    (V.BEHIND_KIE, S.WARNING, failed("provider.timeout"), {"kie": report(state="success")}),
    (V.KIE_CONTRADICTS, S.WARNING, failed("provider.failed"), {"kie": report(state="success")}),
    (V.CALLBACK_NEVER_CAME, S.INFO, delivered(delivered_via="poll", announced_at=None), {}),
    (V.CALLBACK_NEVER_CAME, S.INFO, submitted(submitted_at=ago(minutes=5)), {}),
    (V.CALLBACK_REFUSED, S.WARNING, submitted(), {"callbacks": [callback("refused")]}),
    (V.CALLBACK_REFUSED, S.INFO, delivered(), {"callbacks": [callback("refused")]}),
    (
        V.CALLBACK_DISAGREES,
        S.WARNING,
        delivered(),
        {"events": [event("callback.disagrees", callback="fail", kie="success")]},
    ),
    (V.CALLBACK_FOREIGN, S.WARNING, submitted(), {"callbacks": [callback(reason="task.other")]}),
    (V.CALLBACK_FOREIGN, S.WARNING, submitted(), {"callbacks": [callback(generation_id="other")]}),
    (V.CALLBACK_FOREIGN, S.WARNING, submitted(), {"events": [event("callback.task_refused")]}),
    (V.NOT_STORED, S.INFO, finished(), {}),
    (V.STORAGE_UNAVAILABLE, S.WARNING, finished(error_code="storage.unavailable"), {}),
    (V.STORAGE_UNAVAILABLE, S.WARNING, delivered(), {"storage_problem": "no such folder"}),
    (V.STORAGE_REFUSES, S.WARNING, finished(error_code="storage.refused"), {}),
    (V.DISK_FULL, S.WARNING, finished(error_code="disk.full"), {}),
    (V.SPOOL_FULL, S.WARNING, finished(error_code="spool.full"), {}),
    (V.MEDIA_MISSING, S.WARNING, finished(error_code="media.dead"), {}),
    (V.MEDIA_DAMAGED, S.WARNING, finished(error_code="media.broken"), {}),
    (V.MEDIA_UNREACHABLE, S.WARNING, finished(error_code="media.unreachable"), {}),
    (V.RESULT_AT_RISK, S.WARNING, finished(provider_completed_at=ago(hours=2)), {}),
    (V.MAIN_FILE_LOST, S.ERROR, finished(assets=(asset(error_code="media.gone"),)), {}),
    (
        V.EXTRAS_LOST,
        S.INFO,
        delivered(assets=(stored(), asset(position=1, role="watermark", error_code="media.gone"))),
        {},
    ),
    (V.FILE_MISSING, S.ERROR, delivered(), {"stored_sizes": {"u/a.png": None}}),
    (V.FILE_SIZE_DIFFERS, S.ERROR, delivered(), {"stored_sizes": {"u/a.png": 9}}),
    (V.BEING_WORKED_ON, S.INFO, submitted(due_at=None, lease_until=soon(seconds=9)), {}),
    (V.LEASE_DEAD, S.WARNING, submitted(due_at=None, lease_until=ago(seconds=9)), {}),
    (V.SET_ASIDE, S.ERROR, submitted(crashes=3), {}),
    (V.OVERDUE, S.WARNING, submitted(due_at=ago(minutes=2)), {}),
    (V.NOT_SCHEDULED, S.ERROR, submitted(due_at=None), {}),
    (V.REFUSED_BY_KIE, S.ERROR, failed("provider.402"), {}),
    (V.PROVIDER_FAILED, S.ERROR, failed("provider.failed"), {}),
    (V.GAVE_UP_SUBMIT_UNKNOWN, S.ERROR, failed("submit.unknown"), {}),
    (V.GAVE_UP_PROVIDER_TIMEOUT, S.ERROR, failed("provider.timeout"), {}),
    (V.GAVE_UP_PROVIDER_EMPTY, S.ERROR, failed("provider.empty"), {}),
    (V.GAVE_UP_MEDIA_GONE, S.ERROR, failed("media.gone"), {}),
    (V.GAVE_UP_MEDIA_INVALID, S.ERROR, failed("media.invalid"), {}),
    (V.GAVE_UP_MEDIA_TOO_LARGE, S.ERROR, failed("media.too_large"), {}),
    (V.GAVE_UP_MEDIA_REFUSED, S.ERROR, failed("media.refused"), {}),
    (V.GAVE_UP_BY_OPERATOR, S.ERROR, failed("operator.gave_up"), {}),
    (V.DELIVERED, S.OK, delivered(), {"stored_sizes": {"u/a.png": 10}}),
    (V.UNCLEAR, S.WARNING, failed("nobody.knows"), {}),
]


@pytest.mark.parametrize(("verdict", "severity", "of", "more"), RULES)
def test_each_rule_finds_what_it_is_about(
    verdict: Verdict, severity: Severity, of: Generation, more: dict[str, Any]
) -> None:
    assert findings(of, **more)[verdict].severity is severity


def test_every_verdict_is_in_the_table_above() -> None:
    assert {verdict for verdict, *_ in RULES} == set(Verdict)


@pytest.mark.parametrize(
    ("verdict", "of", "more"),
    [
        (V.SUBMIT_UNKNOWN, generation(), {}),
        (V.NOT_SUBMITTED, submitted(**NO_TASK), {}),
        (V.KIE_CANNOT_BE_ASKED, submitted(error_code="kie.unavailable"), {"kie": report()}),
        (V.KIE_CANNOT_BE_ASKED, delivered(), {"kie": AskFailed("kie.unavailable", "down")}),
        (V.KIE_UNKNOWN_TASK, delivered(), {"kie": UNKNOWN}),
        (V.BEHIND_KIE, finished(), {"kie": report(state="success")}),
        (V.KIE_CONTRADICTS, delivered(), {"kie": report(state="success")}),
        (V.CALLBACK_NEVER_CAME, delivered(delivered_via="callback"), {}),
        (V.CALLBACK_FOREIGN, submitted(), {"callbacks": [callback(reason="matched.later")]}),
        (V.CALLBACK_FOREIGN, submitted(), {"callbacks": [callback("refused", generation_id="x")]}),
        (V.DELIVERED, delivered(), {"stored_sizes": {"u/a.png": None}}),
        (V.FILE_MISSING, delivered(), {"stored_sizes": None}),
        (V.SET_ASIDE, delivered(crashes=3), {}),
        (V.NOT_SCHEDULED, delivered(), {}),
        (V.SUBMITTING, submitted(lease_until=soon(seconds=9)), {}),
    ],
)
def test_rules_stay_silent_where_all_is_well(
    verdict: Verdict, of: Generation, more: dict[str, Any]
) -> None:
    assert verdict not in findings(of, **more)


@pytest.mark.parametrize(
    ("verdict", "before", "after"),
    [
        (V.LEASE_DEAD, submitted(lease_until=NOON), submitted(lease_until=NOON - SECOND)),
        (V.SET_ASIDE, submitted(crashes=2), submitted(crashes=3)),
        (V.OVERDUE, submitted(due_at=ago(seconds=60)), submitted(due_at=ago(seconds=61))),
        (
            V.RESULT_AT_RISK,
            finished(provider_completed_at=ago(hours=1)),
            finished(provider_completed_at=ago(hours=1, seconds=1)),
        ),
        (
            V.CALLBACK_NEVER_CAME,
            submitted(submitted_at=ago(seconds=20)),
            submitted(submitted_at=ago(seconds=21)),
        ),
        (
            V.CALLBACK_DISAGREES,
            submitted(announced_state="success", announced_at=ago(seconds=60)),
            submitted(announced_state="success", announced_at=ago(seconds=61)),
        ),
    ],
)
def test_on_the_limit_nothing_is_found_and_after_it_something(
    verdict: Verdict, before: Generation, after: Generation
) -> None:
    assert (verdict in findings(before), verdict in findings(after)) == (False, True)


@pytest.mark.parametrize(("seconds", "severity"), [(89, S.INFO), (90, S.WARNING), (91, S.WARNING)])
def test_kie_may_not_know_a_fresh_task(seconds: int, severity: Severity) -> None:
    fresh = submitted(submitted_at=ago(seconds=seconds))
    assert findings(fresh, kie=UNKNOWN)[V.KIE_UNKNOWN_TASK].severity is severity


@pytest.mark.parametrize(("seconds", "severity"), [(599, S.INFO), (600, S.INFO), (601, S.WARNING)])
def test_being_stuck_makes_waiting_serious(seconds: int, severity: Severity) -> None:
    waiting = submitted(created_at=ago(seconds=seconds))
    assert findings(waiting)[V.WAITING_AT_KIE].severity is severity


@pytest.mark.parametrize(("hours", "severity"), [(25, S.WARNING), (24, S.WARNING), (23, S.ERROR)])
def test_on_its_last_day_a_result_at_risk_is_an_error(hours: int, severity: Severity) -> None:
    old = finished(provider_completed_at=ago(days=13), expires_at=soon(hours=hours))
    assert findings(old)[V.RESULT_AT_RISK].severity is severity


@pytest.mark.parametrize(
    ("reason", "setting"),
    [
        ("credential.missing", "createTask"),
        ("credential.wrong", "KIE_CALLBACK_SECRET"),
        ("credential.other_key", "KIE_CALLBACK_SECRET"),
        ("signature.missing", "KIE_WEBHOOK_HMAC_KEY"),
        ("signature.malformed", "X-Webhook-Signature"),
        ("signature.wrong", "KIE_WEBHOOK_HMAC_KEY"),
        ("signature.other_key", "KIE_WEBHOOK_HMAC_KEY"),
        ("signature.stale", "clock"),
        ("body.not_json", "proxy"),
        ("a.new_reason", "docs/operations.md"),
    ],
)
def test_each_refusal_names_what_to_set_right(reason: str, setting: str) -> None:
    row = callback("refused", reason=reason, detail="KIE's clock is 400 s behind ours")
    refused = findings(submitted(), callbacks=[row])[V.CALLBACK_REFUSED]
    assert setting in refused.suggestions[0]
    assert "Detail: “KIE's clock is 400 s behind ours”" in refused.evidence


def test_the_last_refusal_speaks_and_all_reasons_are_told() -> None:
    rows = [
        callback("refused", reason="credential.wrong", received_at=ago(minutes=9)),
        callback("refused", reason="credential.wrong", received_at=ago(minutes=8)),
        callback("refused", reason="signature.stale", received_at=ago(minutes=3)),
    ]
    refused = findings(submitted(), callbacks=rows)[V.CALLBACK_REFUSED]
    assert "clock" in refused.summary
    assert refused.evidence == (
        "2 refused as credential.wrong, the last 8 min ago.",
        "1 refused as signature.stale, the last 3 min ago.",
    )


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ("400: bad", "not accepted"),
        ("401: key", "API key"),
        ("402: money", "credits"),
        ("404: page", "nothing under that address"),
        ("422: model", "model's name"),
        ("433: cap", "limit of this API key"),
        ("451: fetch", "could not fetch"),
        ("500: oops", "failed inside"),
        ("501: failed", "failed at KIE"),
        ("505: off", "switched"),
        ("531: failed", "gave the credits back"),
        ("GENERATION_FAILED", "failed at KIE"),
        ("500: PUBLIC_ERROR_UNSAFE_GENERATION", "safety check"),
        ("no idea", "not in our list"),
    ],
)
def test_kies_reason_is_put_into_words(error: str, meaning: str) -> None:
    assert meaning in findings(failed("provider.failed", error=error))[V.PROVIDER_FAILED].summary


def test_kies_answer_of_now_says_more_than_what_was_saved() -> None:
    now = report(state="fail", fail_code="451", fail_message="image not reachable")
    told = findings(failed("provider.failed", error="oops"), kie=now)[V.PROVIDER_FAILED]
    assert "could not fetch" in told.summary


@pytest.mark.parametrize("code", sorted(GIVING_UP))
def test_every_giving_up_warns_against_a_refund(code: Code) -> None:
    first = diagnose(Facts(generation=failed(code), now=NOON))
    assert any("Do not refund" in line for line in first.suggestions)


def test_what_kie_never_took_may_be_created_again() -> None:
    never = failed("provider.timeout", task_id=None, submit_started_at=None, submitted_at=None)
    told = findings(never)[V.GAVE_UP_PROVIDER_TIMEOUT]
    assert told.suggestions == (
        "Create it again: KIE certainly made no task, so nothing was paid.",
    )


def test_a_giving_up_says_when_it_is_looked_at_again() -> None:
    told = findings(failed("media.gone", due_at=soon(hours=6)))[V.GAVE_UP_MEDIA_GONE]
    assert "Next look in 6 h." in told.evidence


def test_waiting_tells_times_and_the_next_look() -> None:
    waiting = submitted(provider_state="generating", progress=40, asked_at=ago(minutes=3))
    assert findings(waiting)[V.WAITING_AT_KIE].evidence == (
        "Submitted 10 s ago.",
        "KIE said generating, 40 % when last asked 3 min ago.",
        "An image usually takes 10 to 60 s.",
        "Next look in 40 s.",
    )


def test_storing_tells_what_is_left_and_for_how_long() -> None:
    told = findings(finished(error_code="disk.full", error="9 bytes free", attempts=4))
    assert told[V.DISK_FULL].evidence == (
        "0 of 1 files done.",
        "The rest is at host.test.",
        "KIE finished 30 s ago.",
        "Attempts so far: 4.",
        "Last problem, disk.full: “9 bytes free”",
        "Next look in 40 s.",
        "KIE deletes its copy in 14 days, by its own rule.",
    )


def test_advice_names_the_call_to_make() -> None:
    behind = findings(submitted(), kie=report(state="success"))[V.BEHIND_KIE]
    assert f"`GET /api/kie/sync?id={ID}`" in behind.suggestions[0]


def test_neither_prompt_nor_address_nor_credential_is_shown() -> None:
    words = f"cannot do {PROMPT}, see https://kie.test/x/y?a=1 token=s3cret"
    told = findings(failed("provider.failed", error=words))[V.PROVIDER_FAILED]
    assert told.evidence == ("KIE's words: “cannot do (the prompt), see kie.test token=***”",)


def test_the_most_serious_finding_speaks_first() -> None:
    facts = Facts(
        generation=finished(crashes=3, error_code="disk.full", provider_completed_at=ago(hours=2)),
        now=NOON,
        callbacks=[callback("refused", reason="signature.wrong")],
    )
    told = diagnose(facts)
    assert [finding.verdict for finding in told.findings] == [
        V.SET_ASIDE,
        V.DISK_FULL,
        V.RESULT_AT_RISK,
        V.CALLBACK_REFUSED,
    ]
    assert (told.verdict, told.severity) == (V.SET_ASIDE, S.ERROR)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_durations_are_told_in_the_largest_unit_of_two(seconds: int, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-180, "3 min ago"), (0, "now"), (0.9, "now"), (40, "in 40 s")]
)
def test_moments_are_told_from_now(seconds: float, words: str) -> None:
    assert when(NOON + timedelta(seconds=seconds), NOON) == words


def test_rows_as_the_database_gives_them_are_understood(world: World) -> None:
    made = world.add()
    world.finish()
    world.advance(made)
    world.core.store.generations.wake(made.id)
    world.clock.advance(30)
    row = world.advance(made)
    queries = world.core.queries
    facts = Facts(
        generation=row,
        now=world.clock(),
        stored_sizes={path: len(data) for path, data in world.stored().items()},
        callbacks=queries.callbacks_of(row),
        events=queries.events_of(row),
    )
    told = [finding.verdict for finding in diagnose(facts).findings]
    assert told == [V.CALLBACK_NEVER_CAME, V.DELIVERED]


OURS = "https://host.test/a.png"


@pytest.mark.parametrize(
    ("url", "fields", "differs"),
    [
        ("https://host.test/b.png", {}, True),
        ("https://other.test/a.png", {}, True),
        (OURS, {}, False),
        (f"{OURS}?token=***", {}, False),
        ("https://host.test/b.png", {"verdict": "refused"}, False),
        ("https://host.test/b.png", {"task_id": "task-2"}, False),
    ],
)
def test_a_callback_that_named_other_files_than_kie_is_a_finding(
    url: str, fields: dict[str, Any], differs: bool
) -> None:
    known = delivered(result_urls=(f"{OURS}?sig=1", "https://host.test/c.png"))
    told = findings(known, callbacks=[naming(url, **fields)]).get(V.CALLBACK_DISAGREES)
    evidence = told.evidence if told else ()
    assert ("The callback named other files than KIE." in evidence) is differs


@pytest.mark.parametrize("body", [None, "", "{", '{"data": {"resultJson": "…'])
def test_a_callback_whose_body_was_not_kept_whole_disagrees_with_nothing(body: str | None) -> None:
    known = delivered(result_urls=(OURS,))
    assert V.CALLBACK_DISAGREES not in findings(known, callbacks=[callback(body=body)])


CODES = st.one_of(
    st.none(),
    st.sampled_from([*Code, "provider.402", "provider.", "kie.unavailable", "kie.unknown_task"]),
    st.sampled_from(["storage.unavailable", "disk.full", "media.dead", "submit.rate_limited"]),
    st.text(max_size=8),
)
TIMES = st.integers(-(10**9), 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds))
MAYBE_TIME = st.none() | TIMES
STATES = st.none() | st.sampled_from(["waiting", "queuing", "generating", "success", "fail", "?"])
NAMES = st.none() | st.sampled_from([ID, "task-1", "other"])
TEXTS = st.none() | st.text(max_size=20) | st.just("see http://[bad/ and https://a.test/x")
ASSETS = st.builds(
    Asset,
    position=st.integers(0, 3),
    role=st.sampled_from(["main", "watermark"]),
    source_url=TEXTS,
    path=st.none() | st.just("u/a.png"),
    size_bytes=st.none() | st.integers(0, 10),
    stored_at=MAYBE_TIME,
    error_code=CODES,
)
GENERATIONS = st.builds(
    Generation,
    id=st.just(ID),
    family=st.just("market"),
    model=st.just("m"),
    input=st.just({}),
    created_at=TIMES,
    updated_at=TIMES,
    kind=st.none() | st.sampled_from(["image", "music"]),
    prompt=TEXTS,
    task_id=NAMES,
    candidate_task_id=NAMES,
    status=st.sampled_from(Status),
    provider_state=STATES,
    announced_state=STATES,
    announced_at=MAYBE_TIME,
    progress=st.none() | st.integers(0, 100),
    error_code=CODES,
    error=TEXTS,
    credits_consumed=st.none() | st.just(Decimal(4)),
    attempts=st.integers(0, 5),
    step_since=MAYBE_TIME,
    asked_at=MAYBE_TIME,
    crashes=st.integers(0, 4),
    due_at=MAYBE_TIME,
    expires_at=MAYBE_TIME,
    lease_until=MAYBE_TIME,
    submit_started_at=MAYBE_TIME,
    submitted_at=MAYBE_TIME,
    provider_completed_at=MAYBE_TIME,
    gave_up_at=MAYBE_TIME,
    delivered_at=MAYBE_TIME,
    delivered_via=st.none() | st.sampled_from(Channel),
    assets=st.lists(ASSETS, max_size=3).map(tuple),
)
ANSWERS: st.SearchStrategy[AskAnswer | None] = st.one_of(
    st.none(),
    st.builds(AskFailed, st.sampled_from(["kie.unknown_task", "kie.refused", "x"]), st.text()),
    st.builds(
        Report,
        task_id=st.just("task-1"),
        state=STATES.map(lambda state: state or "new"),
        fail_code=TEXTS,
        fail_message=TEXTS,
        progress=st.none() | st.integers(0, 100),
        completed_at=MAYBE_TIME,
    ),
)
CALLBACKS = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["accepted", "duplicate", "unmatched", "refused"]),
        "reason": st.none() | st.sampled_from(["task.other", "signature.stale", "new"]),
        "detail": TEXTS,
        "task_id": NAMES,
        "generation_id": NAMES,
        "received_at": TIMES,
    }
)
EVENTS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["callback.disagrees", "callback.task_refused", "task_id.conflict"]
        ),
        "at": TIMES,
        "detail": st.one_of(st.none(), st.just({}), st.just({"callback": "fail", "row": "x"})),
    }
)
FACTS = st.builds(
    Facts,
    generation=GENERATIONS,
    now=TIMES,
    kie=ANSWERS,
    stored_sizes=st.sampled_from([None, {}, {"u/a.png": None}, {"u/a.png": 3}]),
    storage_problem=TEXTS,
    callbacks=st.lists(CALLBACKS, max_size=3),
    events=st.lists(EVENTS, max_size=3),
)


@settings(deadline=None)
@given(facts=FACTS)
def test_whatever_the_facts_there_is_a_verdict(facts: Facts) -> None:
    told = diagnose(facts)
    ranks = [finding.severity.rank for finding in told.findings]
    verdicts = [finding.verdict for finding in told.findings]
    assert told.verdict == verdicts[0]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(verdicts)) == len(verdicts)
    assert all(
        finding.summary and finding.suggestions
        for finding in told.findings
        if finding.severity is not S.OK
    )
