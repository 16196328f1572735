"""Migrations under writers: of this release, whose work goes on, and of the first one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.generation.model import Generation
from core.ids import new_id
from core.store.opening import open_database
from core.store.rows import to_columns
from core.store.store import Store
from core.store.tables import generations
from tests.processes.load import BAD_DAY, finish, submitted
from tests.processes.test_load import DELIVERED, all_are_delivered_once
from tests.support.audit import audit
from tests.support.earlier import tables_of
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.revisions import REVISIONS, upgrade
from tests.support.simulator import SPEECH
from tests.support.site import Site

TASKS, MIGRATIONS = 120, 3
ENOUGH = 4  # rows before and after
PAUSE_SECONDS = 0.2  # KIE takes 20 in 10 s


def test_all_goes_on_while_somebody_migrates_again_and_again(site: Site) -> None:
    site.faults(**BAD_DAY)
    site.web()
    site.poller()
    tasks = submitted(site, TASKS)
    for number in range(MIGRATIONS):
        delivered = len(site.rows(DELIVERED))
        finish(site, tasks[number::MIGRATIONS])
        assert site.start("core", "migrate").ended() == 0
        wait_until(lambda: len(site.rows(DELIVERED)) > delivered, "deliveries go on", 40)  # noqa: B023
    all_are_delivered_once(site, TASKS)
    said = "".join(process.output for process in site.processes)
    assert "store.unavailable" not in said
    assert "Traceback" not in said


@pytest.fixture(params=["sqlite", "postgresql"])
def first_release(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site whose database the first release has left."""
    server: Postgres | None = None
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.create()
    site = Site(tmp_path, url)
    try:
        upgrade(site.database_url, REVISIONS[0])
        site.simulator()
        yield site
        assert audit(site.data, site.database_url) == []
    finally:
        site.close()
        if server is not None:
            server.drop(url)


def test_what_the_first_release_writes_meanwhile_is_taken(first_release: Site) -> None:
    site = first_release
    site.faults(callback_none=True)
    columns = {column.name for column in tables_of(site.database_url).tables["generations"].c}
    with writing(site, columns) as written:
        wait_until(lambda: len(written.ids) >= ENOUGH, "the first release writes")
        assert site.start("core", "migrate").ended() == 0
        before = len(written.ids)
        wait_until(lambda: len(written.ids) >= before + ENOUGH, "it still does")
    assert written.failed == []
    site.poller()
    rows = site.wait_for_all(90)
    assert sorted(str(row["id"]) for row in rows) == sorted(written.ids)
    assert {row["status"] for row in rows} == {"success"}


@dataclass
class Written:
    """What a writer has done so far."""

    ids: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@contextmanager
def writing(site: Site, columns: set[str]) -> Iterator[Written]:
    """For the length of the block somebody puts generations on record, in these columns only."""
    written, over = Written(), threading.Event()

    def write() -> None:
        with closing(open_database(site.database_url, connections=1)) as database:
            now = Store(database).now
            while not over.wait(PAUSE_SECONDS):
                moment = now()
                row = to_columns(
                    Generation(
                        **SPEECH,
                        id=new_id(),
                        family="market",
                        created_at=moment,
                        updated_at=moment,
                        due_at=moment,
                    )
                )
                known = {name: value for name, value in row.items() if name in columns}
                try:
                    with database.write() as connection:
                        connection.execute(sa.insert(generations).values(known))
                except Exception as error:
                    written.failed.append(repr(error))
                else:
                    written.ids.append(row["id"])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()
