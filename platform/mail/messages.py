"""A message as it goes over the wire: headers, plain text and HTML.

What people wrote gets into headers as one line, encoded by Python's own `email` where it is more than plain words. What
is the same for all messages of a campaign is made once, and the rest put together here: `email` would take longer for a
message than the mail server does.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from uuid import UUID

from podium.platform.mail.addresses import MailAddress, one_line
from podium.platform.mail.wording import Written

_UNSUBSCRIBE = re.compile(r"https?://[A-Za-z0-9._~:/?=&%\[\]-]{1,900}")
_WORDS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
"""Words that stand before an address without quotes."""
_FOLDED = 76
_PART = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the messages of a campaign, or of a kind, have in common.

    Attributes:
        sender: From whom it is: the platform's own address.
        sender_name: What stands before that.
        reply_to: To whom answers go; `None` for the sender.
        list_id: Names the list that the message belongs to, as a domain, such as `iris.podium.example.org`.
        list_name: The same for people.
    """

    sender: MailAddress
    sender_name: str
    reply_to: MailAddress | None = None
    reply_name: str = ""
    list_id: str = ""
    list_name: str = ""


class Stationery:
    """Makes messages with one letterhead."""

    def __init__(self, head: Letterhead) -> None:
        self._domain = head.sender.domain
        lines = [_address_header("From", head.sender_name, head.sender)]
        if head.reply_to is not None:
            lines.append(_address_header("Reply-To", head.reply_name, head.reply_to))
        if head.list_id:
            lines += [f"List-Id: {_phrase(head.list_name)}<{head.list_id}>\r\n", "Precedence: list\r\n"]
        lines += ["Auto-Submitted: auto-generated\r\n", "X-Auto-Response-Suppress: All\r\n", "MIME-Version: 1.0\r\n"]
        self._headers = "".join(lines)

    def message(
        self, written: Written, *, to: MailAddress, to_name: str, outbox_id: UUID, moment: datetime, unsubscribe: str
    ) -> bytes:
        """One message to one person, with lines that end in CR LF.

        Args:
            unsubscribe: The address by which its recipient stops such messages: with https, in one click (RFC 8058).
                Empty where they can't be stopped.
        """
        boundary = f"=_{outbox_id.hex}"
        headers = (
            self._headers,
            _address_header("To", to_name, to),
            _text_header("Subject", one_line(written.subject, most=400)),
            f"Date: {_date(moment.replace(microsecond=0))}\r\n",
            f"Message-ID: {message_id(outbox_id, self._domain)}\r\n",
            _unsubscribe_headers(unsubscribe),
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n',
        )
        return b"".join(
            (
                "".join(headers).encode("ascii"),
                _part(boundary, "plain", written.text),
                _part(boundary, "html", written.html),
                f"--{boundary}--\r\n".encode("ascii"),
            )
        )


@lru_cache(maxsize=1)
def _date(moment: datetime) -> str:
    return format_datetime(moment)


def message_id(outbox_id: UUID, domain: str) -> str:
    """The Message-ID of a row of the outbox: the same however often it is tried."""
    return f"<{outbox_id}@{domain}>"


def _part(boundary: str, subtype: str, text: str) -> bytes:
    # Each line break the same: what `b2a_qp` breaks itself, it breaks as the first one is.
    lines = "\r\n".join(text.splitlines()) + "\r\n"
    return f"--{boundary}\r\n{_PART.format(subtype)}".encode("ascii") + b2a_qp(lines.encode()) + b"\r\n"


def _address_header(name: str, words: str, address: MailAddress) -> str:
    shown = one_line(words, most=100)
    if not shown:
        return f"{name}: {address}\r\n"
    if _WORDS.fullmatch(shown):
        return f"{name}: {shown} <{address}>\r\n"
    if _is_plain(shown):
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}: "{quoted}" <{address}>\r\n'
    return f"{name}: {_encoded(name, shown)} <{address}>\r\n"


def _text_header(name: str, text: str) -> str:
    if _is_plain(text) and len(name) + len(text) < _FOLDED:
        return f"{name}: {text}\r\n"
    return f"{name}: {_encoded(name, text)}\r\n"


def _is_plain(text: str) -> bool:
    """Whether nobody could read anything else in a text than what stands there."""
    return text.isascii() and "=?" not in text


def _encoded(name: str, text: str) -> str:
    """A text as RFC 2047 has it, folded.

    All of it is encoded, and none of it read: what looks as if it was encoded already, with a line break in it, would
    be decoded by `email` before it writes the header.
    """
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")


def _unsubscribe_headers(address: str) -> str:
    """As they are, on a line each: `email` would encode an address that is longer than a line, and nobody find it."""
    if not address:
        return ""
    if not _UNSUBSCRIBE.fullmatch(address):
        raise ValueError("the address for unsubscribing is none")
    # Only over https may a mail program do it by itself.
    one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if address.startswith("https://") else ""
    return f"List-Unsubscribe: <{address}>\r\n{one_click}"


def _phrase(words: str) -> str:
    """Words before an address in brackets, without what would end them."""
    plain = (one for one in one_line(words, most=60) if one.isascii() and one not in '<>"\\,;:@()[]=?')
    kept = " ".join("".join(plain).split())
    return f"{kept} " if kept else ""
