"""`python -m bench.dashboard_page PAGE [NAME=VALUE ...]`: milliseconds that a page's script takes.

In a process that has imported everything, but opened no database and kept no answer yet.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.navigation import PLACES

APP = Path(dashboard.__file__).with_name("app.py")
SCRIPTS = ("dashboard.app", "dashboard.app_pages", "dashboard.__main__")


def main() -> None:
    """Run it once and print how long it took."""
    name, *query = sys.argv[1:]
    [place] = [place for place in PLACES if place.title.lower() == name]
    for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
        if not module.name.startswith(SCRIPTS):
            importlib.import_module(module.name)
    page = AppTest.from_file(APP, default_timeout=120)
    if place.url_path:
        page.switch_page(place.file)
    for each in query:
        key, _, value = each.partition("=")
        page.query_params[key] = value
    started = time.perf_counter()
    page.run()
    took = time.perf_counter() - started
    if page.exception or page.error:
        raise RuntimeError(f"{name}: {[each.value for each in (*page.exception, *page.error)]}")
    print(f"{took * 1000:.1f}")


if __name__ == "__main__":
    main()
