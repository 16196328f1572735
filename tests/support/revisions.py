"""Databases as an earlier release left them."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.store.migrate import MIGRATIONS, turn_to_migrate

#: From the first to the newest.
REVISIONS = [each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def upgrade(url: str, revision: str) -> None:
    """Apply migrations up to one of them."""
    with turn_to_migrate(url) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
