"""What the API answers of collaborators and of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CollaboratorRecord:
    """A person who organizes a competition with its owner. `added_by` is an actor, such as `person:ada`."""

    username: str
    name: str
    added_by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An act of an organizer or administrator.

    Attributes:
        id: Grows with every line; the place to go on from in a list.
        role: As what they acted: `owner`, `collaborator` or `administrator`.
        token: The name of the token that was used.
        address: Where the call came from, as far as the gateway knows it.
        request_id: Of the call, as in the answer's `X-Request-Id`.
        route: The call, such as `PATCH /competitions/{slug}`.
        act: What was done, in words.
        competition: The competition's name then, `None` for what concerns none.
        object: What it was done to.
        before: How that was, in words; empty for what is new.
        after: How it has been since.
        reason: What was said about it.
    """

    id: int
    time: datetime
    username: str
    role: str
    token: str
    address: str | None
    request_id: UUID
    route: str
    act: str
    competition: str | None
    object: str
    before: str
    after: str
    reason: str
