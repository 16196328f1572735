"""What prune finds its work by, without looking at what it has done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
created = "20261122190000"

AT_REST = (
    "provider = 'kie' AND (status NOT IN ('queued', 'generating'))"
    " AND due_at IS NULL AND lease_until IS NULL"
)
UNCHECKED = "history_checked_at IS NULL OR history_checked_at <= updated_at"
INDEXES = {
    "ix_generations_history_unchecked": (
        "generations",
        ["updated_at", "id"],
        f"{AT_REST} AND ({UNCHECKED})",
    ),
    "ix_callbacks_strange": (
        "callbacks",
        ["received_at", "id"],
        "verdict = 'refused' OR reason = 'task.unknown'",
    ),
    "ix_callbacks_not_emptied": (
        "callbacks",
        ["received_at", "id"],
        "verdict = 'duplicate' OR verdict = 'accepted' AND body != ''",
    ),
}


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    if op.get_context().dialect.name == "sqlite":
        # The counts remember how far in the ids they got: one that was deleted must not come back.
        with op.batch_alter_table(
            "events", recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass
    op.add_column("generations", sa.Column("history_checked_at", sa.DateTime(timezone=True)))
    for name, (table, columns, where) in INDEXES.items():
        condition = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
