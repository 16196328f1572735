"""The last proof that KIE's callbacks arrive."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from core.store.inbox import Verdict
from core.store.tables import callbacks

_LAST_ACCEPTED = sa.select(sa.func.max(callbacks.c.received_at)).where(
    # Written out: planners know a partial index by its words.
    callbacks.c.verdict == sa.literal_column(f"'{Verdict.ACCEPTED}'")
)


def last_callback_at(connection: sa.Connection) -> datetime | None:
    """When the newest accepted callback came."""
    found: datetime | None = connection.scalar(_LAST_ACCEPTED)
    return found
