"""Who may send files to the pages' server: sessions of people who signed in and have the form before them, nobody else.

Streamlit takes a file from every visitor's session, whether a page asks for one or not, and holds it in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from http import HTTPStatus

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

_UPLOADS = "/_stcore/upload_file/"
_SESSIONS = 10_000


class _LetIn:
    """The sessions that may send files, the one that was let in longest ago forgotten first."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, session: str) -> None:
        with self._lock:
            self._sessions[session] = None
            self._sessions.move_to_end(session)
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)

    def remove(self, session: str) -> None:
        with self._lock:
            self._sessions.pop(session, None)

    def __contains__(self, session: str) -> bool:
        with self._lock:
            return session in self._sessions


_let_in = _LetIn()


def open_door() -> None:
    """Let the session whose page is drawn send files."""
    context = get_script_run_ctx()
    if context is not None:
        _let_in.add(context.session_id)


def close_door() -> None:
    """Let it send none any more."""
    context = get_script_run_ctx()
    if context is not None:
        _let_in.remove(context.session_id)


class UploadDoor:
    """ASGI middleware: refuses files of sessions that were not let in, before any of their bytes is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "PUT" and _UPLOADS in scope["path"]:
            session = scope["path"].partition(_UPLOADS)[2].partition("/")[0]
            if session not in _let_in:
                answer = PlainTextResponse("Sign in, and open the page to submit.", HTTPStatus.FORBIDDEN)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
