"""What organizers and administrators did."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from podium.platform.models.base import Base, now


class AuditEntry(Base):
    """An act of an organizer or administrator. Rows are only ever added: the database refuses all else.

    No row points to another table, so that it says the same whatever becomes of what it speaks of.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_competition_id_id", "competition_id", "id"),
        Index("ix_audit_entries_time", "time"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    time: Mapped[datetime] = mapped_column(default=now)
    person_id: Mapped[UUID]
    username: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(20))
    token_id: Mapped[UUID]
    token_name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str | None] = mapped_column(INET)
    request_id: Mapped[UUID]
    route: Mapped[str] = mapped_column(String(200))
    act: Mapped[str] = mapped_column(String(60))
    competition_id: Mapped[UUID | None]
    competition: Mapped[str | None] = mapped_column(String(60))
    object: Mapped[str] = mapped_column(String(300))
    before: Mapped[str] = mapped_column(String(2000), default="")
    after: Mapped[str] = mapped_column(String(2000), default="")
    reason: Mapped[str] = mapped_column(String(2000), default="")
