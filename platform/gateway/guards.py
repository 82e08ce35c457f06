"""What holds for every request and answer: the size of bodies, and headers that browsers heed."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.platform.errors import TooLarge
from podium.platform.gateway.problems import answer, record_of
from podium.platform.jobs import MIB

BODY_BYTES = 16 * MIB
"""Largest body of a call; uploads to storage have their own limit, in their signature."""
STORAGE_PATH = "/api/v1/storage/"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guards:
    """ASGI middleware: refuses bodies that are too large, adds security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["path"].startswith(STORAGE_PATH):
            await self._app(scope, receive, send_with_headers)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced) > BODY_BYTES:
            await _refuse(scope, receive, send_with_headers)
            return
        await self._serve_counting(scope, receive, send_with_headers)

    async def _serve_counting(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body may turn out too large while it is read."""
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES:
                raise _too_large()
            return message

        async def send_unless_too_large(message: Message) -> None:
            # The framework takes an error while it reads for a body that is no JSON; what it says is not sent.
            if received <= BODY_BYTES:
                await send(message)

        with suppress(TooLarge):
            await self._app(scope, receive_counted, send_unless_too_large)
        if received > BODY_BYTES:
            await _refuse(scope, receive, send)


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {BODY_BYTES} bytes.")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(record_of(_too_large()))(scope, receive, send)
