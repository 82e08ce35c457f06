"""Spans of time, of which a bundle may write the beginning, the end, both or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from podium.platform.bundles.dates import InvalidDate, parse_date, show_date
from podium.platform.bundles.fields import Section, Value


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when; `None` for what is not written."""

    start: datetime | None
    end: datetime | None


def read_date(value: Value | None) -> datetime | None:
    """Read a field that is a date; `None` where it is absent, or none that can be understood."""
    text = value.text() if value else None
    if value is None or text is None:
        return None
    try:
        return parse_date(text)
    except InvalidDate as invalid:
        value.error(invalid.detail, invalid.remedy)
        return None


def read_window(section: Section, what: str, start: str, end: str) -> Window:
    """Read two dates, of which the second is after the first; `what` has them, such as `The competition`."""
    window = Window(read_date(section.value(start)), read_date(section.value(end)))
    if window.start and window.end and window.end <= window.start:
        section.place_of(end).error(
            f"{what} ends {show_date(window.end)}, which is not after it starts "
            f"({show_date(window.start)}, {section.place_of(start).where}).",
            f"Let it end later, or leave `{end}` out.",
        )
    return window
