"""A generation, its states, and every transition between them.

Nothing here does I/O: a transition takes a generation, what happened and the time, and returns the
generation as it stands afterwards with the events that tell of it.
"""

from __future__ import annotations
