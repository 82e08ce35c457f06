"""Addresses that mail can go to: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class MailAddress:
    """An address, as mail servers read it: nothing in it needs quoting.

    Attributes:
        local: What stands before the `@`.
        domain: In lower case; a name in other letters than ASCII's in its form for the DNS.
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mail_address(written: str) -> MailAddress | None:
    """The address that is written; `None` where no mail server would take it as one.

    Quoted local parts and addresses of machines by number are none here: nobody has them, and who writes one tries
    something.
    """
    local, at, domain = written.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        return None
    try:
        name = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return MailAddress(local, name) if len(name) <= 253 and _DOMAIN.fullmatch(name) else None


def masked(address: str) -> str:
    """An address for those who need not know it: enough to tell two of a person's apart."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}" if at else address


def one_line(text: str, *, most: int = 200) -> str:
    """Words of people's as one line without control characters, for a header or a log; no longer than `most`."""
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
