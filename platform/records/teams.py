"""What the API answers of teams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """A team of a competition.

    Attributes:
        captain: Username of who decides who is in it.
        members: Usernames, who has been in it longest first.
        max_members: How many may be in it.
        deadline: From then on teams stay as they are; `None` for no such moment.
    """

    name: str
    captain: str
    members: tuple[str, ...]
    max_members: int
    deadline: datetime | None
    created: datetime


@dataclass(frozen=True, slots=True)
class TeamCodeRecord:
    """The code by which others join a team, shown this once; the one before is good no more."""

    code: str
    expires: datetime
