"""Permanent storage in a bucket of Supabase Storage.

Importing `opening` brings Supabase's client along, some 60 MiB: only `core.wiring` does, and only
where files go there.
"""

from __future__ import annotations
