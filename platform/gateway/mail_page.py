"""The pages behind links in messages. They need no sign-in and no script, and change nothing by themselves."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

_STYLE = Path(__file__).with_name("mail_page.css").read_text(encoding="utf-8").strip()
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The Content-Security-Policy of the page: its own style, and forms to where it came from."""


def stop_page(what: str, *, is_stopped: bool, wider: str = "") -> str:
    """The page behind the link that stops messages.

    Args:
        what: Which messages, in words.
        is_stopped: Whether they are stopped.
        wider: What more there is to stop, in words; empty for nothing.
    """
    if is_stopped:
        head, said = "You get no more of these messages", f"We send you {what} no more."
        forms = _form("Send them again", "again", is_quiet=True)
    else:
        head, said = "Stop these messages?", f"You get {what}."
        forms = _form("Stop them", "stop")
    if wider:
        forms += _form(f"Stop {wider}", "all", is_quiet=True)
    return _whole(head, said, forms)


def _whole(head: str, said: str, forms: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{head}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{head}</h1><p>{escape(said)}</p>{forms}</main></body></html>\n"
    )


def _form(words: str, act: str, *, is_quiet: bool = False) -> str:
    shape = ' class="quiet"' if is_quiet else ""
    return (
        f'<form method="post"><input type="hidden" name="act" value="{act}">'
        f'<button type="submit"{shape}>{escape(words)}</button></form>'
    )


def confirm_page(address: str, *, is_confirmed: bool) -> str:
    """The page behind the link in a message that asks whether an address is somebody's."""
    if is_confirmed:
        return _whole("Thank you", f"Podium sends mail to {address}.", "")
    return _whole("Is this your address?", f"Somebody gave {address} as theirs.", _form("Yes, it is mine", "confirm"))
