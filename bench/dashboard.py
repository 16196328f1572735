"""How long the dashboard's pages take over a long history, and how much memory its process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from subprocess import Popen

from playwright.sync_api import Page

from bench.figures import Row, at_most, quantity
from bench.history import write_history
from bench.history.spread import spread
from bench.processes import free_port, memory_kib, python, running, wait_for_port
from bench.product import Product, product
from core.store.opening import open_database
from core.store.rollup import FOLDED_AT_MOST_EVERY, Rollup
from dashboard.words import results as words
from tests.support.browser import open_browser, open_page
from tests.support.postgres import Postgres

OVERVIEW_MS, OTHER_MS, PROCESS_MB = 1000, 300, 400
CSV_PATIENCE_MS = 120_000
MONTH = "period=30d"
RESULTS = ("results", "view=table")
FAILED = (*RESULTS, "status=failed")
#: Each page, each single filter, and each combination that a link on a page produces.
PAGES: dict[str, tuple[str, ...]] = {
    "overview, 30 days": ("overview", MONTH),
    "stuck": ("stuck",),
    "stuck, at risk": ("stuck", "reason=at_risk"),
    "results": RESULTS,
    "results as a gallery": ("results",),
    "results by status": FAILED,
    "results that are open": (*RESULTS, "status=open"),
    "results by kind": (*RESULTS, "kind=audio"),
    "results by model": (*RESULTS, "model={model}"),
    "results by user": (*RESULTS, "user={user}"),
    "results by channel": (*RESULTS, "via=sync"),
    "results by error code": (*RESULTS, "code={code}"),
    "results by words": (*RESULTS, "words=no such words"),
    "results by period": (*RESULTS, MONTH),
    "results, status and period": (*FAILED, MONTH),
    "results, open and period": (*RESULTS, "status=open", MONTH),
    "results, channel and period": (*RESULTS, "via=poll", MONTH),
    "results, model and period": (*RESULTS, "model={model}", MONTH),
    "results, model, status, period": (*FAILED, "model={model}", MONTH),
    "results, cause and period": (*FAILED, "model={model}", "code={code}", MONTH),
    "task": ("task", "id={id}"),
}


def dashboard(quick: bool, server: Postgres | None) -> list[Row]:
    """Every page over a history of a million, each in a fresh process."""
    generations, rounds = (50_000, 1) if quick else (1_000_000, 3)
    with product(server) as ours:
        write_history(ours.database, generations, until=datetime.now(UTC), spread=spread)
        counted = _counted(ours, f"{generations:,} generations")
        known = _known(ours)
        rows = [_page(ours, name, page, known, rounds) for name, page in PAGES.items()]
        return [*rows, _memory(ours, known), *counted]


def _counted(ours: Product, what: str) -> list[Row]:
    """Everything, and then what the last minute told of, as the poller does every few seconds."""
    database = open_database(ours.settings().database)
    all_of_it = _seconds(Rollup(database, database.now).rebuild)
    soon = Rollup(database, lambda: database.now() + FOLDED_AT_MOST_EVERY)
    news = _seconds(soon.fold)
    database.close()
    return [
        Row(measure=f"counting {what} again", ours=quantity(all_of_it, "s")),
        Row(measure=f"counting what is new in {what}", ours=quantity(news * 1000, "ms")),
    ]


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _known(ours: Product) -> dict[str, str]:
    """Values to filter by that occur, and not too rarely."""
    names = {"model": "model", "user": "user_id", "code": "error_code"}
    common = "SELECT {0} FROM generations WHERE {0} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC"
    found = {name: ours.value(common.format(column)) for name, column in names.items()}
    half = ours.count("SELECT count(*) FROM generations") // 2
    return {**found, "id": ours.value(f"SELECT id FROM generations LIMIT 1 OFFSET {half}")}


def _page(
    ours: Product, name: str, page: tuple[str, ...], known: dict[str, str], rounds: int
) -> Row:
    arguments = [word.format_map(known) for word in page]
    taken = [float(ours.run("bench.dashboard_page", *arguments)) for _ in range(rounds)]
    limit = OVERVIEW_MS if page[0] == "overview" else OTHER_MS
    return at_most(f"dashboard: {name}", median(taken), limit, "ms")


def _memory(ours: Product, known: dict[str, str]) -> Row:
    """The most that the real process ever took while a browser saw all pages and took a CSV."""
    with _served(ours) as (process, url), open_browser() as browser:
        for name, *query in PAGES.values():
            path = "" if name == "overview" else name
            address = f"{url}/{path}?{'&'.join(query).format_map(known)}"
            with open_page(browser, address):
                pass
        with open_page(browser, f"{url}/results") as page:
            _download(page)
        most = memory_kib("VmHWM", process.pid) * 1024 / 1e6
    return at_most("dashboard: memory after all these and a CSV", most, PROCESS_MB, "MB")


def _download(page: Page) -> None:
    page.get_by_role("button", name=words.CSV, exact=True).click()
    with page.expect_download(timeout=CSV_PATIENCE_MS):
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()


@contextmanager
def _served(ours: Product) -> Iterator[tuple[Popen[bytes], str]]:
    port = free_port()
    environment = {**ours.environment, "DASHBOARD_PORT": str(port)}
    with running(python("dashboard"), ours.folder, environment) as process:
        wait_for_port(port)
        yield process, f"http://127.0.0.1:{port}"
