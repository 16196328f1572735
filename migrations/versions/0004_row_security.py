"""Row-level security where Supabase's roles exist, and the realtime publication."""

from __future__ import annotations

from alembic import op

from core.store.row_security import open_to_owners, secure

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
created = "20261122185000"

#: What only the service role may use.
CLOSED = (
    "alembic_version",
    "assets",
    "callbacks",
    "cohorts",
    "create_grants",
    "durations",
    "events",
    "processes",
    "refusals",
    "rollups",
    "stale_hours",
)


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(secure(CLOSED))
    op.execute(open_to_owners())
