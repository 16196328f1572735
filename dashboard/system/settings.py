"""The settings in force, as a table. Pure."""

from __future__ import annotations

import pandas as pd

from core.settings import Settings
from dashboard import formats
from dashboard.words import system as words

#: Who is who, and where the database is: nothing that a viewer has to know.
FOR_OPERATORS = frozenset({"DASHBOARD_OPERATORS", "DASHBOARD_VIEWERS", "DATABASE_URL"})


def table(settings: Settings, *, for_viewer: bool) -> pd.DataFrame:
    """One row per variable: its name, value, whether it differs from its default, its meaning."""
    fields = type(settings).model_fields
    changed = settings.changed()
    hidden = FOR_OPERATORS if for_viewer else frozenset()
    rows = [
        (
            name,
            words.HIDDEN if name in hidden else value or formats.NONE,
            words.CHANGED if name in changed else words.DEFAULT,
            fields[name.lower()].description,
        )
        for name, value in settings.shown().items()
    ]
    return pd.DataFrame(rows, columns=[words.SETTING, words.VALUE, words.DIFFERS, words.MEANING])
