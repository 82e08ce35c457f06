"""Who people are at the provider that they sign in at, and sign-ins that have begun there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.models.base import Base, Identified, Timed
from podium.platform.models.people import Person


class Identity(Identified, Timed, Base):
    """That whoever a provider knows as `subject` is a person here.

    `email` is what the provider said last, for people to tell their identities apart; nobody is ever found by it.
    """

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), Index("ix_identities_person_id", "person_id"))

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320), default="")
    last_used: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class PendingSignIn(Timed, Base):
    """A sign-in that a browser has begun, until it comes back or `expires`.

    The state that travels through the browser and the secret that stays in it are kept as hashes. With a person, it
    is to link an identity to them.
    """

    __tablename__ = "pending_sign_ins"

    state_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    binding_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    expires: Mapped[datetime] = mapped_column(index=True)
