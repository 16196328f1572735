"""A deletion that was begun, for whoever has to finish it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
created = "20261123050000"


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    op.add_column("generations", sa.Column("delete_requested_at", sa.DateTime(timezone=True)))
