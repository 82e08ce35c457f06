"""Times and durations in words. Every clock time says UTC: a viewer may be anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from podium.platform.records.competitions import PhaseRecord

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def clock(moment: datetime) -> str:
    """A moment for a line of text, such as `Mon 3 Aug 2026, 09:00 UTC`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y, %H:%M} UTC"


def stamp(moment: datetime) -> str:
    """A moment for a table whose heading says UTC, such as `2026-08-03 09:00`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def seconds_clock(moment: datetime) -> str:
    """The time of a day to the second, such as `09:00:07 UTC`."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def span(duration: timedelta) -> str:
    """A duration in its two largest units, such as `2 days 3 hours`; under ten seconds, `a few seconds`."""
    left = int(abs(duration).total_seconds())
    if left < 10:
        return "a few seconds"
    words: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
        # Two neighbours at most: nobody needs the seconds of a day.
        if len(words) == 2 or (words and not count):
            break
    return " ".join(words)


def ago(moment: datetime, at: datetime) -> str:
    """How long ago a moment was, to the minute: it changes rarely, so that a page that shows it stays still."""
    elapsed = at - moment
    if elapsed < timedelta(minutes=1):
        return "just now"
    return f"{coarse(elapsed)} ago"


def coarse(duration: timedelta) -> str:
    """A duration in its largest unit from the minute on, such as `3 hours`."""
    seconds = abs(duration).total_seconds()
    for unit, size in _UNITS[:3]:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def countdown(end: datetime | None, at: datetime) -> str:
    """How long a phase is still open, such as `2 days 3 hours left`."""
    if end is None:
        return "no deadline"
    return f"{span(end - at)} left" if end > at else "over"


def phase_window(phase: PhaseRecord) -> str:
    """When a phase is open, in UTC."""
    if phase.end is None:
        return f"from {clock(phase.start)}, without an end"
    return f"{clock(phase.start)} to {clock(phase.end)}"


def viewers_zone() -> tzinfo:
    """The time zone of the viewer's browser; UTC where it does not say."""
    try:
        return ZoneInfo(str(st.context.timezone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def window_in_zone(phase: PhaseRecord, zone: tzinfo) -> str:
    """The same in a viewer's time, with the zone's name; empty where that is UTC at both ends."""
    ends = [moment for moment in (phase.start, phase.end) if moment is not None]
    if all(moment.astimezone(zone).utcoffset() == timedelta(0) for moment in ends):
        return ""
    words = " to ".join(_local(moment.astimezone(zone)) for moment in ends)
    return f"For you: {'' if phase.end is not None else 'from '}{words} ({zone})"


def _local(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b, %H:%M}"


def phase_words(phase: PhaseRecord, at: datetime) -> str:
    """What a phase's window means now, such as `opens in 3 days`.

    The clock decides, not the status of the answer: an answer may be some seconds old.
    """
    if phase.start > at:
        return f"opens in {span(phase.start - at)}"
    if phase.end is None:
        return "open, no deadline"
    if phase.end > at:
        return f"open, {span(phase.end - at)} left"
    return f"over since {coarse(at - phase.end)}" if at - phase.end >= timedelta(minutes=1) else "just over"


def window_words(start: datetime | None, end: datetime | None) -> str:
    """A window whose sides may be open, in UTC; empty where both are."""
    if start is None:
        return "" if end is None else f"until {clock(end)}"
    return f"from {clock(start)}" if end is None else f"{clock(start)} to {clock(end)}"


def window_now(start: datetime | None, end: datetime | None, at: datetime) -> str:
    """What such a window means now; empty where both sides are open."""
    if start is not None and start > at:
        return f"opens in {span(start - at)}"
    if end is None:
        return "" if start is None else "open"
    return f"open, {span(end - at)} left" if end > at else "over"


def duration(seconds: float) -> str:
    """A measured duration, such as `0.42 s`, `12.3 s` or `4 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
