"""A double of Supabase Storage that is as unpleasant as the real server was seen to be.

It is a real HTTP server with its objects on disk. By itself it refuses with HTTP 400 and the true
status in the body, stops reading what it refuses, forgets limits where no length is sent, and lists
a missing bucket as empty. `fault` makes what is to come go wrong in other ways.
"""

from __future__ import annotations

from tests.support.supabase_storage.double import SupabaseStorageDouble, supabase_storage
from tests.support.supabase_storage.faults import Fault

__all__ = ["Fault", "SupabaseStorageDouble", "supabase_storage"]
