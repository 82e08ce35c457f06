"""What a row of the access table says: who may call a route, how fast, with how much, and what is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from podium.platform.rates import Traffic

KIB = 1024
BODY_BYTES = 256 * KIB
"""Largest body of a call, unless its row says otherwise. Files go by signed requests, which have their own limits."""


class Role(StrEnum):
    """What somebody is to the platform, or to the competition that a call is about."""

    ANYONE = "anyone"  # also without a token
    PERSON = "person"  # anybody with an account
    PARTICIPANT = "participant"
    COLLABORATOR = "collaborator"  # organizes a competition with its owner
    ORGANIZER = "organizer"  # owns the competition; where there is none, may make one
    ADMINISTRATOR = "administrator"
    AGENT = "agent"
    ATTEMPT = "attempt"


class Scope(StrEnum):
    """To whose things a role may do what a route does."""

    PUBLIC = "public"  # what everybody may see
    OWN = "own"
    LISTED = "what a leaderboard leads to"
    COMPETITION = "of one's competition"
    POOL = "of one's pool"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Audited:
    """The call leaves a line in the audit log, where whoever makes it organizes or administrates.

    Attributes:
        act: What was done, as the log says it, such as `change a phase`.
        subject: To what: the `subject` of the event that says it best, where the call leaves several.
    """

    act: str
    subject: str


@dataclass(frozen=True, slots=True)
class NotAudited:
    """The call changes something and leaves no line, for a reason."""

    why: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the access table.

    Attributes:
        who: The roles that may call, each with its scope; no other role may.
        audit: What the audit log says; every row of a call that changes something and that people make has one.
        traffic: How often it may be called.
        body_bytes: The largest body, `None` where the route sees to it.
        hidden: Whether those outside of the scope are told that there is no such thing, rather than that they may not.
    """

    who: Mapping[Role, Scope]
    audit: Audited | NotAudited | None = None
    traffic: Traffic = Traffic.READS
    body_bytes: int | None = BODY_BYTES
    hidden: bool = False
    roles: frozenset[Role] = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the roles."""
        object.__setattr__(self, "who", MappingProxyType(dict(self.who)))
        object.__setattr__(self, "roles", frozenset(self.who))
