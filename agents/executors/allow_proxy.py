"""The one way out of a container that has an allow-list: an HTTP proxy, which connects to what is on the list alone.

It takes `CONNECT host:port` (for TLS, and whatever else) and plain requests with a whole address (`GET http://...`).
It listens inside of the container's network namespace and connects from the agent's; the container has no route.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from podium.agents.executors.allowed_network import AllowList, Refused

_HEAD_BYTES = 16 * 1024
_HEAD_SECONDS = 10.0
_PIECE_BYTES = 64 * 1024
_NAMED = 10
_FOR_ONE_CONNECTION = frozenset({"connection", "proxy-connection", "proxy-authorization", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Caps:
    """What one program may use of the network.

    Attributes:
        connections: At the same time.
        bytes: In both directions, over the program's life.
        idle_seconds: How long a connection may carry nothing.
    """

    connections: int = 64
    bytes: int = 4 * 1024**3
    idle_seconds: float = 60.0


class AllowProxy:
    """Serves one program, from `start` to `close`."""

    def __init__(self, listener: socket.socket, allowed: AllowList, caps: Caps | None = None) -> None:
        self._listener = listener
        self._allowed = allowed
        self._caps = caps or Caps()
        self._left = self._caps.bytes
        self._free = threading.BoundedSemaphore(self._caps.connections)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._reached: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._cut = False
        self._thread = threading.Thread(target=self._accept, name="podium-allow", daemon=True)

    def start(self) -> None:
        """Take connections from now on."""
        self._thread.start()

    def close(self) -> None:
        """Take no more connections, and end those that are open."""
        with self._lock:
            self._closed = True
            ending = [self._listener, *self._open]
        for connection in ending:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._listener.close()

    def summary(self) -> str:
        """What was reached and what was refused, in a line for the log; empty where nothing was tried."""
        with self._lock:
            parts = [*_counted(self._reached, "connection", "to"), *_counted(self._failed, "failed", "to")]
            parts += _counted(self._refused, "refused", "to")
            if self._cut:
                parts.append(f"the rest was cut off after {self._caps.bytes} bytes")
        return ", ".join(parts)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if not self._free.acquire(blocking=False):
                with connection:
                    _answer(connection, 503, f"more than {self._caps.connections} connections at once")
                continue
            threading.Thread(target=self._serve, args=(connection,), name="podium-allowed", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with self._ending(client), contextlib.suppress(OSError):
                self._talk(client)
        finally:
            self._free.release()

    def _talk(self, client: socket.socket) -> None:
        try:
            asked = _read_request(client)
        except _BadRequest as bad:
            _answer(client, bad.status, str(bad))
            return
        place = _shown(asked.host, asked.port)
        try:
            destination = self._allowed.wanted(asked.host, asked.port)
            server = self._allowed.connect(destination)
        except Refused as refused:
            self._count(self._refused, place)
            _answer(client, 403, f"{place} is refused: {refused}")
            return
        except OSError as error:
            self._count(self._failed, place)
            _answer(client, 502, f"{place} could not be reached: {error.strerror or error}")
            return
        with self._ending(server):
            self._count(self._reached, place)
            if asked.forward:
                server.sendall(asked.forward)
                self._used(len(asked.forward))
            else:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if asked.rest:
                server.sendall(asked.rest)
                self._used(len(asked.rest))
            self._relay(client, server)

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Carry bytes both ways until both have ended, nothing comes any more, or it was enough."""
        ways = {client.fileno(): (client, server), server.fileno(): (server, client)}
        with selectors.DefaultSelector() as selector:
            for source, _ in ways.values():
                source.settimeout(self._caps.idle_seconds)
                selector.register(source, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(self._caps.idle_seconds)
                if not ready:
                    return
                for key, _ in ready:
                    source, target = ways[key.fd]
                    piece = source.recv(_PIECE_BYTES)
                    if not self._used(len(piece)):
                        return
                    if piece:
                        target.sendall(piece)
                    else:
                        selector.unregister(source)
                        target.shutdown(socket.SHUT_WR)

    def _used(self, count: int) -> bool:
        """Count bytes; false where they are too many."""
        with self._lock:
            self._left -= count
            self._cut = self._cut or self._left < 0
            return self._left >= 0

    def _count(self, of: Counter[str], place: str) -> None:
        with self._lock:
            # A program that tries every port there is gets one line, not a book.
            of[place if place in of or len(of) < _NAMED else "others"] += 1

    @contextlib.contextmanager
    def _ending(self, connection: socket.socket) -> Iterator[None]:
        """Have `close` end a connection while the block runs."""
        with connection:
            with self._lock:
                if self._closed:
                    raise ConnectionAbortedError
                self._open.add(connection)
            try:
                yield
            finally:
                with self._lock:
                    self._open.discard(connection)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a program asked for.

    Attributes:
        forward: The head to send on; empty for a tunnel.
        rest: What came after the head already.
    """

    host: str
    port: int
    forward: bytes
    rest: bytes


class _BadRequest(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _read_request(client: socket.socket) -> _Asked:
    head, rest = _read_head(client)
    line, *headers = head.split("\r\n")
    found = re.fullmatch(r"([A-Z]{3,20}) (\S+) HTTP/1\.[01]", line)
    if not found:
        raise _BadRequest("this is a proxy for HTTP/1.1")
    method, target = found.groups()
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = url.hostname, url.port
    except ValueError:
        raise _BadRequest("the address can't be read") from None
    if not host:
        raise _BadRequest("this is a proxy: ask with CONNECT, or with a whole address")
    if method == "CONNECT":
        if port is None or url.path or url.query:
            raise _BadRequest("CONNECT takes host:port")
        return _Asked(host, port, b"", rest)
    if url.scheme != "http":
        raise _BadRequest("a plain request is for http://; ask with CONNECT for others")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kept = [one for one in headers if one.partition(":")[0].strip().lower() not in _FOR_ONE_CONNECTION]
    # One request for one connection: the next one may be for somebody else, and is looked at anew.
    forward = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
    return _Asked(host, port or 80, forward.encode("latin-1"), rest)


def _read_head(client: socket.socket) -> tuple[str, bytes]:
    until = time.monotonic() + _HEAD_SECONDS
    data = b""
    while b"\r\n\r\n" not in data:
        left = until - time.monotonic()
        if left <= 0 or len(data) > _HEAD_BYTES:
            raise _BadRequest("the head of the request is too long, or too slow", 431)
        client.settimeout(left)
        try:
            piece = client.recv(_PIECE_BYTES)
        except TimeoutError:
            continue
        if not piece:
            raise ConnectionResetError
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _answer(client: socket.socket, status: int, words: str) -> None:
    words = "".join(character if " " <= character <= "~" else "?" for character in f"podium: {words}.")
    body = f"{words}\n".encode()
    head = (
        f"HTTP/1.1 {status} {words[:200]}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        client.settimeout(_HEAD_SECONDS)
        client.sendall(head.encode() + body)


def _shown(host: str, port: int) -> str:
    plain = "".join(character if "!" <= character <= "~" else "?" for character in host)[:80]
    return f"[{plain}]:{port}" if ":" in plain else f"{plain}:{port}"


def _counted(of: Counter[str], what: str, to: str) -> list[str]:
    plural = {"connection": "connections"}
    return [f"{count} {what if count == 1 else plural.get(what, what)} {to} {place}" for place, count in of.items()]
