"""`prune`: what retention deletes, now."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from core.commands.running import Console, command, opened_database
from core.settings import Settings
from core.store.retention import Retention


@command("prune")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
def prune(settings: Settings, console: Console, dry_run: bool) -> None:
    """Delete what is older than RETENTION_DAYS, as the poller does; others may work meanwhile."""
    with opened_database(settings) as database:
        retention = Retention(database, database.now, timedelta(days=settings.retention_days))
        pruned = retention.prune(
            dry_run=dry_run, progress=lambda so_far: console.progress(so_far.in_words())
        )
    console.progress_over()
    said = f"{'would go' if dry_run else 'gone'}: {pruned.in_words()}"
    console.result({"dryRun": dry_run, **asdict(pruned)}, [said])
