"""What the API answers of signing in at a provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.records.people import PersonRecord


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """Whether people can sign in at a provider.

    Attributes:
        provider: What people call it; `None` where there is none.
        pages: The address of the pages, to which it sends them back; empty where there is none.
    """

    provider: str | None
    pages: str


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in that has begun. `address` is where the browser goes now."""

    address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has signed in. `secret` is a token of theirs, shown this once and stored nowhere.

    Attributes:
        is_new: Whether they got their account just now.
    """

    secret: str
    expires: datetime
    person: PersonRecord
    is_new: bool


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """Who a person is at a provider.

    Attributes:
        issuer: The provider's address.
        subject: Who they are there.
        email: As the provider said last; empty where it did not.
    """

    id: UUID
    username: str
    issuer: str
    subject: str
    email: str
    created: datetime
    last_used: datetime | None
