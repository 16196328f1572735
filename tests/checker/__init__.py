"""The independent checker: KIE's ledger, the database and storage against the promise.

It knows what KIE did and what the tables mean, and nothing of the code that filled them: nothing
here imports core, webhook or poller.
"""

from __future__ import annotations
