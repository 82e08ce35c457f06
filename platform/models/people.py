"""People and tokens, pools and agents: who may call, and what runs where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.models.base import Base, Identified, Timed, now, status_type


class TokenKind(StrEnum):
    """Who a token speaks for."""

    PERSON = "person"
    AGENT = "agent"  # bound to one pool
    ATTEMPT = "attempt"  # good for one attempt


class Person(Identified, Timed, Base):
    """A person with an account. Names and addresses are unique whatever their case.

    `email_confirmed` is since when it is known that the address is theirs: without it no mail goes there.
    `storage_quota_bytes` is what their files may take; null for what the operator allows everybody.
    """

    __tablename__ = "people"
    __table_args__ = (
        Index("uq_people_username_lower", text("lower(username)"), unique=True),
        Index("uq_people_email_lower", text("lower(email)"), unique=True),
    )

    username: Mapped[str] = mapped_column(String(60))
    email: Mapped[str] = mapped_column(String(320))
    email_confirmed: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(200), default="")
    is_administrator: Mapped[bool] = mapped_column(default=False)
    may_organize: Mapped[bool] = mapped_column(default=False)
    storage_quota_bytes: Mapped[int | None] = mapped_column(BigInteger)


class Pool(Identified, Timed, Base):
    """A Prefect work pool: a queue of flow runs that agents take from.

    `runtime` is the engine's runtime that containers of this pool run with; empty for each host's default. A pool
    without an owner is the platform's. While it is `cordoned`, its agents take nothing new.
    """

    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(60))
    runtime: Mapped[str] = mapped_column(String(60), default="")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"), index=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    cordoned: Mapped[datetime | None]

    owner: Mapped[Person | None] = relationship()


class PoolUser(Timed, Base):
    """An organizer with whom a pool's owner shares it."""

    __tablename__ = "pool_users"

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)

    person: Mapped[Person] = relationship()


class Token(Identified, Timed, Base):
    """A bearer token; only the SHA-256 of its secret is kept. One that an identity signed in with goes with it."""

    __tablename__ = "tokens"
    __table_args__ = (
        UniqueConstraint("secret_sha256"),
        CheckConstraint(
            "(kind = 'person') = (person_id IS NOT NULL)"
            " AND (kind = 'agent') = (pool_id IS NOT NULL)"
            " AND (kind = 'attempt') = (attempt_id IS NOT NULL)",
            name="kind_has_its_subject",
        ),
    )

    kind: Mapped[TokenKind] = mapped_column(status_type(TokenKind, "token_kind"))
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    hint: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    pool_id: Mapped[UUID | None] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"), index=True)
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), index=True)
    identity_id: Mapped[UUID | None] = mapped_column(ForeignKey("identities.id", ondelete="CASCADE"), index=True)
    expires: Mapped[datetime | None]
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship()
    pool: Mapped[Pool | None] = relationship()


class Agent(Identified, Timed, Base):
    """An agent of a pool, as it last said it was. While it is `cordoned`, it takes nothing new.

    `loss_told` is when people were last told that it is lost.
    """

    __tablename__ = "agents"
    __table_args__ = (UniqueConstraint("pool_id", "name"),)

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[str] = mapped_column(String(40))
    slots: Mapped[int]
    executor: Mapped[str] = mapped_column(String(40))
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    trouble: Mapped[str] = mapped_column(default="")
    last_seen: Mapped[datetime] = mapped_column(default=now)
    cordoned: Mapped[datetime | None]
    cordon_reason: Mapped[str | None] = mapped_column(Text)
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id", ondelete="SET NULL", use_alter=True))
    loss_told: Mapped[datetime | None]

    pool: Mapped[Pool] = relationship()
    token: Mapped[Token | None] = relationship()
