"""Bodies reach the application as they were sent, however they come."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from podium.platform.gateway.protocol import Protocol


async def _sum(request: Request) -> PlainTextResponse:
    digest = hashlib.sha256()
    async for piece in request.stream():
        # Meanwhile, more comes than one piece.
        await asyncio.sleep(0.001)
        assert type(piece) is bytes
        digest.update(piece)
    return PlainTextResponse(digest.hexdigest())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    config = uvicorn.Config(Starlette(routes=[Route("/", _sum, methods=["PUT"])]), http=Protocol, log_level="critical")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("piece_bytes", [1, 1000, 100_000, 1 << 20])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_arrives_as_it_was_sent(address: str, piece_bytes: int, framing: str):
    body = os.urandom(min(300 * piece_bytes, 5_000_000))
    pieces = [body[begin : begin + piece_bytes] for begin in range(0, len(body), piece_bytes)]
    headers = {"Content-Length": str(len(body))} if framing == "length" else {}
    with httpx.Client() as http:
        for _ in range(2):
            answer = http.put(address, content=iter(pieces), headers=headers)
            assert answer.text == hashlib.sha256(body).hexdigest()
        assert http.put(address, content=b"").text == hashlib.sha256().hexdigest()
