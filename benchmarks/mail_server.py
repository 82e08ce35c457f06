"""A mail server for benchmarks: `mail_server.py parse|sink SECONDS [pipelining]` writes its port to stdout.

As `parse` it reads each message with aiosmtpd's own handler, headers and all, as mail servers do; as `sink` it throws
them away. It takes so many seconds for each message, on each connection, and keeps nothing. With `pipelining` it says,
as Postfix, Exim and others do, that it reads commands that come at once; aiosmtpd reads them too, and does not say so.
"""

from __future__ import annotations

import asyncio
import sys
from email.message import Message as Parsed

from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, Envelope, Session


class Pipelining:
    """Says what it can do."""

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]


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


class PipeliningParse(Pipelining, Parse):
    """Reads everything, and commands at once."""


class PipeliningSink(Pipelining, Sink):
    """Takes everything, and commands at once."""


async def _serve(kind: str, seconds: float, *, pipelining: bool) -> None:
    loop = asyncio.get_running_loop()
    if kind == "parse":
        handler: Message | Sink = PipeliningParse() if pipelining else Parse()
    else:
        handler = PipeliningSink(seconds) if pipelining else Sink(seconds)
    server = await loop.create_server(lambda: SMTP(handler, hostname="sink", loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]), pipelining="pipelining" in sys.argv[3:]))
