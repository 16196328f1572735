"""The invented history of the bench: the same for a seed, and like one of this product."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.history import write_history
from bench.history.models import USED
from bench.history.spread import spread
from core.diagnosis import Facts, Verdict, diagnose
from core.generation.model import Channel, Generation, Status
from core.kie.families.market import Market
from core.store.migrate import migrate
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.tables import metadata
from core.telling import told
from simulator.models import complaint
from tests.support.clock import NOON
from tests.support.postgres import query
from tests.support.processes import ROOT

COUNT = 2_000
WRITTEN = ("generations", "assets", "callbacks", "events", "refusals", "processes")


def history(folder: Path, count: int, **options: Any) -> Path:
    file = folder / "history.db"
    folder.mkdir(exist_ok=True)
    migrate(f"sqlite:///{file}")
    write_history(file, count, until=NOON, **options)
    return file


def rows(file: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history(tmp_path_factory.mktemp("history"), COUNT)


@pytest.fixture(scope="module")
def generations(file: Path) -> list[Generation]:
    database = open_database(f"sqlite:///{file}")
    found = Queries(database).page(limit=COUNT + 1).items
    database.close()
    return found


def test_every_row_loads(generations: list[Generation]) -> None:
    assert len(generations) == COUNT


def test_as_many_are_written_as_were_asked_for(tmp_path: Path) -> None:
    assert rows(history(tmp_path, 200), "SELECT count(*) FROM generations") == [(200,)]


def test_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    one, other = (history(tmp_path / name, 200) for name in ("one", "other"))
    for table in WRITTEN:
        assert rows(one, f"SELECT * FROM {table}") == rows(other, f"SELECT * FROM {table}")


def test_spread_over_processes_it_is_the_same(tmp_path: Path) -> None:
    one = history(tmp_path / "one", 40)
    other = history(tmp_path / "other", 40, spread=spread)
    assert rows(one, "SELECT * FROM generations") == rows(other, "SELECT * FROM generations")


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    one, other = (history(tmp_path / str(seed), 20, seed=seed) for seed in (1, 2))
    assert rows(one, "SELECT id FROM generations") != rows(other, "SELECT id FROM generations")


def test_url_names_the_file_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.db'}"
    migrate(url)
    write_history(url, 10, until=NOON)
    assert rows(tmp_path / "history.db", "SELECT count(*) FROM generations") == [(10,)]


def everything(url: str) -> dict[str, list[sa.Row[Any]]]:
    database = open_database(url)
    with database.read() as connection:
        tables = [metadata.tables[name] for name in WRITTEN]
        found = {
            table.name: list(connection.execute(sa.select(table).order_by(*table.primary_key)))
            for table in tables
        }
    database.close()
    return found


def test_both_databases_get_the_same_rows(tmp_path: Path, postgresql_url: str) -> None:
    write_history(postgresql_url, 200, until=NOON)
    assert everything(postgresql_url) == everything(f"sqlite:///{history(tmp_path, 200)}")


def test_event_after_the_history_has_the_next_id(postgresql_url: str) -> None:
    write_history(postgresql_url, 20, until=NOON)
    last = everything(postgresql_url)["events"][-1]
    [row] = query(
        postgresql_url,
        "INSERT INTO events (generation_id, at, name, detail)"
        " SELECT generation_id, at, name, detail FROM events LIMIT 1 RETURNING id",
    )
    assert row["id"] == last.id + 1


SCHEMA = """
SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT concat(conrelid::regclass, ' ', conname, ' ', pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
ORDER BY line
"""


def test_indexes_and_constraints_of_a_server_are_there_again(postgresql_url: str) -> None:
    before = query(postgresql_url, SCHEMA)
    write_history(postgresql_url, 20, until=NOON)
    assert query(postgresql_url, SCHEMA) == before


def test_history_that_breaks_off_leaves_nothing_on_a_server(postgresql_url: str) -> None:
    def break_off(written: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_history(postgresql_url, 20, until=NOON, progress=break_off)
    assert not any(everything(postgresql_url).values())


def test_planner_of_a_server_knows_how_much_there_is(postgresql_url: str) -> None:
    write_history(postgresql_url, 200, until=NOON)
    [row] = query(
        postgresql_url, "SELECT reltuples::int AS rows FROM pg_class WHERE relname = 'generations'"
    )
    assert row["rows"] == 200


@pytest.mark.parametrize("kind", ["a file", "a server"])
def test_database_that_is_there_already_is_refused(
    kind: str, tmp_path: Path, postgresql_url: str
) -> None:
    url = postgresql_url if kind == "a server" else str(history(tmp_path, 0))
    refused = subprocess.run(
        [sys.executable, "-m", "bench.history", url, "10"], cwd=ROOT, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "there is a database already" in refused.stderr


def test_indexes_are_there_again(file: Path, tmp_path: Path) -> None:
    indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
    migrate(f"sqlite:///{tmp_path / 'empty.db'}")
    assert rows(file, indexes) == rows(tmp_path / "empty.db", indexes)


def test_what_is_written_holds_together(file: Path) -> None:
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(file, "PRAGMA foreign_key_check") == []


def test_every_status_and_channel_occurs(generations: list[Generation]) -> None:
    assert {each.status for each in generations} == set(Status)
    assert {each.delivered_via for each in generations} == {*Channel, None}


def test_most_are_delivered_and_some_fail(generations: list[Generation]) -> None:
    counts = Counter(each.status for each in generations)
    assert 0.87 < counts[Status.SUCCESS] / COUNT < 0.93
    assert 0.06 < counts[Status.FAILED] / COUNT < 0.10


def test_most_results_are_announced_by_callback(generations: list[Generation]) -> None:
    via = Counter(each.delivered_via for each in generations if each.delivered_via)
    assert 0.66 < via[Channel.CALLBACK] / via.total() < 0.74
    assert 0.01 < via[Channel.SYNC] / via.total() < 0.04


def test_failures_have_many_causes(generations: list[Generation]) -> None:
    codes = {each.error_code for each in generations if each.status is Status.FAILED}
    expected = {"provider.failed", "provider.402", "provider.422", "provider.timeout"}
    assert codes >= expected | {"submit.unknown", "media.gone", "media.invalid"}


def test_diagnosis_is_never_unclear(generations: list[Generation]) -> None:
    verdicts = {
        finding.verdict
        for each in generations
        for finding in diagnose(Facts(generation=each, now=NOON)).findings
    }
    assert Verdict.UNCLEAR not in verdicts
    assert Verdict.NOT_SCHEDULED not in verdicts


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict.NOT_SUBMITTED,
        Verdict.SUBMITTING,
        Verdict.SUBMIT_UNKNOWN,
        Verdict.TASK_ID_UNCONFIRMED,
        Verdict.WAITING_AT_KIE,
        Verdict.KIE_CANNOT_BE_ASKED,
        Verdict.STORAGE_UNAVAILABLE,
        Verdict.RESULT_AT_RISK,
        Verdict.SET_ASIDE,
        Verdict.LEASE_DEAD,
        Verdict.BEING_WORKED_ON,
    ],
)
def test_every_way_to_be_open_occurs(generations: list[Generation], verdict: Verdict) -> None:
    open_ones = [each for each in generations if not each.is_final]
    diagnoses = [diagnose(Facts(generation=each, now=NOON)) for each in open_ones]
    assert any(verdict in {one.verdict for one in each.findings} for each in diagnoses)


def test_nothing_happens_after_the_end(file: Path) -> None:
    end = NOON.replace(tzinfo=None).isoformat(" ", "microseconds")
    last = "SELECT max(updated_at), max(delivered_at), max(provider_completed_at) FROM generations"
    assert all(time <= end for time in rows(file, last)[0])
    assert rows(file, f"SELECT count(*) FROM events WHERE at > '{end}'") == [(0,)]


def test_times_of_a_generation_are_in_order(generations: list[Generation]) -> None:
    for each in generations:
        steps = (each.created_at, each.submit_started_at, each.submitted_at)
        ends = (each.provider_completed_at, each.delivered_at)
        times = [time for time in (*steps, *ends) if time is not None]
        assert times == sorted(times)


def test_stored_files_are_as_the_product_names_them(generations: list[Generation]) -> None:
    for each in generations:
        if each.status is Status.SUCCESS:
            assert each.asset_url == each.assets[0].url
            assert (each.assets[0].url or "").endswith(each.assets[0].path or "-")


def test_no_callback_comes_in_the_last_hours(generations: list[Generation]) -> None:
    announced = [each.announced_at for each in generations if each.provider_completed_at]
    assert max(time for time in announced if time) < NOON - timedelta(hours=2)


def test_refused_callbacks_are_counted(file: Path) -> None:
    kept = "SELECT count(*) FROM callbacks WHERE reason IS NOT NULL"
    [[counted]] = rows(file, "SELECT sum(count) FROM refusals")
    assert counted > rows(file, kept)[0][0] > 100
    assert len(rows(file, "SELECT DISTINCT reason FROM refusals")) > 4


def test_every_line_of_the_timeline_has_its_words(file: Path) -> None:
    for name, detail in rows(file, "SELECT DISTINCT name, detail FROM events"):
        assert "?" not in told(name, json.loads(detail))[0]


@pytest.mark.parametrize("model", USED, ids=lambda model: model.name)
def test_input_is_one_that_the_model_takes(model: Any) -> None:
    given = {**model.input, **({model.prompt_field: "a kite"} if model.prompt_field else {})}
    assert complaint(model.name, given) is None
    assert Market().kind_of(model.name, given) == model.kind
