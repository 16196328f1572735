"""Rows of other providers, which an adopted table may hold, follow their own rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
created = "20261122180000"

CHECKS = {
    "ck_generations_status_known": "status IN ('queued', 'generating', 'success', 'failed')",
    "ck_generations_success_has_asset_url": "status <> 'success' OR asset_url IS NOT NULL",
}


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    with op.batch_alter_table("generations") as table:
        for name, condition in CHECKS.items():
            table.drop_constraint(op.f(name), type_="check")
            table.create_check_constraint(op.f(name), f"provider <> 'kie' OR {condition}")
    op.drop_index("uq_generations_task_id", "generations")
    has_task = sa.text("task_id IS NOT NULL AND provider = 'kie'")
    op.create_index(
        "uq_generations_task_id",
        "generations",
        ["task_id"],
        unique=True,
        sqlite_where=has_task,
        postgresql_where=has_task,
    )
