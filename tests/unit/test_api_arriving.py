"""Requests that arrive piece by piece: threads see them whole, or not at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from webhook.arriving import BEYOND, MAX_HEAD_BYTES, MAX_REQUEST_BYTES, request_end
from webhook.impatience import CONTINUE, ImpatientSocket
from webhook.reading import MAX_BODY_BYTES

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EXPECTING = HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
WHOLE = {
    "no body": HEAD + b"\r\n",
    "a length": HEAD + b"content-LENGTH:  4 \r\n\r\nbody",
    "a body like a head": HEAD + b"Content-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n",
    "chunks": CHUNKED + b"4\r\nbody\r\nA\r\n0\r\n\r\n01234\r\n0\r\n\r\n",
    "chunks with words of their own": CHUNKED + b'4;a="b"\r\nbody\r\n0;c\r\n\r\n',
    "chunks with trailers": CHUNKED + b"4\r\nbody\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n",
}
REFUSED = {
    "a head without end": b"x" * (MAX_HEAD_BYTES + 1),
    "too long, as announced": HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
    "too long, in chunks": CHUNKED + b"fffffff\r\n" + b"x" * MAX_REQUEST_BYTES,
    "a size without end": CHUNKED + b"0" * MAX_REQUEST_BYTES,
    "trailers without end": CHUNKED + b"0\r\n" + b"x" * MAX_REQUEST_BYTES,
    "a size that is none": CHUNKED + b"-1\r\n",
    "an empty size": CHUNKED + b"\r\n",
}


def ends(request: bytes) -> list[int | None]:
    """What is known of the end after each byte."""
    received = bytearray()
    known = request_end(received, lambda: None)
    seen = []
    for byte in request:
        received.append(byte)
        seen.append(next(known))
    return seen


@pytest.mark.parametrize("name", WHOLE)
def test_a_request_has_arrived_with_its_last_byte(name: str) -> None:
    request = WHOLE[name]
    assert ends(request) == [None] * (len(request) - 1) + [len(request)]


@pytest.mark.parametrize("name", WHOLE)
def test_what_comes_behind_a_request_is_no_part_of_it(name: str) -> None:
    received = bytearray(WHOLE[name] + b"GET /y HTTP/1.1\r\n")
    assert next(request_end(received, lambda: None)) == len(WHOLE[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_will_be_refused_is_not_waited_for(name: str) -> None:
    end = next(request_end(bytearray(REFUSED[name]), lambda: None))
    assert end is not None and end > len(REFUSED[name])
    assert end == BEYOND or "announced" in name


@pytest.fixture
def pair() -> Iterator[tuple[ImpatientSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ImpatientSocket(ours), theirs


def test_a_request_is_read_once_it_has_arrived(pair: tuple[ImpatientSocket, socket.socket]) -> None:
    ours, theirs = pair
    assert not ours.has_arrived()
    theirs.send(HEAD)
    assert not ours.has_arrived()
    assert ours.held == len(HEAD)
    theirs.send(b"\r\n")
    assert ours.has_arrived()
    assert [ours.recv(8), ours.recv(1 << 16), ours.recv(1)] == [HEAD[:8], HEAD[8:] + b"\r\n", b""]


def test_a_connection_is_kept_for_its_next_request(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    for name in ("a length", "chunks", "no body"):
        theirs.send(WHOLE[name])
        assert ours.has_arrived()
        assert ours.recv(1 << 16) == WHOLE[name]
        assert ours.expect_next()
        assert not ours.has_arrived()


@pytest.mark.parametrize("sent", [WHOLE["chunks"] * 2, REFUSED["too long, as announced"]])
def test_a_connection_is_not_kept_where_more_came_or_was_to_come(
    pair: tuple[ImpatientSocket, socket.socket], sent: bytes
) -> None:
    ours, theirs = pair
    theirs.send(sent)
    assert ours.has_arrived()
    assert ours.recv(1 << 16)
    assert not ours.expect_next()


def test_a_request_that_was_read_by_half_ends_its_connection(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.send(WHOLE["a length"])
    assert ours.has_arrived()
    assert ours.recv(4)
    assert not ours.expect_next()


def test_after_the_sender_hung_up_nothing_more_has_to_come(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.send(HEAD)
    theirs.shutdown(socket.SHUT_WR)
    assert [ours.has_arrived(), ours.has_arrived()] == [False, True]
    assert [ours.recv(1 << 16), ours.recv(1)] == [HEAD, b""]
    assert not ours.expect_next()


def test_out_of_time_only_what_has_begun_is_read(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    assert not ours.cut()
    assert ours.has_arrived()
    theirs.send(b"not any more")
    assert ours.recv(1) == b""


def test_a_sender_who_waits_for_a_word_gets_it_once(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.send(EXPECTING)
    assert [ours.has_arrived(), ours.has_arrived()] == [False, False]
    assert theirs.recv(100) == CONTINUE
    theirs.send(b"{}")
    assert ours.has_arrived()


def test_a_sender_of_an_older_version_gets_no_word(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.send(EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert not ours.has_arrived()
    with pytest.raises(BlockingIOError):
        theirs.recv(1, socket.MSG_DONTWAIT)


def test_after_the_answer_the_rest_is_thrown_away_until_the_reader_hangs_up(
    pair: tuple[ImpatientSocket, socket.socket],
) -> None:
    ours, theirs = pair
    assert ours.end_sending()
    assert theirs.recv(1) == b""
    theirs.send(b"more")
    assert [ours.has_hung_up(), ours.has_hung_up()] == [False, False]
    theirs.close()
    assert ours.has_hung_up()
