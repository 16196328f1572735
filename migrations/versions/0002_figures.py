"""What lists and figures of a long history are read from, and what an operator sent again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.store.row_security import secure

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
created = "20261122153858"

LISTS = {
    "ix_generations_created_at": (["created_at"], None),
    "ix_generations_user_id_created_at": (["user_id", "created_at"], None),
    "ix_generations_status_created_at": (["status", "created_at"], None),
    "ix_generations_kind_created_at": (["kind", "created_at"], None),
    "ix_generations_model_created_at": (["model", "created_at"], None),
    "ix_generations_model_status_created_at": (["model", "status", "created_at"], None),
    "ix_generations_delivered_via_created_at": (
        ["delivered_via", "created_at"],
        "delivered_via IS NOT NULL",
    ),
    "ix_generations_error_code_created_at": (
        ["error_code", "created_at"],
        "error_code IS NOT NULL",
    ),
    "ix_generations_error_code_model_created_at": (
        ["error_code", "model", "created_at"],
        "error_code IS NOT NULL",
    ),
    "ix_generations_open": (["created_at"], "status IN ('queued', 'generating')"),
}
CALLBACKS = {
    "ix_callbacks_accepted": (["received_at"], "verdict = 'accepted'"),
    "ix_callbacks_reason": (["reason", "received_at"], "reason IS NOT NULL"),
}


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    op.add_column("generations", sa.Column("sent_again_at", sa.DateTime(timezone=True)))
    _make_indexes("generations", LISTS)
    _make_indexes("callbacks", CALLBACKS)
    op.drop_index("ix_generations_user_id_id", "generations")
    op.drop_index("ix_generations_status_id", "generations")
    op.create_table(
        "cohorts",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.Column("delivered_via", sa.String(), nullable=False),
        sa.Column("generations", sa.Integer(), nullable=False),
        sa.Column("credits", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour", "model", "kind", "status", "error_code", "delivered_via", name="pk_cohorts"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "durations",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("up_to_ms", sa.BigInteger(), nullable=False),
        sa.Column("generations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "model", "measure", "up_to_ms", name="pk_durations"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stale_hours",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hour", name="pk_stale_hours"),
    )
    rollups = op.create_table(
        "rollups",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("folded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rollups"),
    )
    op.bulk_insert(rollups, [{"id": 1, "event_id": 0, "folded_at": None}])
    if op.get_context().dialect.name == "postgresql":
        op.execute(secure(["cohorts", "durations", "rollups", "stale_hours"]))


def _make_indexes(table: str, indexes: dict[str, tuple[list[str], str | None]]) -> None:
    for name, (columns, where) in indexes.items():
        condition = sa.text(where) if where else None
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
