"""Times and spans of time: as people give them to options, and as they read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import typer

from podium.platform.cli.listings import shown_time
from podium.platform.cli.terminal import note

NONE = "none"
"""What an option takes for no date or no limit."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?( ?UTC|Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_FORMS = "write 2026-05-31T12:00Z, 2026-05-31T14:00+02:00, or 2026-05-31 for its midnight"


def moment_from(text: str, option: str) -> datetime:
    """A moment as it was typed, aware: ISO 8601, as the command line shows times, or `now`.

    One without a zone is UTC, which is said on stderr.

    Raises:
        BadParameter: It is none.
    """
    if text == "now":
        return datetime.now(UTC)
    # Python alone would take the offset of 2026-05-31+05:00 for a time of day.
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.removesuffix("UTC").rstrip() + "+00:00" * text.endswith("UTC"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date: {_FORMS}.", param_hint=option) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
        note(f"{option} {text} has no time zone: it is taken as {shown_time(moment)}")
    return moment


def span_text(seconds: float) -> str:
    """How long something takes, as exactly as people want to know it."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}".removesuffix(".0") + " s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return _two(minutes, 60, "h", "min")
    return _two(round(minutes / 60), 24, "d", "h")


def _two(count: int, size: int, large: str, small: str) -> str:
    whole, rest = divmod(count, size)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def expected_text(moment: datetime) -> str:
    """When something is expected, in UTC and from now on; the day only where it is another one.

    Empty for what should have been by now, or is at once: that is of no use to anybody.
    """
    now = datetime.now(UTC)
    seconds = (moment - now).total_seconds()
    if seconds < 1:
        return ""
    there = moment.astimezone(UTC)
    clock = f"{there:%H:%M} UTC" if there.date() == now.date() else shown_time(there)
    return f"at about {clock} (in {span_text(seconds)})"
