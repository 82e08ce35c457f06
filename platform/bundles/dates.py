"""The dates of phases: every way in which bundles write them, and moving a whole schedule.

A date without an offset is UTC; a date without a time is midnight at its beginning.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from podium.platform.bundles.content import CompetitionContent
from podium.platform.errors import InvalidInput

ACCEPTED_FORMS = (
    "Write `2026-01-30`, `2026-01-30 14:00`, `2026-01-30T14:00:00+02:00`, or with the month first, `1-30-2026`."
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_WORD = (
    r"(?P<word>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
# Dots after a leading day or month are left out: 1.2.2026 is the first of February to most who write it so.
_DAY_FORMS = (
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})(?P<mark>[-/])(?P<day>\d{1,2})(?P=mark)(?P<year>\d{4})",
    rf"(?P<day>\d{{1,2}})[ -]{_MONTH_WORD},?[ -](?P<year>\d{{4}})",
    rf"{_MONTH_WORD} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})",
)
_TIME = (
    r"(?:(?:[T ] *)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>am|pm))?(?: *(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?))?)?"
)
_FORMS = tuple(re.compile(day + _TIME, re.ASCII | re.IGNORECASE) for day in _DAY_FORMS)


class InvalidDate(InvalidInput):
    """A text that is no date, or no date that exists."""


def parse_date(text: str) -> datetime:
    """Read a date in any of the forms that bundles use.

    Understood are year-month-day, month-day-year (with `-` or `/`) and dates with the month's English name,
    each with or without a time of day, `am` or `pm`, and an offset.

    Returns:
        The moment, aware, in UTC.

    Raises:
        InvalidDate: It is none of the forms, or no such day or time exists.
    """
    cleaned = " ".join(text.split())
    parts = next((match.groupdict() for form in _FORMS if (match := form.fullmatch(cleaned))), None)
    if parts is None:
        raise InvalidDate(f"{cleaned[:60]!r} is not a date that can be understood.", remedy=ACCEPTED_FORMS)
    month, day = _month(parts), int(parts["day"])
    if month > 12 >= day:
        likely = f"{parts['year']}-{day:02}-{month:02}"
        raise InvalidDate(f"{cleaned!r} has no month {month}: the month comes first.", remedy=f"Write `{likely}`.")
    try:
        local = datetime(
            int(parts["year"]),
            month,
            day,
            _hour(parts),
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int((parts["fraction"] or "0").ljust(6, "0")[:6]),
            tzinfo=_zone(parts["zone"]),
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidDate(f"{cleaned!r} does not exist ({error}).", remedy=ACCEPTED_FORMS) from error


def show_date(moment: datetime) -> str:
    """Write a moment for a message: to the minute where that says all."""
    exact = moment.second or moment.microsecond
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC" if exact else "%Y-%m-%d %H:%M UTC")


WINDOWS = ("start", "end", "registration_start", "registration_end")
"""Dates of a competition itself."""


def shift_schedule(content: CompetitionContent, now: datetime) -> CompetitionContent:
    """Move all dates by the same time, so that the first phase begins at `now`; lengths and gaps stay.

    Args:
        content: The competition; its phases are in order.
        now: When the first phase is to begin; aware.

    Raises:
        ValueError: `now` has no offset.
        InvalidInput: A phase would end after the year 9999.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    if not content.phases:
        return content
    by = now.astimezone(UTC) - content.phases[0].start
    try:
        phases = tuple(
            replace(phase, start=phase.start + by, end=None if phase.end is None else phase.end + by)
            for phase in content.phases
        )
        windows = {name: moment + by for name in WINDOWS if (moment := getattr(content, name)) is not None}
        teams = content.teams
        if teams is not None and teams.deadline is not None:
            teams = replace(teams, deadline=teams.deadline + by)
    except OverflowError as error:
        raise InvalidInput(
            "Moved to now, a date would be after the year 9999.", remedy="Leave out the end of a phase without one."
        ) from error
    return replace(content, phases=phases, teams=teams, **windows)


def _month(parts: dict[str, str | None]) -> int:
    word = parts.get("word")
    return _MONTHS.index(word[:3].lower()) + 1 if word else int(parts["month"] or 0)


def _hour(parts: dict[str, str | None]) -> int:
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(f"{hour} {half} is no hour")
    return hour % 12 + (12 if half == "pm" else 0) if half else hour


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        raise ValueError(f"the offset {text} is out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
