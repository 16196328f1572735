"""What is done before the first visitor comes, so that the first page is as fast as any other."""

from __future__ import annotations

import importlib
import pkgutil
from contextlib import suppress

import PIL.Image  # noqa: F401 - Streamlit imports it with the first page
from streamlit.logger import set_log_level

import dashboard
from core.errors import StoreUnavailableError

SCRIPTS = ("dashboard.app", "dashboard.__main__")  # run by Streamlit, the pages too


def warm_up() -> None:
    """Import what the pages need, and open the core. A database that is away is left to them."""
    set_log_level("ERROR")  # until it is configured: it would warn that it does not run yet
    names = [module.name for module in pkgutil.walk_packages(dashboard.__path__, "dashboard.")]
    modules = {name: importlib.import_module(name) for name in names if name not in SCRIPTS}
    with suppress(StoreUnavailableError):
        modules["dashboard.resources"].usual()
