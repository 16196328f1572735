"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
created = ${repr(create_date.strftime("%Y%m%d%H%M%S"))}


def upgrade() -> None:
    """Each revision works with the previous release's code: roll back code, never the schema."""
    ${upgrades if upgrades else "pass"}
