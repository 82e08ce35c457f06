"""What stdout and stderr are, and text that is safe to show there.

stdout has what was asked for, so that it can be piped; everything about the work goes to stderr.
"""

from __future__ import annotations

import os
import re
import sys

import typer

from podium.platform.cli.exit_codes import ExitCode

# Control characters, and those that turn the direction of text: names and logs come from people we don't know.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def say(text: str = "") -> None:
    """Write a line of what was asked for."""
    typer.echo(text)


def note(text: str) -> None:
    """Write a line about the work."""
    typer.echo(text, err=True)


def is_shown_live() -> bool:
    """Whether a person watches stderr, so that things may move there."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def can_ask() -> bool:
    """Whether there is a person to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def require_yes(question: str, *, yes: bool) -> None:
    """Go on only if a person says so, or has said so with `--yes`.

    Raises:
        BadParameter: There is no terminal to ask at, and no `--yes`.
        Exit: The answer is no.
    """
    if yes:
        return
    if not can_ask():
        raise typer.BadParameter("There is no terminal to ask at, so nothing was done: give --yes to go on.")
    if not typer.confirm(question, err=True):
        note("Nothing was done.")
        raise typer.Exit(ExitCode.JUDGED_BAD)


def has_colours() -> bool:
    """Whether stderr may be coloured."""
    return is_shown_live() and "NO_COLOR" not in os.environ


def printable(text: str) -> str:
    """Text from other people without what could steer a terminal; line ends become plain ones."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def forgive_encoding() -> None:
    """Let a terminal that can't show a character show another in its place, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
