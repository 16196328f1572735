"""The double as tests have it: started, looked at, made to fail, away and back again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import wait_until
from tests.support.supabase_storage.faults import Fault
from tests.support.supabase_storage.server import Server
from tests.support.supabase_storage.state import Bucket, Object, State, Upload
from tests.support.supabase_storage.wire import Request

KEY = "service-role-key-of-the-double"
ANON_KEY = "anon-key-of-the-double"


class SupabaseStorageDouble:
    """A storage server on a free port; `url` is what SUPABASE_URL would be."""

    key, anon_key = KEY, ANON_KEY

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state = State(folder)
        self._start(Server(port, self.state, KEY, ANON_KEY))
        self.url = self._server.url

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that lead here."""
        return {"supabase_url": self.url, "supabase_service_role_key": self.key}

    @property
    def buckets(self) -> dict[str, Bucket]:
        """All buckets by name; may be changed."""
        return self.state.buckets

    @property
    def uploads(self) -> dict[str, Upload]:
        """Resumable uploads by id; cleared, they have expired."""
        return self.state.uploads

    @property
    def requests(self) -> list[Request]:
        """Every request so far; may be cleared."""
        return self._server.requests

    @property
    def lines(self) -> list[str]:
        """`METHOD /path` of every request so far."""
        return [request.line for request in self.requests]

    def objects(self, bucket: str = "generations") -> dict[str, Object]:
        """The objects of a bucket by path."""
        found = self.state.objects.items()
        return {key: stored for (name, key), stored in found if name == bucket}

    def contents(self, bucket: str = "generations") -> dict[str, bytes]:
        """Their bytes."""
        return {key: stored.content for key, stored in self.objects(bucket).items()}

    def add(self, path: str, content: bytes, bucket: str = "generations") -> None:
        """An object that is just there, put by nobody."""
        file = self.state.new_file()
        file.write_bytes(content)
        self.state.commit(bucket, path, file, "application/octet-stream", "no-cache")

    def fault(self, kind: Any, on: str = "", **how: Any) -> Fault:
        """Let something go wrong with the next request that `on` is part of; see Fault."""
        fault = Fault(kind, on, **how)
        self._server.faults.append(fault)
        return fault

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._server.faults.clear()

    def limit(self, size_bytes: int | None) -> None:
        """The largest object that the server takes in any bucket."""
        self._server.limit = size_bytes

    def change_key(self, key: str) -> None:
        """From now on another key is the right one."""
        self._server.key = key

    def put_a_gateway_in_front(self) -> None:
        """From now on the bodies of refused requests are read to their end."""
        self._server.drains = True

    def wait_until_nobody_calls(self) -> None:
        """Return once every connection has ended, and all that came on it was dealt with."""
        wait_until(lambda: not self._server.callers, "the end of all connections")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Refuse every connection for the length of the block, and break those that there are."""
        self.close()
        before = self._server
        try:
            yield
        finally:
            self._start(Server(before.server_address[1], self.state, KEY, ANON_KEY))
            self._server.faults, self._server.requests = before.faults, before.requests
            self._server.limit, self._server.drains = before.limit, before.drains

    def close(self) -> None:
        """Stop, and wait for every thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def _start(self, server: Server) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()


@contextmanager
def supabase_storage(folder: Path, port: int = 0) -> Iterator[SupabaseStorageDouble]:
    """A double without any bucket, its objects in a folder, until the block ends."""
    double = SupabaseStorageDouble(folder, port)
    try:
        yield double
    finally:
        double.close()
