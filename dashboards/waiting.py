"""Until when a submission, or a rerun, will have been scored: always about, for it is by what others took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from podium.platform.records.submissions import SubmissionRecord

_SOON = timedelta(seconds=20)


def about(duration: timedelta) -> str:
    """How long something will take, no finer than it can be known: `about 2 minutes`."""
    seconds = max(duration.total_seconds(), 0)
    if seconds < 45:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return "about a minute" if minutes <= 1 else f"about {minutes} minutes"
    hours = round(seconds / 3600)
    return f"about {hours} hours" if hours < 48 else f"about {round(seconds / 86400)} days"


def time_of_day(moment: datetime, at: datetime) -> str:
    """A moment to the minute, with its day where that is another one: `14:05 UTC`."""
    utc = moment.astimezone(UTC)
    day = "" if utc.date() == at.astimezone(UTC).date() else f"{utc:%a} {utc.day} {utc:%b}, "
    return f"{day}{utc:%H:%M} UTC"


def expectation_words(submission: SubmissionRecord, at: datetime) -> str:
    """When a submission will be scored, by what others took; empty where nothing can be said."""
    expected = submission.expected
    if expected is None or submission.ended is not None:
        return ""
    if expected - at <= _SOON:
        return "Expected any moment now."
    words = about(expected - at)
    return f"Expected in {words}, scored at about {time_of_day(expected, at)}."
