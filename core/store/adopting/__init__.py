"""Taking over a `generations` table that was there before us, with all that is in it.

Everything happens in the caller's transaction, so that a dry run is the real thing rolled back.
PostgreSQL only: no earlier system kept such a table in SQLite.
"""

from __future__ import annotations

from core.store.adopting.adopt import adopt, needs_adopting
from core.store.adopting.old_table import AdoptionError
from core.store.adopting.ours import require_prefix

__all__ = ["AdoptionError", "adopt", "needs_adopting", "require_prefix"]
