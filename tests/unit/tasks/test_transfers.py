"""Files that come with the message that names them, and large ones over connections that break."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from podium.platform.errors import PlatformFault
from podium.platform.jobs import INLINE_BYTES, OutputKind, OutputRecord, SignedRequest, Source
from podium.tasks.gateway import Transfers

CONTENT = b"\x00\xffa zip"
LARGE = os.urandom(3_500_000)
NOWHERE = SignedRequest(method="GET", url="http://127.0.0.1:1/nothing", expires=datetime.now(UTC))


@pytest.fixture
def transfers() -> Iterator[Transfers]:
    made = Transfers()
    yield made
    made.close()


def source(content: bytes) -> Source:
    """As it arrives over the wire."""
    made = Source(request=NOWHERE, sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT), content=content)
    return Source.model_validate_json(made.model_dump_json())


def test_a_file_that_came_with_its_message_is_not_asked_for(transfers: Transfers, tmp_path: Path) -> None:
    transfers.fetch(source(CONTENT), tmp_path / "file", stop=threading.Event())
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_one_that_is_not_what_was_announced_is_fetched_after_all(transfers: Transfers, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()  # it can't be had, and is not waited for
    with pytest.raises(PlatformFault):
        transfers.fetch(source(b"another"), tmp_path / "file", stop=stop)


def test_only_small_ones_travel_so() -> None:
    with pytest.raises(ValidationError):
        OutputRecord(kind=OutputKind.SCORING_OUTPUT, sha256="0" * 64, size=1, content=b"x" * (INLINE_BYTES + 1))


@dataclass
class Store:
    """A server of one file; each next answer ends after so many bytes as `breaks` says."""

    content: bytes = LARGE
    breaks: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.store.begins.append(begin)
        body, total = self.store.content[begin:], len(self.store.content)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        self.end_headers()
        self.close_connection = bool(self.store.breaks)
        self.wfile.write(body[: self.store.breaks.pop(0)] if self.store.breaks else body)


@pytest.fixture
def store() -> Iterator[Store]:
    it = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": it}))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a connection that was left is no news
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    it.url = f"http://127.0.0.1:{server.server_port}/file"
    yield it
    server.shutdown()
    server.server_close()
    thread.join()


def large_source(store: Store) -> Source:
    request = SignedRequest(method="GET", url=store.url, expires=datetime.now(UTC))
    return Source(request=request, sha256=hashlib.sha256(LARGE).hexdigest(), size=len(LARGE))


def test_a_large_file_goes_on_where_it_broke_off(transfers: Transfers, store: Store, tmp_path: Path) -> None:
    store.breaks = [1_234_567, 1_500_000]
    transfers.fetch(large_source(store), tmp_path / "file", stop=threading.Event())
    assert (tmp_path / "file").read_bytes() == LARGE
    assert store.begins == [0, 1_234_567, 2_734_567]


@pytest.mark.parametrize("how", ["another byte", "more"])
def test_a_large_file_that_is_another_is_refused(transfers: Transfers, store: Store, tmp_path: Path, how: str) -> None:
    store.content = LARGE + b"more" if how == "more" else LARGE[:-1] + bytes([LARGE[-1] ^ 1])
    with pytest.raises(PlatformFault, match="not what was announced"):
        transfers.fetch(large_source(store), tmp_path / "file", stop=threading.Event())
    assert list(tmp_path.iterdir()) == []


def test_a_large_file_is_not_waited_for_once_it_is_not_wanted(
    transfers: Transfers, store: Store, tmp_path: Path
) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(PlatformFault):
        transfers.fetch(large_source(store), tmp_path / "file", stop=stop)
    assert len(store.begins) == 1
