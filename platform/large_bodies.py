"""The body of a large answer, read from its connection in large pieces.

The HTTP library takes 64 KiB at a time and copies each of them several times, which bounds a fast connection more than
the network does. It still makes the request, by its own rules of certificates, proxies, redirections and timeouts.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import httpx

PIECE_BYTES = 1 << 20
# A slow connection is told of, and can be stopped, before it has filled a piece.
_GATHER_SECONDS = 0.1


def large_pieces(response: httpx.Response) -> Iterator[bytes | memoryview]:
    """The stored bytes of an answer that was asked for as a stream, as they come.

    Two buffers take turns: a piece holds until the next but one is asked for. What has arrived when the connection
    breaks is given before that is raised.

    Raises:
        httpx.TransportError: The connection broke, or fell silent for longer than the request's read timeout.
    """
    pieces = response.iter_raw()
    left = _announced(response)
    connection = _socket_of(response)
    if connection is not None and left >= PIECE_BYTES:
        # The first piece is all that the library has taken beyond the header.
        first = next(pieces, b"")
        yield first
        left -= len(first)
        if left >= PIECE_BYTES:
            connection.settimeout(response.request.extensions.get("timeout", {}).get("read"))
            yield from _received(connection, left, response.request)
            # The library does not know what was read, so when the answer is closed, it closes the connection.
            return
    yield from pieces


def _announced(response: httpx.Response) -> int:
    """The bytes of the body where each of them on the connection is one of the body; 0 where they may not be."""
    length = response.headers.get("content-length", "")
    is_plain = response.extensions.get("http_version") == b"HTTP/1.1" and "transfer-encoding" not in response.headers
    has_body = response.request.method != "HEAD" and response.status_code not in {204, 304}
    return int(length) if is_plain and has_body and length.isdecimal() else 0


def _socket_of(response: httpx.Response) -> socket.socket | None:
    """The socket that gives the body in the clear, if there is one."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None
    found, secured_by = stream.get_extra_info("socket"), stream.get_extra_info("ssl_object")
    if isinstance(found, ssl.SSLSocket):
        # With TLS within the TLS of a proxy, the socket is the outer one's, and an object of its own is the inner one.
        is_clear = secured_by is not None and not isinstance(secured_by, ssl.SSLObject)
    else:
        is_clear = secured_by is None
    return found if isinstance(found, socket.socket) and is_clear else None


def _received(connection: socket.socket, left: int, request: httpx.Request) -> Iterator[memoryview]:
    buffers = [memoryview(bytearray(PIECE_BYTES)) for _ in range(2)]
    while left:
        buffer = buffers[0][:left]
        buffers.reverse()
        filled, fault = _fill(connection, buffer, request)
        left -= filled
        if filled:
            yield buffer[:filled]
        if fault is not None:
            raise fault


def _fill(
    connection: socket.socket, buffer: memoryview, request: httpx.Request
) -> tuple[int, httpx.TransportError | None]:
    """How much came until the buffer was full, or some time has passed, or something went wrong."""
    filled = 0
    until = time.monotonic() + _GATHER_SECONDS
    while filled < len(buffer):
        try:
            count = connection.recv_into(buffer[filled:])
        except TimeoutError as error:
            return filled, httpx.ReadTimeout(str(error), request=request)
        except OSError as error:
            return filled, httpx.ReadError(str(error), request=request)
        if not count:
            return filled, httpx.RemoteProtocolError("The connection ended within the body.", request=request)
        filled += count
        if time.monotonic() > until:
            break
    return filled, None
