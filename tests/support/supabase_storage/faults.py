"""What can go wrong between a client and its storage, beyond what the server does by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

GATEWAY_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

Kind = Literal[
    "answer",  # another answer than the server's, before the request is looked at
    "hang",  # nothing is read and nothing answered
    "cut",  # the connection breaks after `after` bytes of the request's body
    "lose_answer",  # the request is carried out, and the connection breaks
    "truncate",  # the request is carried out, and half of the answer comes
    "drip",  # the answer begins, and never ends
    "forget",  # the answer says that it was done, and it was not
]


@dataclass
class Fault:
    """One of them, for the next `times` requests whose `METHOD /path` contains `on`."""

    kind: Kind
    on: str = ""
    times: float = 1
    after: int = 0
    status: int = 502
    body: bytes = GATEWAY_PAGE
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/html"})


def taken(faults: list[Fault], request_line: str) -> Fault | None:
    """The first fault that a request meets, counted down."""
    for fault in faults:
        if fault.times > 0 and fault.on in request_line:
            fault.times -= 1
            return fault
    return None
