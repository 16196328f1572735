"""`migrate`: the newest schema, also over a table that was there before."""

from __future__ import annotations

import click

from core.commands.running import Console, command
from core.settings import Settings
from core.store import migrate as store_migrate
from core.store.adopting import require_prefix


@command("migrate")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--adopt",
    is_flag=True,
    help="Take over a table `generations` that was there before: see docs/adopting.md.",
)
@click.option(
    "--ours",
    "urls",
    multiple=True,
    metavar="URL",
    help="How permanent URLs of yours begin, up to a /, beside those of PUBLIC_BASE_URL and of"
    " SUPABASE_BUCKET; may be repeated.",
)
def migrate(
    settings: Settings, console: Console, dry_run: bool, adopt: bool, urls: tuple[str, ...]
) -> None:
    """Bring the database to the newest schema."""
    given = (require_prefix(url, kie_base_url=settings.kie_base_url) for url in urls)
    ours = [*_known_prefixes(settings), *given]
    told: list[str] = []
    store_migrate.migrate(
        settings.database,
        ours=ours if adopt or dry_run else None,
        dry_run=dry_run,
        tell=told.append,
    )
    lines = [f"- {sentence}" for sentence in told] or ["the database is at the newest schema"]
    if dry_run:
        lines.append("A dry run: nothing was changed.")
    console.result({"dryRun": dry_run, "changes": told}, lines)


def _known_prefixes(settings: Settings) -> list[str]:
    prefixes = [f"{settings.public_base_url}/assets/"]
    if settings.uses_supabase_storage:
        public = f"{settings.supabase_url}/storage/v1/object/public"
        prefixes.append(f"{public}/{settings.supabase_bucket}/")
    return prefixes
