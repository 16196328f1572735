"""Answers as Flask responses, and the one thing Flask cannot do: break a connection."""

from __future__ import annotations

import socket
from contextlib import suppress

from flask import Response, request

from simulator.answers import Answer
from simulator.kie import PretendKie


def respond(kie: PretendKie, answer: Answer) -> Response:
    """The answer after its delay, or a cut connection."""
    if answer.delay_seconds:
        kie.sleep(answer.delay_seconds)
    if answer.cut:
        cut(connection())
        return Response(status=500)
    return Response(answer.body, answer.status, content_type=answer.content_type)


def connection() -> socket.socket | None:
    """The socket of the current request; None under a test client."""
    found: socket.socket | None = request.environ.get("werkzeug.socket")
    return found


def cut(connection: socket.socket | None) -> None:
    """Close the connection under the server's feet: the client sees it end too early."""
    if connection is not None:
        with suppress(OSError):  # the client was quicker
            connection.shutdown(socket.SHUT_RDWR)
