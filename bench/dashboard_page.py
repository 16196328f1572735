"""`python -m bench.dashboard_page PAGE [NAME=VALUE ...]`: milliseconds that a page's script takes.

In a process that has warmed up as the dashboard does, has shown an empty page, for what Streamlit
does once, and opens its database anew.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from streamlit import config
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.navigation import PLACES
from dashboard.warm_up import warm_up
from dashboard.words import common as words

APP = Path(dashboard.__file__).with_name("app.py")
EMPTY = "import streamlit as st\nst.title('Nothing')"


def main() -> None:
    """Run it once and print how long it took."""
    config.set_option("logger.level", "error")  # that there is no server is no news
    config.set_option("server.address", "127.0.0.1")  # as it is by default: nobody is asked who
    warm_up()
    AppTest.from_string(EMPTY).run()
    sys.modules["dashboard.resources"].core().store.database.close()
    name, *query = sys.argv[1:]
    [place] = [place for place in PLACES if place.title.lower() == name]
    page = AppTest.from_file(APP, default_timeout=120)
    if place.url_path:
        page.switch_page(place.file)
    for each in query:
        key, _, value = each.partition("=")
        page.query_params[key] = value
    with _timed() as runs:
        page.run()
    [took] = runs
    said = [each.value for each in (*page.exception, *page.error)]
    failed = any(words.BROKEN in each or words.DATABASE_AWAY in each for each in said)
    if page.exception or failed or place.title != page.title[0].value:
        raise RuntimeError(f"{name}: {said}, {page.title}")
    print(f"{took * 1000:.1f}")


@contextmanager
def _timed() -> Iterator[list[float]]:
    """How long each run of a script takes; AppTest around it waits in steps of 100 ms."""
    runs: list[float] = []
    run_script = ScriptRunner._run_script

    def timed(runner: ScriptRunner, request: RerunData) -> None:
        started = time.perf_counter()
        run_script(runner, request)
        runs.append(time.perf_counter() - started)

    with patch.object(ScriptRunner, "_run_script", timed):
        yield runs


if __name__ == "__main__":
    main()
