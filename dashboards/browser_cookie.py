"""The cookie by which a browser is known again when it comes back from the provider.

Every page sets it where there is none: a session hears of cookies only when it begins. It says nothing of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from podium.dashboards.arrivals import new_secret
from podium.dashboards.settings import Settings


def _name(settings: Settings) -> str:
    # A browser takes a cookie with this prefix from the very host alone, and over TLS alone.
    return "__Host-podium" if _is_secure(settings) else "podium"


def _is_secure(settings: Settings) -> bool:
    return settings.pages.startswith("https://")


def secret_in(cookies: Mapping[str, str], settings: Settings) -> str:
    """The secret of a browser, empty where it has none yet."""
    return cookies.get(_name(settings), "")


def own_secret(settings: Settings) -> str:
    """The secret of the browser whose session this is."""
    return secret_in(dict(st.context.cookies), settings)


def give_secret(response: Response, secret: str, settings: Settings) -> None:
    """Let the browser keep a secret until it is closed."""
    response.set_cookie(_name(settings), secret, path="/", secure=_is_secure(settings), httponly=True, samesite="lax")


class BrowserCookie:
    """ASGI middleware: gives browsers a secret with the first page."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or secret_in(Request(scope).cookies, self._settings):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and "set-cookie" not in headers:
                    given = Response()
                    give_secret(given, new_secret(), self._settings)
                    headers.append("set-cookie", given.headers["set-cookie"])
                    headers["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_with_cookie)
