"""`recount`: the figures, from their rows."""

from __future__ import annotations

from core.commands.running import Console, command, opened_database
from core.settings import Settings
from core.store.rollup import Rollup


@command("recount")
def recount(settings: Settings, console: Console) -> None:
    """Count all generations again for the dashboard's figures; others may work meanwhile."""
    with opened_database(settings) as database:
        hours = Rollup(database, database.now).rebuild(
            lambda hour: console.progress(f"counted {hour:%Y-%m-%d %H:00} UTC")
        )
    console.progress_over()
    console.result({"hours": hours}, [f"{hours} hours counted again"])
