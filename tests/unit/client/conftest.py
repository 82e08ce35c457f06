"""A store that can break in the middle, and a gateway that answers what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import strategies as st

from podium.platform.client import Client, Patience

# What JSON can carry, and what records hold.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))

Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Pauses:
    """The pauses that a client made, without the waiting."""

    seconds: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def client_for(pauses: Pauses) -> Iterator[Callable[..., Client]]:
    """Makes a client of a gateway that a function plays."""
    clients: list[Client] = []

    def make(answer: Answer, token: str | None = "secret-token") -> Client:
        client = Client(
            "https://podium.example.org",
            token,
            patience=Patience(sleep=pauses.sleep),
            transport=httpx.MockTransport(answer),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@dataclass
class Store:
    """A real HTTP server with one file; `breaks` says after how many bytes each next answer is cut off."""

    content: bytes = b""
    uploads: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    upload_statuses: list[int] = field(default_factory=list)
    download_statuses: list[int] = field(default_factory=list)
    ignores_ranges: bool = False
    url: str = ""


class _StoreHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        pass

    def do_PUT(self) -> None:
        if self.store.breaks:
            self.rfile.read(self.store.breaks.pop(0))
            self.close_connection = True
            self.connection.close()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.store.uploads.append((dict(self.headers.items()), body))
        self.send_response(self.store.upload_statuses.pop(0) if self.store.upload_statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.store.ranges.append(wanted)
        if self.store.download_statuses:
            self.send_response(self.store.download_statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        begin = 0
        if wanted and not self.store.ignores_ranges:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        total = len(self.store.content)
        if begin >= total > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.store.content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.store.breaks:
            self.wfile.write(body[: self.store.breaks.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(body)


@pytest.fixture
def store() -> Iterator[Store]:
    it = Store()
    handler = type("Handler", (_StoreHandler,), {"store": it})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a cut connection is no news
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    it.url = f"http://127.0.0.1:{server.server_port}/file"
    yield it
    server.shutdown()
    server.server_close()
    thread.join()
