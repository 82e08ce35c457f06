"""What is kept for browsers, and the cookie by which they are known."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from podium.dashboards import arrivals
from podium.dashboards.arrivals import Arrival, Kept, binding_of
from podium.dashboards.browser_cookie import BrowserCookie, secret_in
from podium.dashboards.settings import read_settings


def test_things_are_found_until_their_time_and_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: Kept[Arrival] = Kept()
    kept.put("ours", Arrival("token", is_kept=True), seconds=10)
    assert kept.find("another") is None
    assert kept.find("ours") == Arrival("token", is_kept=True)
    assert kept.take("ours") == Arrival("token", is_kept=True)
    assert kept.take("ours") is None
    kept.put("ours", Arrival("token", is_kept=True), seconds=10)
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert kept.find("ours") is None
    assert kept.take("ours") is None


def test_there_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_MOST", 2)
    kept: Kept[int] = Kept()
    for number in range(3):
        kept.put(str(number), number, seconds=60)
    assert [kept.find(str(number)) for number in range(3)] == [None, 1, 2]


def test_what_the_gateway_hears_tells_nothing_of_the_secret() -> None:
    assert binding_of("a") != binding_of("b")
    assert "a-secret" not in binding_of("a-secret")


@pytest.mark.parametrize(("pages", "name"), [("https://podium.example.org", "__Host-podium"), ("", "podium")])
def test_a_page_gives_a_cookie_that_no_script_reads_and_nothing_else_does(pages: str, name: str) -> None:
    settings = read_settings({"PODIUM_PAGES_URL": pages})
    routes = [
        Route("/", lambda _: HTMLResponse("<p>")),
        Route("/app.js", lambda _: PlainTextResponse("x")),
    ]
    transport = httpx.ASGITransport(BrowserCookie(Starlette(routes=routes), settings=settings))

    async def visit() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="https://podium.example.org") as client:
            assert "set-cookie" not in (await client.get("/app.js")).headers
            first = await client.get("/")
            written = first.headers["set-cookie"].lower()
            assert written.startswith(f"{name.lower()}=")
            assert "httponly" in written
            assert "samesite=lax" in written
            assert "path=/" in written
            assert "max-age" not in written
            assert ("secure" in written) is bool(pages)
            assert len(secret_in(dict(client.cookies), settings)) > 40
            assert "set-cookie" not in (await client.get("/")).headers

    asyncio.run(visit())
