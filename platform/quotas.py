"""How many submissions a participant may make: the rule is pure, and the reservation is one transaction.

A phase limits the submissions of a window of time, those in all, and those under way at once. The window is a calendar
day in the phase's time zone, as organizers of Codabench know it, or the last 24 hours or 7 days. Submissions that the
platform failed, or that were cancelled before they ran, do not count and never get here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.errors import InvalidInput, QuotaExceeded

PERIODS = {SubmissionWindow.SLIDING_DAY: timedelta(days=1), SubmissionWindow.SLIDING_WEEK: timedelta(days=7)}
"""How far back the windows reach that slide; a calendar day has 23 to 25 hours."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of a phase for each participant; `None` is no limit, and 0 is none allowed.

    Attributes:
        window: What `per_window` counts in.
        time_zone: IANA name of the one that calendar days are of.
        failed_given_back: So many submissions that failed by their own fault don't count: those that failed first in
            the window for `per_window`, and those that failed first of all for `total`.
    """

    per_window: int | None
    total: int | None
    concurrent: int | None = None
    window: SubmissionWindow = SubmissionWindow.CALENDAR_DAY
    time_zone: str = "UTC"
    failed_given_back: int = 0


DRAFT = Quota(None, None, concurrent=1)
"""While a competition is a draft only organizers submit, one at a time."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What an organizer allows one person on top of the limits that there are."""

    per_window: int = 0
    total: int = 0
    concurrent: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """A submission that counts. `created` is aware UTC; it failed by its own fault, or is not over yet."""

    created: datetime
    failed: bool = False
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a quota; `None` is no limit.

    Attributes:
        reason: Why nothing may be submitted; empty when one more may be made.
        renews: When something may be submitted again, where that is known.
        resets: When the window gives something back, whether it is used up or not; `None` if nothing counts in it.
    """

    in_window: int | None
    total: int | None
    concurrent: int | None
    reason: str
    renews: datetime | None
    resets: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether one more submission may be made."""
        return not self.reason


def window_start(quota: Quota, moment: datetime) -> datetime:
    """When the window that a moment (aware UTC) is in began, in UTC.

    In a calendar day counts what was created then or later, in a window that slides what was created later.

    Raises:
        InvalidInput: There is no such time zone.
    """
    if quota.window is SubmissionWindow.CALENDAR_DAY:
        return _midnight(quota, moment, days=0)
    return moment - PERIODS[quota.window]


def left_of(quota: Quota, extra: Extra, submissions: Sequence[Counted], moment: datetime) -> Left:
    """What a participant has left at this moment (aware UTC), of the quota and what is allowed on top.

    Raises:
        InvalidInput: There is no such time zone.
    """
    window = _Window.of(quota, submissions, moment)
    per_window = _raised(quota.per_window, extra.per_window)
    limit = _raised(quota.total, extra.total)
    at_once = _raised(quota.concurrent, extra.concurrent)
    in_window = _rest(per_window, window.used)
    total = _rest(limit, _used(submissions, quota.failed_given_back))
    concurrent = _rest(at_once, sum(one.under_way for one in submissions))
    if in_window is not None and total is not None:
        in_window = min(in_window, total)
    reason, renews = "", None
    if 0 in (per_window, limit, at_once):
        reason = "The phase takes no submissions from participants."
    elif total == 0:
        reason = f"{_allows(limit, quota.total)} in all, and they are used."
    elif in_window == 0:
        renews = window.falls_below(per_window or 0)
        reason = f"{_allows(per_window, quota.per_window)} {_how_often(quota)}"
    elif concurrent == 0:
        verb = "is" if at_once == 1 else "are"
        reason = f"{_allows(at_once, quota.concurrent)} at a time, and yours {verb} still under way."
    resets = None if per_window is None else window.falls_below(window.used)
    return Left(in_window, total, concurrent, reason, renews, resets)


def require_left(left: Left) -> None:
    """Go on only if one more submission may be made.

    Raises:
        QuotaExceeded: A limit is used up; the message says which, and when it renews.
    """
    if not left.allowed:
        remedy = ""
        if left.renews:
            to_the_minute = left.renews + timedelta(seconds=59, microseconds=999_999)
            remedy = f"Submit again after {to_the_minute:%Y-%m-%d %H:%M} UTC."
        raise QuotaExceeded(left.reason, remedy=remedy)


@dataclass(frozen=True, slots=True)
class _Window:
    """The submissions of a window, the oldest first, each with the moment from which it is not in it any more."""

    submissions: tuple[Counted, ...]
    leave: tuple[datetime, ...]
    given_back: int

    @classmethod
    def of(cls, quota: Quota, submissions: Sequence[Counted], moment: datetime) -> _Window:
        start, period = window_start(quota, moment), PERIODS.get(quota.window)
        within = [one for one in submissions if one.created > start or (period is None and one.created == start)]
        within.sort(key=lambda one: one.created)
        tomorrow = _midnight(quota, moment, days=1) if within and period is None else start
        leave = (tomorrow if period is None else one.created + period for one in within)
        return cls(tuple(within), tuple(leave), quota.failed_given_back)

    @property
    def used(self) -> int:
        return _used(self.submissions, self.given_back)

    def falls_below(self, number: int) -> datetime | None:
        """When fewer than this count, if nothing else is submitted; `None` if they never do."""
        stays, failed = len(self.submissions), sum(one.failed for one in self.submissions)
        for one, left in zip(self.submissions, self.leave, strict=True):
            stays, failed = stays - 1, failed - one.failed
            if stays - min(failed, self.given_back) < number:
                return left
        return None


def _used(submissions: Sequence[Counted], given_back: int) -> int:
    return len(submissions) - min(sum(one.failed for one in submissions), given_back)


def _raised(limit: int | None, by: int) -> int | None:
    return None if limit is None else max(0, limit + by)


def _rest(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _allows(limit: int | None, of_everyone: int | None) -> str:
    submissions = "1 submission" if limit == 1 else f"{limit} submissions"
    return f"The phase allows {'' if limit == of_everyone else 'you '}{submissions}"


def _how_often(quota: Quota) -> str:
    whose = "those of today" if quota.window is SubmissionWindow.CALENDAR_DAY else "they"
    return f"{quota.window.in_words(quota.time_zone)}, and {whose} are used."


def _midnight(quota: Quota, moment: datetime, *, days: int) -> datetime:
    """The midnight at which the moment's day began, or one so many days later, in UTC.

    Where clocks are put forward at midnight, the day begins at the first moment that there is.
    """
    zone = _zone(quota.time_zone)
    day = moment.astimezone(zone).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # known where there is no database of time zones, too
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone {name!r}.", remedy="Write one such as `Europe/Paris`.") from error
