"""Only sessions that have the form before them may send files to the pages' server."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from podium.dashboards import upload_door


async def _store(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
def browser() -> TestClient:
    routes = [
        Route("/_stcore/upload_file/{session}/{file}", _store, methods=["PUT", "DELETE"]),
        Route("/other", _store, methods=["PUT"]),
    ]
    return TestClient(upload_door.UploadDoor(Starlette(routes=routes)))


def test_a_file_is_taken_from_a_session_that_was_let_in_alone(browser: TestClient) -> None:
    assert browser.put("/_stcore/upload_file/mine/1", content=b"abc").status_code == 403
    assert browser.put("/other", content=b"abc").status_code == 200
    upload_door._let_in.add("mine")
    assert browser.put("/_stcore/upload_file/mine/1", content=b"abc").text == "3 bytes"
    assert browser.put("/_stcore/upload_file/mines/1", content=b"abc").status_code == 403
    assert browser.put("/base/_stcore/upload_file/other/1", content=b"abc").status_code == 403
    upload_door._let_in.remove("mine")
    assert browser.put("/_stcore/upload_file/mine/1", content=b"abc").status_code == 403


def test_the_longest_let_in_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_door, "_SESSIONS", 2)
    for session in ("a", "b", "a", "c"):
        upload_door._let_in.add(session)
    assert [session in upload_door._let_in for session in ("a", "b", "c")] == [True, False, True]
