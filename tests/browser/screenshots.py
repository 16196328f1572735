"""`python -m tests.browser.screenshots FOLDER`: a picture of every page, both themes and widths."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import cycle, islice, product
from pathlib import Path
from typing import Literal

from bench.history import write_history
from core.store.opening import open_database
from core.store.rollup import Rollup
from dashboard.create.examples import EXAMPLES
from tests.support.browser import NARROW, WIDE, open_browser, open_page, shoot
from tests.support.site import Site, open_site

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = {"wide": WIDE, "narrow": NARROW}
HISTORY = 20_000
FRESH = 30
PATIENCE_SECONDS = 90


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots", description=__doc__
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (
        redirect_stdout(StringIO()),  # what all the processes have said
        tempfile.TemporaryDirectory() as made,
        lived_in(Path(made)) as site,
        open_browser() as browser,
    ):
        for theme, width in product(THEMES, WIDTHS):
            for name, path in pages(site).items():
                file = folder / f"{name}-{theme}-{width}.png"
                look = {"viewport": WIDTHS[width], "color_scheme": theme}
                with open_page(browser, site.dashboard_url + path, **look) as page:
                    shoot(page, file)
                print(file, file=sys.stderr)


@contextmanager
def lived_in(folder: Path) -> Iterator[Site]:
    """A site with a month behind it, and a KIE that drops callbacks and fails tasks."""
    with open_site(folder) as site:
        file = site.data / "kie.db"
        write_history(file, HISTORY, days=45, until=datetime.now(UTC) - timedelta(minutes=3))
        database = open_database(site.database_url)
        Rollup(database, database.now).rebuild()
        database.close()
        site.faults(callback_none={"probability": 0.33}, outcome_fail={"probability": 0.1})
        site.web()
        site.poller()
        site.dashboard()
        _order(site)
        yield site


def _order(site: Site) -> None:
    examples = islice(cycle(EXAMPLES), FRESH)
    bodies = [{"model": one.model, "input": one.input, "userId": "anna"} for one in examples]
    ids = [site.create(body)["id"] for body in bodies]
    named = ", ".join(f"'{one}'" for one in ids)
    unended = f"id IN ({named}) AND status NOT IN ('success', 'failed')"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while site.row(unended) and time.monotonic() < deadline:
        time.sleep(0.5)


def pages(site: Site) -> dict[str, str]:
    """Every page worth a picture, by name: where it is."""
    video = site.row("model LIKE 'kling%' AND status = 'success' AND user_id = 'anna'")
    failed = site.row("status = 'failed' AND error_code = 'media.gone'")
    waiting = site.row("status = 'generating'")
    tasks = {"task": video, "task-failed": failed, "task-open": waiting}
    return {
        "overview": "/?period=7d",
        "stuck": "/stuck",
        **{name: f"/task?id={row['id']}" for name, row in tasks.items() if row},
        "results": "/results?user=anna",
        "results-table": "/results?view=table",
        "create": "/create",
        "system": "/system",
    }


if __name__ == "__main__":
    main()
