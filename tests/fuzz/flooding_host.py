"""A host that never stops: a head, then the same again and again until the caller is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 16


@contextmanager
def flooding_host(head: bytes, unit: bytes) -> Iterator[str]:
    """The address of a host on this machine that treats its first caller so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_flood, args=(listener, head, unit))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _flood(listener: socket.socket, head: bytes, unit: bytes) -> None:
    piece = unit * (PIECE // len(unit))
    with suppress(OSError), listener.accept()[0] as caller:
        caller.sendall(head)
        while True:
            caller.sendall(piece)  # raises once the caller is gone
