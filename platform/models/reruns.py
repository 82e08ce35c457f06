"""Reruns: what is scored again, why, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.models.base import Base, FlowDriven, Identified, Timed, status_type
from podium.platform.models.competitions import Competition
from podium.platform.models.people import Person
from podium.platform.models.submissions import Submission


class Adoption(StrEnum):
    """When the new results of a rerun take the place of the old ones; always all at once."""

    AUTOMATIC = "automatic"  # when all are scored, unless one that was finished would now fail
    MANUAL = "manual"  # when an organizer says so


class Rerun(Identified, Timed, FlowDriven, Base):
    """Submissions of a competition that are scored again. `selection` says how they were chosen.

    `held_back` is why the results were not adopted by themselves.
    """

    __tablename__ = "reruns"
    __table_args__ = (
        Index("uq_reruns_competition_id_number", "competition_id", "number", unique=True),
        Index("ix_reruns_open", "status", postgresql_where=text("ended IS NULL")),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    number: Mapped[int]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(String(1000))
    selection: Mapped[dict[str, Any]] = mapped_column(default=dict)
    adoption: Mapped[Adoption] = mapped_column(status_type(Adoption, "adoption"))
    parallel: Mapped[int | None]
    status: Mapped[RerunStatus] = mapped_column(status_type(RerunStatus, "rerun_status"), default=RerunStatus.WAITING)
    status_message: Mapped[str] = mapped_column(default="")
    held_back: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    total: Mapped[int]
    expected_seconds: Mapped[float | None]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    competition: Mapped[Competition] = relationship()
    requester: Mapped[Person] = relationship()
    items: Mapped[list[RerunItem]] = relationship(order_by="RerunItem.position", cascade="all, delete-orphan")


class RerunItem(Base):
    """One submission of a rerun: `origin_id` is scored again as `submission_id`, once its batch was made.

    What stood before and what stands after is written when the results are adopted.
    """

    __tablename__ = "rerun_items"

    rerun_id: Mapped[UUID] = mapped_column(ForeignKey("reruns.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    origin_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), index=True)
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id", ondelete="SET NULL"), index=True)
    old_status: Mapped[SubmissionStatus | None] = mapped_column(status_type(SubmissionStatus, "submission_status"))
    new_status: Mapped[SubmissionStatus | None] = mapped_column(status_type(SubmissionStatus, "submission_status"))
    old_scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double), default=list)
    new_scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double), default=list)
    old_rank: Mapped[int | None]
    new_rank: Mapped[int | None]

    origin: Mapped[Submission] = relationship(foreign_keys=[origin_id])
    submission: Mapped[Submission | None] = relationship(foreign_keys=[submission_id])
