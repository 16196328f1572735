"""Whether everything is configured and reachable, for those who run it: `run_checks` in `run`.

Each check says in one line what was seen, and in another what to do where that is not well.
"""

from __future__ import annotations
