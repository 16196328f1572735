"""First tables."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from core.store.row_security import secure

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
created = "20261122130819"

GENERATION_ID = sa.String().with_variant(sa.Uuid(as_uuid=False), "postgresql")

CLOSED = (
    "alembic_version",
    "assets",
    "callbacks",
    "create_grants",
    "events",
    "generations",
    "processes",
    "refusals",
)


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    op.create_table(
        "callbacks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("generation_id", GENERATION_ID, nullable=True),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
    )
    op.create_index(
        "ix_callbacks_generation_id", "callbacks", ["generation_id", "id"], unique=False
    )
    op.create_index("ix_callbacks_task_id", "callbacks", ["task_id", "id"], unique=False)
    op.create_index(
        "ix_callbacks_unmatched",
        "callbacks",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("verdict = 'unmatched'"),
        postgresql_where=sa.text("verdict = 'unmatched'"),
    )
    op.create_index(
        "uq_callbacks_first_of_its_kind",
        "callbacks",
        ["generation_id", "task_id", "stage", "body_sha256"],
        unique=True,
        sqlite_where=sa.text(
            "verdict = 'accepted' AND (reason IS NULL OR reason = 'matched.later')"
        ),
        postgresql_where=sa.text(
            "verdict = 'accepted' AND (reason IS NULL OR reason = 'matched.later')"
        ),
    )

    create_grants = op.create_table(
        "create_grants",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slot", name="pk_create_grants"),
    )
    op.create_table(
        "generations",
        sa.Column("id", GENERATION_ID, nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("input", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("request_sha256", sa.String(), nullable=True),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("candidate_task_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("provider_state", sa.String(), nullable=True),
        sa.Column("announced_state", sa.String(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=True),
        sa.Column("result_urls", sa.JSON(), nullable=False),
        sa.Column("result_object", sa.Text(), nullable=True),
        sa.Column("asset_url", sa.Text(), nullable=True),
        sa.Column("preview_url", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("credits_consumed", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("step_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submit_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gave_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_via", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status <> 'success' OR asset_url IS NOT NULL",
            name=op.f("ck_generations_success_has_asset_url"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'generating', 'success', 'failed')",
            name=op.f("ck_generations_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_generations"),
    )
    op.create_index(
        "ix_generations_announced",
        "generations",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND announced_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND announced_at IS NOT NULL"),
    )
    op.create_index(
        "ix_generations_due",
        "generations",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_generations_expiring",
        "generations",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_generations_leased",
        "generations",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_generations_set_aside",
        "generations",
        ["crashes"],
        unique=False,
        sqlite_where=sa.text("crashes >= 2 AND (due_at IS NOT NULL OR lease_until IS NOT NULL)"),
        postgresql_where=sa.text(
            "crashes >= 2 AND (due_at IS NOT NULL OR lease_until IS NOT NULL)"
        ),
    )
    op.create_index("ix_generations_status_id", "generations", ["status", "id"], unique=False)
    op.create_index(
        "ix_generations_unsubmitted",
        "generations",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text(
            "due_at IS NOT NULL AND submit_started_at IS NULL AND task_id IS NULL"
        ),
        postgresql_where=sa.text(
            "due_at IS NOT NULL AND submit_started_at IS NULL AND task_id IS NULL"
        ),
    )
    op.create_index("ix_generations_user_id_id", "generations", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_generations_idempotency_key", "generations", ["idempotency_key"], unique=True
    )
    op.create_index(
        "uq_generations_task_id",
        "generations",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )

    op.create_table(
        "processes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_processes"),
    )
    op.create_table(
        "refusals",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("credential", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "reason", "credential", name="pk_refusals"),
    )
    op.create_table(
        "assets",
        sa.Column("generation_id", GENERATION_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name="fk_assets_generation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("generation_id", "position", name="pk_assets"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation_id", GENERATION_ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name="fk_events_generation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_generation_id", "events", ["generation_id", "id"], unique=False)
    never = datetime(1970, 1, 1, tzinfo=UTC)
    op.bulk_insert(create_grants, [{"slot": slot, "granted_at": never} for slot in range(20)])
    if op.get_context().dialect.name == "postgresql":
        op.execute(secure(CLOSED))
