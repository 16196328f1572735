"""What is wrong with the data folder or the database's address is said in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import ConfigError
from core.store.database import Database
from core.store.opening import open_database
from core.wiring import open_core
from tests.support.world import World, settings


@pytest.mark.parametrize("folder", ["file", "file/data"])
def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    opening = open_core(settings(tmp_path / folder))
    with pytest.raises(ConfigError, match=r"^DATA_DIR: "), opening:
        pass


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hush@h/db",
        "postgresql://u:x@hush@h/db",
        "postgresql://u:hu#sh@h:p/db",
        "postgresql://u:hush@h/db?pg=1",
    ],
)
def test_the_password_of_a_database_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^DATABASE_URL: ") as caught:
        open_database(url)
    assert not {"hush", "hu#sh"} & set(re.split(r"[^\w#]", str(caught.value)))


def test_the_values_of_a_failed_statement_are_not_shown(world: World) -> None:
    database: Database = world.core.store.database
    statement = sa.text("INSERT INTO generations (id) VALUES (:id)")
    with pytest.raises(sa.exc.DBAPIError) as caught, database.write() as connection:
        connection.execute(statement, {"id": "hush-hush"})
    assert "hush" not in str(caught.value)
