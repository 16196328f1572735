"""The tables, once for SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from core.generation.model import Status
from core.store.types import GenerationId, UserId, UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OUR_PROVIDER = "kie"
_STATUSES = ", ".join(f"'{status}'" for status in Status)

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", GenerationId, primary_key=True),  # UUIDv7: ids sort by creation
    sa.Column("user_id", UserId),
    sa.Column("provider", sa.String, nullable=False),
    sa.Column("family", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("kind", sa.String),
    sa.Column("prompt", sa.Text),
    sa.Column("input", sa.JSON, nullable=False),
    sa.Column("idempotency_key", sa.String),
    sa.Column("request_sha256", sa.String),
    sa.Column("task_id", sa.String),
    sa.Column("candidate_task_id", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("provider_state", sa.String),
    sa.Column("announced_state", sa.String),
    sa.Column("announced_at", UtcDateTime),
    sa.Column("progress", sa.Integer),
    sa.Column("result_urls", sa.JSON, nullable=False),
    sa.Column("result_object", sa.Text),
    sa.Column("asset_url", sa.Text),
    sa.Column("preview_url", sa.Text),
    sa.Column("error_code", sa.String),
    sa.Column("error", sa.Text),
    sa.Column("credits_consumed", sa.Numeric(18, 6)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("step_since", UtcDateTime),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("crashes", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("lease_token", sa.String),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("submit_started_at", UtcDateTime),
    sa.Column("sent_again_at", UtcDateTime),
    sa.Column("submitted_at", UtcDateTime),
    sa.Column("provider_completed_at", UtcDateTime),
    sa.Column("gave_up_at", UtcDateTime),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("delivered_via", sa.String),
    sa.Column("delete_requested_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # When it was last decided whether its history may go; see core.store.retention.
    sa.Column("history_checked_at", UtcDateTime),
    # An adopted table may hold rows of other providers, which follow their own rules.
    sa.CheckConstraint(
        f"provider <> '{OUR_PROVIDER}' OR status IN ({_STATUSES})", name="status_known"
    ),
    sa.CheckConstraint(
        f"provider <> '{OUR_PROVIDER}' OR status <> 'success' OR asset_url IS NOT NULL",
        name="success_has_asset_url",
    ),
)

#: Not a row of another provider. Written out, since planners know a partial index by its words.
IS_OURS = generations.c.provider == sa.literal_column(f"'{OUR_PROVIDER}'")

# Without the rows that have none: "task_id IS NULL" must not be looked up in here by planners.
_has_task = sa.and_(generations.c.task_id.is_not(None), IS_OURS)
sa.Index(
    "uq_generations_task_id",
    generations.c.task_id,
    unique=True,
    sqlite_where=_has_task,
    postgresql_where=_has_task,
)
sa.Index("uq_generations_idempotency_key", generations.c.idempotency_key, unique=True)


def _index_newest(*columns: sa.Column[Any], where: sa.ColumnElement[bool] | None = None) -> None:
    """For lists of what has these values, newest first."""
    name = "_".join(["ix_generations", *(column.name for column in columns), "created_at"])
    _partial_index(name, *columns, generations.c.created_at, where=where)


def _partial_index(
    name: str, *columns: sa.ColumnElement[Any], where: sa.ColumnElement[bool] | None
) -> None:
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


_index_newest()
_index_newest(generations.c.user_id)
_index_newest(generations.c.status)
_index_newest(generations.c.kind)
_index_newest(generations.c.model)
_index_newest(generations.c.model, generations.c.status)
for _rare in (generations.c.delivered_via, generations.c.error_code):
    _index_newest(_rare, where=_rare.is_not(None))
_index_newest(
    generations.c.error_code, generations.c.model, where=generations.c.error_code.is_not(None)
)

#: Not ended yet. Written out, since planners know a partial index again by its words only.
IS_OPEN = generations.c.status.in_(
    [sa.literal_column(f"'{status}'") for status in (Status.QUEUED, Status.GENERATING)]
)
_partial_index("ix_generations_open", generations.c.created_at, where=IS_OPEN)


_due = generations.c.due_at.is_not(None)
_partial_index("ix_generations_due", generations.c.due_at, where=_due)
_partial_index(
    "ix_generations_expiring",
    generations.c.expires_at,
    where=sa.and_(_due, generations.c.expires_at.is_not(None)),
)
_partial_index(
    "ix_generations_leased",
    generations.c.lease_until,
    where=generations.c.lease_until.is_not(None),
)
_partial_index(
    "ix_generations_unsubmitted",
    generations.c.due_at,
    generations.c.id,
    where=sa.and_(_due, generations.c.submit_started_at.is_(None), generations.c.task_id.is_(None)),
)
_partial_index(
    "ix_generations_announced",
    generations.c.due_at,
    generations.c.id,
    where=sa.and_(_due, generations.c.announced_at.is_not(None)),
)
_partial_index(
    "ix_generations_set_aside",
    generations.c.crashes,
    where=sa.and_(
        generations.c.crashes >= 2,
        sa.or_(_due, generations.c.lease_until.is_not(None)),
    ),
)

#: Ended, and nothing is going to happen to it by itself. Said by what it is not, or SQLite would
#: rather look through all that have a status.
IS_AT_REST = sa.and_(
    IS_OURS,
    ~IS_OPEN,
    generations.c.due_at.is_(None),
    generations.c.lease_until.is_(None),
)
#: Never checked, or changed since.
HISTORY_UNCHECKED = sa.or_(
    generations.c.history_checked_at.is_(None),
    generations.c.history_checked_at <= generations.c.updated_at,
)
_partial_index(
    "ix_generations_history_unchecked",
    generations.c.updated_at,
    generations.c.id,
    where=sa.and_(IS_AT_REST, HISTORY_UNCHECKED),
)

assets = sa.Table(
    "assets",
    metadata,
    sa.Column(
        "generation_id",
        GenerationId,
        sa.ForeignKey("generations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("source_url", sa.Text),
    sa.Column("path", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("content_type", sa.String),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("sha256", sa.String),
    sa.Column("stored_at", UtcDateTime),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failed_since", UtcDateTime),
    sa.Column("error_code", sa.String),
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("task_id", sa.String),
    sa.Column("generation_id", GenerationId),  # as claimed: a refused one may name any
    sa.Column("stage", sa.String),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("detail", sa.Text),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # masked and capped
    sa.Column("body_sha256", sa.String, nullable=False),  # of the original
)
sa.Index("ix_callbacks_generation_id", callbacks.c.generation_id, callbacks.c.id)
sa.Index("ix_callbacks_task_id", callbacks.c.task_id, callbacks.c.id)
#: Accepted, and about this generation's own task: what makes a repeat a duplicate.
ACCEPTED_FOR_GOOD = sa.and_(
    callbacks.c.verdict == "accepted",
    sa.or_(callbacks.c.reason.is_(None), callbacks.c.reason == "matched.later"),
)
sa.Index(
    "uq_callbacks_first_of_its_kind",
    callbacks.c.generation_id,
    callbacks.c.task_id,
    callbacks.c.stage,
    callbacks.c.body_sha256,
    unique=True,
    sqlite_where=ACCEPTED_FOR_GOOD,
    postgresql_where=ACCEPTED_FOR_GOOD,
)
_accepted = callbacks.c.verdict == "accepted"
sa.Index(
    "ix_callbacks_accepted",
    callbacks.c.received_at,
    sqlite_where=_accepted,
    postgresql_where=_accepted,
)
_not_accepted = callbacks.c.reason.is_not(None)
sa.Index(
    "ix_callbacks_reason",
    callbacks.c.reason,
    callbacks.c.received_at,
    sqlite_where=_not_accepted,
    postgresql_where=_not_accepted,
)
_unmatched = callbacks.c.verdict == "unmatched"
sa.Index(
    "ix_callbacks_unmatched",
    callbacks.c.received_at,
    sqlite_where=_unmatched,
    postgresql_where=_unmatched,
)

#: Of no task of ours, as far as was known when they came and ever since.
IS_STRANGE = sa.or_(
    callbacks.c.verdict == sa.literal_column("'refused'"),
    callbacks.c.reason == sa.literal_column("'task.unknown'"),
)
#: There is still something in it that may go.
IS_NOT_EMPTIED = sa.or_(
    callbacks.c.verdict == sa.literal_column("'duplicate'"),
    sa.and_(
        callbacks.c.verdict == sa.literal_column("'accepted'"),
        callbacks.c.body != sa.literal_column("''"),
    ),
)
for _name, _where in (("strange", IS_STRANGE), ("not_emptied", IS_NOT_EMPTIED)):
    _partial_index(f"ix_callbacks_{_name}", callbacks.c.received_at, callbacks.c.id, where=_where)

#: How many callbacks were refused or unmatched, per hour and reason; bounds what is kept of them.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("hour", UtcDateTime, primary_key=True),
    sa.Column("reason", sa.String, primary_key=True),
    sa.Column("credential", sa.Boolean, primary_key=True),  # whether the URL credential was valid
    sa.Column("count", sa.Integer, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column(
        "generation_id",
        GenerationId,
        sa.ForeignKey("generations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # counts remember how far they got: no id may come twice
)
#: What is left of a timeline; the one event that changes no count.
HISTORY_PRUNED = "history.pruned"
sa.Index("ix_events_generation_id", events.c.generation_id, events.c.id)

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

#: The last createTask grants, one row each: the oldest is overwritten by the next grant.
create_grants = sa.Table(
    "create_grants",
    metadata,
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("granted_at", UtcDateTime, nullable=False),
)

#: The generations created in one hour that have the same of everything counted by; '' for none.
cohorts = sa.Table(
    "cohorts",
    metadata,
    sa.Column("hour", UtcDateTime, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("status", sa.String, primary_key=True),
    sa.Column("error_code", sa.String, primary_key=True),
    sa.Column("delivered_via", sa.String, primary_key=True),
    sa.Column("generations", sa.Integer, nullable=False),
    sa.Column("credits", sa.Numeric(18, 6), nullable=False),
    sa.Column("files", sa.Integer, nullable=False),  # stored
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("example", sa.String, nullable=False),  # the id of one of them
    sqlite_with_rowid=False,  # read in the order of its key
)

#: Histograms of how long things took for the generations created in one hour.
durations = sa.Table(
    "durations",
    metadata,
    sa.Column("hour", UtcDateTime, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("measure", sa.String, primary_key=True),
    sa.Column("up_to_ms", sa.BigInteger, primary_key=True),  # upper bound of the bucket
    sa.Column("generations", sa.Integer, nullable=False),
    sqlite_with_rowid=False,  # read in the order of its key
)

#: How far events have been folded into the two tables above: one row, made by the migration.
rollups = sa.Table(
    "rollups",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event_id", sa.BigInteger, nullable=False),
    sa.Column("folded_at", UtcDateTime),  # None: never
)

#: Hours to be counted again of which no event tells: something in them was deleted.
stale_hours = sa.Table(
    "stale_hours",
    metadata,
    sa.Column("hour", UtcDateTime, primary_key=True),
)
