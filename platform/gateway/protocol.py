"""HTTP as the gateway speaks it: bodies are handed on as they came, without copies between."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """Uvicorn's own, but for what it gathers a body in.

    It appends to a `bytearray`, and makes `bytes` of that for the application: two copies of every upload. To nothing,
    `bytes` are appended without one, and need not be made `bytes` again.
    """

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        if not self.cycle.body:
            self.cycle.body = b""  # type: ignore[assignment]  # which is appended to and made bytes of, no more
        super().on_body(body)
