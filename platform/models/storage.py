"""Large files on their way, and whose files take how much room."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from podium.platform.models.base import Base, Timed


class Upload(Timed, Base):
    """A file that comes in parts. Its id is that of the submission, bundle or dataset upload that it belongs to.

    `reference` is the store's own name for it.
    """

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    part_bytes: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str]


class StorageCharge(Base):
    """That a person's files came to take more room, or less. Their sum is what they take.

    Triggers of the database write them with every change of a file's row, whoever makes it, and so no cascade is
    missed. Rows that add to each other, rather than one that all would wait for, let many write at the same time; now
    and then they are put together.
    """

    __tablename__ = "storage_charges"
    __table_args__ = (Index("ix_storage_charges_owner_id", "owner_id", postgresql_include=["kind", "bytes"]),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    # No foreign key: a person's files go in the same moment as the person.
    owner_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(20))
    bytes: Mapped[int] = mapped_column(BigInteger)
