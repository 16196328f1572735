"""Tables as users of earlier systems have them, and what adopting makes of one.

The file names are those of the migrations that a table had come through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from psycopg.types.json import Jsonb

from core.store.adopting import adopt, needs_adopting
from core.store.migrate import _config, turn_to_migrate
from tests.support.postgres import query

#: All rows of the files are as old as they are at this moment.
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = ("http://127.0.0.1:8000/assets/", "https://ours.test/storage/v1/object/public/generations/")
HOUR = timedelta(hours=1)
USER = "00000000-0000-4000-8000-00000000000a"

_010 = ("users", "003", "003_rows", "010", "010_rows")
_011 = (*_010, "011", "011_rows")
SHAPES = {
    "003": ("users", "003", "003_rows"),
    "003 with one model column": ("users", "003", "003_rows", "before_008"),
    "009": ("users", "003", "003_rows", "009"),
    "010": _010,
    "011 whose check could not be added": _011,
    "011": ("users", "003", "010", "011", "011_check", "011_rows"),
    "all": (*_011, "later", "later_rows"),
    "all, with stray columns": (*_011, "later", "later_rows", "stray", "stray_rows"),
}

#: What is enough to be adopted.
SMALL = """
CREATE TABLE generations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid, status text, task_id text,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
)
"""


def build(url: str, shape: str, *, rows: bool = True) -> None:
    """Fill an empty database with such a table."""
    folder = Path(__file__).parent
    with psycopg.connect(url) as connection:
        for name in SHAPES[shape]:
            if rows or not name.endswith("_rows"):
                connection.execute((folder / f"{name}.sql").read_bytes())


def insert(url: str, **columns: Any) -> str:
    """One row as an earlier system may have left it, in a table with all columns; its id."""
    values: dict[str, Any] = {
        "user_id": USER,
        "type": "photo",
        "model_id": "flux",
        "model_name": "FLUX",
        "prompt": "a red house",
        "status": "completed",
        "task_id": "task-1",
        "created_at": NOW - HOUR,
        "updated_at": NOW - HOUR,
        **columns,
    }
    names = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    written = [
        Jsonb(value) if isinstance(value, list | dict) else value for value in values.values()
    ]
    (row,) = query(
        url, f"INSERT INTO generations ({names}) VALUES ({places}) RETURNING id", written
    )
    return str(row["id"])


def adopt_table(url: str, *, ours: Sequence[str] = OURS, undo: bool = False) -> list[str]:
    """Adopt the table of a database, or only try; what was told of it."""
    told: list[str] = []
    with turn_to_migrate(url) as connection:
        assert needs_adopting(connection)
        config = _config(connection)
        adopt(
            connection,
            NOW,
            ours=ours,
            upgrade=lambda revision: command.upgrade(config, revision),
            tell=told.append,
        )
        if undo:
            connection.rollback()
    return told
