"""How long the dashboard's pages take over a long history, and how much memory its process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from subprocess import Popen

from bench.figures import Row, at_most, quantity
from bench.history import write_history
from bench.history.spread import spread
from bench.processes import free_port, memory_kib, python, running, wait_for_port
from bench.product import Product, product
from core.store.database import Database
from core.store.rollup import Rollup
from core.store.store import utc_now
from tests.support.browser import open_browser, open_page

OVERVIEW_MS, OTHER_MS, PROCESS_MB = 1000, 300, 400
PERIOD = "period=30d"
#: Each page, each single filter, and each combination that a link on a page produces.
PAGES: dict[str, tuple[str, ...]] = {
    "overview, 30 days": ("overview", PERIOD),
    "stuck": ("stuck",),
    "stuck, one reason": ("stuck", "reason=at_risk"),
    "results": ("results", "view=table"),
    "results, gallery": ("results", "view=gallery"),
    "results by status": ("results", "view=table", "status=failed", "period=all"),
    "results that are open": ("results", "view=table", "status=open", "period=all"),
    "results by kind": ("results", "view=table", "kind=audio", "period=all"),
    "results by model": ("results", "view=table", "model={model}", "period=all"),
    "results by user": ("results", "view=table", "user={user}", "period=all"),
    "results by channel": ("results", "view=table", "via=sync", "period=all"),
    "results by error code": ("results", "view=table", "code={code}", "period=all"),
    "results by words": ("results", "view=table", "words=no such words", "period=all"),
    "results, model and period": ("results", "view=table", "model={model}", PERIOD),
    "results, model, status, period": (
        *("results", "view=table", "model={model}", "status=failed", PERIOD),
    ),
    "results, cause and period": (
        *("results", "view=table", "model={model}", "status=failed", "code={code}", PERIOD),
    ),
    "task": ("task", "id={id}"),
}


def dashboard(quick: bool) -> list[Row]:
    """Every page over a history of a million, each in a fresh process."""
    generations, rounds = (50_000, 1) if quick else (1_000_000, 3)
    with product() as ours:
        write_history(ours.database, generations, until=datetime.now(UTC), spread=spread)
        counted_s = _count_all(ours)
        known = _known(ours)
        rows = [_page(ours, name, page, known, rounds) for name, page in PAGES.items()]
        rows.append(_memory(ours, known))
    what = f"counting {generations:,} generations again"
    return [*rows, Row(measure=what, ours=quantity(counted_s, "s"))]


def _count_all(ours: Product) -> float:
    database = Database(ours.settings().database)
    started = time.perf_counter()
    Rollup(database, utc_now).rebuild()
    database.close()
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
    """The most that the real process ever took while a browser went through all pages."""
    with _served(ours) as (process, url), open_browser() as browser:
        for name, *query in PAGES.values():
            path = "" if name == "overview" else name
            address = f"{url}/{path}?{'&'.join(query).format_map(known)}"
            with open_page(browser, address):
                pass
        most = memory_kib("VmHWM", process.pid) * 1024 / 1e6
    return at_most("dashboard: memory after all these pages", most, PROCESS_MB, "MB")


@contextmanager
def _served(ours: Product) -> Iterator[tuple[Popen[bytes], str]]:
    port = free_port()
    environment = {**ours.environment, "DASHBOARD_PORT": str(port)}
    with running(python("dashboard"), ours.folder, environment) as process:
        wait_for_port(port)
        yield process, f"http://127.0.0.1:{port}"
