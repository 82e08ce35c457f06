"""How many submissions a participant may make: the rule is pure, and the reservation is one transaction.

A day is a calendar day in UTC, as organizers of Codabench know it. Submissions that the platform failed, or that
were cancelled before they ran, do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from podium.platform.errors import QuotaExceeded


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of a phase for each participant; `None` is no limit."""

    per_day: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """Submissions that count, of one participant in one phase."""

    today: int
    total: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a quota; `None` is no limit. `renews` is when the answer changes, if it will."""

    today: int | None
    total: int | None
    reason: str
    renews: datetime | None

    @property
    def allowed(self) -> bool:
        """Whether one more submission may be made."""
        return not self.reason


def start_of_day(moment: datetime) -> datetime:
    """Midnight, UTC, of the day of an aware UTC time."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def left_of(quota: Quota, used: Used, moment: datetime) -> Left:
    """What a participant has left at this moment (aware UTC)."""
    total = None if quota.total is None else max(0, quota.total - used.total)
    today = None if quota.per_day is None else max(0, quota.per_day - used.today)
    if total is not None and (today is None or total < today):
        today = total if today is not None else None
    if 0 in (quota.total, quota.per_day):
        return Left(today, total, "The phase takes no submissions from participants.", None)
    if total == 0:
        return Left(today, total, f"The phase allows {_submissions(quota.total)} in all, and they are used.", None)
    if today == 0:
        renews = start_of_day(moment) + timedelta(days=1)
        reason = f"The phase allows {_submissions(quota.per_day)} a day (UTC), and those of today are used."
        return Left(today, total, reason, renews)
    return Left(today, total, "", None)


def _submissions(number: int | None) -> str:
    return "1 submission" if number == 1 else f"{number} submissions"


def require_left(left: Left) -> None:
    """Go on only if one more submission may be made.

    Raises:
        QuotaExceeded: A limit is used up; the message says which, and when it renews.
    """
    if not left.allowed:
        remedy = f"Submit again after {left.renews:%Y-%m-%d %H:%M} UTC." if left.renews else ""
        raise QuotaExceeded(left.reason, remedy=remedy)
