"""What the API answers of people: their tokens, their part in competitions, and what they may submit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.lifecycle import ParticipantStatus


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person who has an account.

    Attributes:
        may_organize: Whether they may make competitions.
        organizes: Whether they own a competition or collaborate in one; told of oneself alone.
    """

    username: str
    name: str
    email: str
    is_administrator: bool
    may_organize: bool
    created: datetime
    organizes: bool = False


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token, without its secret. `hint` is its beginning, to tell it from others."""

    id: UUID
    name: str
    hint: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. `secret` is shown this once and stored nowhere."""

    secret: str
    token: TokenRecord


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """A person's part in a competition."""

    username: str
    name: str
    status: ParticipantStatus
    joined: datetime


@dataclass(frozen=True, slots=True)
class ExtraAllowanceRecord:
    """What an organizer allows one participant of a phase on top of its limits."""

    participant: str
    phase: str
    per_window: int
    total: int
    concurrent: int
    reason: str
    granted_by: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a person may submit to a phase now, and what is left.

    Attributes:
        reason: Why not, in a sentence; empty when one may.
        phase: The phase that this is about; `None` where none is open.
        left_in_window: Within the phase's `submission_window`; `None` for no limit.
        left_total: In all; `None` for no limit.
        left_at_once: Beside what is under way; `None` for no limit.
        changes: When the answer may become another one, where that is known.
        window: What `left_in_window` counts in, in words: `a day (UTC)`, `within 24 hours`.
        extra: What the organizers have allowed this person on top.
    """

    can: bool
    reason: str
    phase: str | None
    left_in_window: int | None
    left_total: int | None
    changes: datetime | None
    left_at_once: int | None = None
    window: str = "a day (UTC)"
    extra: ExtraAllowanceRecord | None = None
