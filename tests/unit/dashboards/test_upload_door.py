"""Only sessions that have the form before them may send files to the pages' server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from podium.dashboards import upload_door


async def _store(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


Put = Callable[[str], httpx.Response]


@pytest.fixture
def put() -> Put:
    routes = [
        Route("/_stcore/upload_file/{session}/{file}", _store, methods=["PUT", "DELETE"]),
        Route("/other", _store, methods=["PUT"]),
    ]
    transport = httpx.ASGITransport(upload_door.UploadDoor(Starlette(routes=routes)))

    async def send(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://pages.example.org") as client:
            return await client.put(path, content=b"abc")

    return lambda path: asyncio.run(send(path))


def test_a_file_is_taken_from_a_session_that_was_let_in_alone(put: Put) -> None:
    assert put("/_stcore/upload_file/mine/1").status_code == 403
    assert put("/other").status_code == 200
    upload_door._let_in.add("mine")
    assert put("/_stcore/upload_file/mine/1").text == "3 bytes"
    assert put("/_stcore/upload_file/mines/1").status_code == 403
    assert put("/base/_stcore/upload_file/other/1").status_code == 403
    upload_door._let_in.remove("mine")
    assert put("/_stcore/upload_file/mine/1").status_code == 403


def test_the_longest_let_in_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_door, "_SESSIONS", 2)
    for session in ("a", "b", "a", "c"):
        upload_door._let_in.add(session)
    assert [session in upload_door._let_in for session in ("a", "b", "c")] == [True, False, True]
