"""A mail server for benchmarks: `mail_server.py parse|sink SECONDS` writes its port to stdout.

As `parse` it reads each message with aiosmtpd's own handler, headers and all, as mail servers do; as `sink` it throws
them away. It takes so many seconds for each message, on each connection, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import sys
from email.message import Message as Parsed

from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    """Takes everything."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return "250 taken"


class Parse(Message):
    """Reads everything."""

    def handle_message(self, message: Parsed) -> None:
        assert message["Message-ID"]


async def _serve(kind: str, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    handler = Parse() if kind == "parse" else Sink(seconds)
    server = await loop.create_server(lambda: SMTP(handler, hostname="sink", loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))
