"""A mail server in a process of its own, by aiosmtpd, that answers as it is told and writes down what it takes.

    python mail_server.py FOLDER

It listens on a free port of this machine and writes the port to FOLDER/port. Each message that it takes becomes a line
of FOLDER/taken, the recipient and the Message-ID, and where FOLDER/keep is there, a file of its own. What it answers is
read from FOLDER/rules each time: JSON from a recipient, or `*`, to where it answers something else, what, and how often
(`at`: `rcpt`, `data`, `drop` in the middle of a message, `silent` after it); the `delay` of each message; and whether
it offers `pipelining`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_ID = re.compile(rb"^Message-ID: *(<[^>]*>)", re.IGNORECASE | re.MULTILINE)


class Taken:
    """Answers, and writes down what it takes. It reads commands that come at once, and says so where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: Counter[str] = Counter()
        self.log = (folder / "taken").open("ab", buffering=0)

    def told(self) -> dict[str, Any]:
        """What the test wants now."""
        rules = self.folder / "rules"
        found: dict[str, Any] = json.loads(rules.read_text()) if rules.exists() else {}
        return found

    def rule(self, address: str, at: str) -> dict[str, Any] | None:
        """What is to be answered here, if anything but yes."""
        told = self.told()
        rule: dict[str, Any] | None = told.get(address) or told.get("*")
        if rule is None or rule["at"] != at:
            return None
        self.asked[address] += 1
        return rule if self.asked[address] <= rule.get("times", 1 << 30) else None

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(["250-PIPELINING"] if self.told().get("pipelining") else []), responses[-1]]

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if rule := self.rule(address, "rcpt"):
            return str(rule["answer"])
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        address, content = envelope.rcpt_tos[0], envelope.original_content or b""
        assert len(envelope.rcpt_tos) == 1
        if rule := self.rule(address, "data"):
            return str(rule["answer"])
        found = _ID.search(content)
        self.log.write(f"{address} {found[1].decode() if found else '-'}\n".encode())
        if (self.folder / "keep").exists():
            (self.folder / f"{address}.eml").write_bytes(content)
        if delay := self.told().get("delay"):
            await asyncio.sleep(delay)
        if self.rule(address, "silent"):
            server.transport.abort()  # it has the message, and never says so
        return "250 taken"


class Server(SMTP):
    """Hangs up in the middle of a message, where it is told to."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        assert self.envelope is not None
        recipients = self.envelope.rcpt_tos
        if arg is None and recipients and self.event_handler.rule(recipients[0], "drop"):
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
) -> AuthResult:
    """Let podium in, with its password, and whoever does not sign in."""
    return AuthResult(success=(data.login, data.password) == (b"podium", b"secret"), handled=False)


async def serve(folder: Path) -> None:
    """Serve until it is killed."""
    handler = Taken(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, hostname="mail.test", loop=loop, authenticator=authenticate, auth_require_tls=False),
        "127.0.0.1",
        0,
    )
    written = folder / "port.new"
    written.write_text(str(server.sockets[0].getsockname()[1]))
    written.rename(folder / "port")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
