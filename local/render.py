"""`python -m local.render`: the migrations as SQL, to be pasted into Supabase's SQL editor."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from core.store.migrate import MIGRATIONS, TURN

FOLDER = MIGRATIONS.parent / "supabase" / "migrations"

#: One statement, and so one transaction: a revision is there as a whole or not at all.
GUARDED = r"""-- {revision}: {doc}
-- Rendered from migrations/versions/{source} by `make supabase`. May be run twice.

DO $revision$
DECLARE
    applied text;
BEGIN
    PERFORM pg_advisory_xact_lock({turn});
    IF to_regclass('alembic_version') IS NOT NULL THEN
        SELECT version_num INTO applied FROM alembic_version;
    END IF;
    IF applied !~ '^\d{{4}}$' THEN
        RAISE EXCEPTION 'alembic_version belongs to another application';
    ELSIF applied >= '{revision}' THEN
        RAISE NOTICE '{revision} has been applied already';
        RETURN;
    ELSIF applied IS NULL AND to_regclass('generations') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table generations that is not ours; to adopt it, begin with: '
            'python -m core migrate --dry-run';
    ELSIF {is_too_early} THEN
        RAISE EXCEPTION 'run {previous} before {revision}';
    END IF;

{statements}
END
$revision$;
"""


def main() -> int:
    """Write all files anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("*.sql"):
        file.unlink()
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def render() -> dict[str, str]:
    """The text of each file by its name, in the order in which they are run."""
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = reversed(list(script.walk_revisions()))
    return {_name(each): _guarded(each) for each in revisions}


def _name(revision: Script) -> str:
    """As Supabase's command line names and orders them."""
    title = Path(revision.path).stem.removeprefix(f"{revision.revision}_")
    return f"{revision.module.created}_{title}.sql"


def _guarded(revision: Script) -> str:
    previous = revision.down_revision
    return GUARDED.format(
        revision=revision.revision,
        previous=previous,
        is_too_early=f"applied IS DISTINCT FROM '{previous}'" if previous else "false",
        doc=revision.doc,
        source=Path(revision.path).name,
        turn=TURN,
        statements=_statements(revision),
    )


def _statements(revision: Script) -> str:
    """What Alembic would run, to the last line, which says that it has been."""
    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    previous = revision.down_revision
    span = f"{previous}:{revision.revision}" if previous else revision.revision
    command.upgrade(config, span, sql=True)
    # A block of PL/pgSQL has nobody to return rows to.
    return written.getvalue().replace(" RETURNING alembic_version.version_num", "").strip()


if __name__ == "__main__":
    sys.exit(main())
