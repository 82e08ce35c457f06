"""What holds for every request and answer: the size of bodies, headers that browsers heed, an id to find it by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.platform.errors import TooLarge
from podium.platform.gateway.problems import answer_to

REQUEST_ID = "X-Request-Id"
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Resource-Policy": "same-site",
    }
)
"""Of every answer that says nothing else itself. Nothing that the API answers is a page that loads anything."""
DOCS_PATH = "/api/docs"
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HTTPS = "max-age=31536000"
"""A year in which browsers that were here over TLS come back no other way."""


def headers_for(public_url: str) -> dict[str, str]:
    """The headers of every answer of a gateway that people reach at this address."""
    return {**HEADERS, **({"Strict-Transport-Security": _HTTPS} if public_url.startswith("https://") else {})}


class Guards:
    """ASGI middleware: gives each request an id, and adds security headers to its answer."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4()
        scope.setdefault("state", {})["request_id"] = request_id
        is_docs = scope["path"].startswith(DOCS_PATH)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if is_docs:
                    headers.setdefault("Content-Security-Policy", _DOCS_POLICY)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers[REQUEST_ID] = str(request_id)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def serve_bounded(app: ASGIApp, scope: Scope, receive: Receive, send: Send, most: int | None) -> None:
    """Serve a request whose body may turn out larger than `most` bytes while it is read; that is refused then."""
    if most is None:
        await app(scope, receive, send)
        return
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise too_large(most)
        return message

    async def send_unless_too_large(message: Message) -> None:
        # The framework takes an error while it reads for a body that is no JSON; what it says is not sent.
        if received <= most:
            await send(message)

    with suppress(TooLarge):
        await app(scope, receive_counted, send_unless_too_large)
    if received > most:
        await answer_to(too_large(most))(scope, receive, send)


def too_large(most: int) -> TooLarge:
    """What is said of a body over its limit."""
    return TooLarge(f"The body is larger than {most} bytes.")
