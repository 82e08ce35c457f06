"""Teams: participants of a competition who stand on its leaderboards as one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.models.base import Base, Identified, Timed
from podium.platform.models.people import Person


class Team(Identified, Timed, Base):
    """A team of a competition. No two have the same name there, however it is capitalized.

    Its captain decides who is in it. Of the code by which others join, the SHA-256 is kept, until it expires. A team
    without members stays where it stands on a board.
    """

    __tablename__ = "teams"
    __table_args__ = (
        Index("uq_teams_competition_id_name_lower", "competition_id", text("lower(name)"), unique=True),
        UniqueConstraint("id", "competition_id"),  # what members refer to
        UniqueConstraint("code_sha256"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    captain_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    code_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    code_expires: Mapped[datetime | None]

    members: Mapped[list[TeamMember]] = relationship(
        order_by="TeamMember.created, TeamMember.person_id", cascade="all, delete-orphan", back_populates="team"
    )


class TeamMember(Timed, Base):
    """That a participant is in a team; a person is in one team of a competition at most."""

    __tablename__ = "team_members"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "competition_id"], ["teams.id", "teams.competition_id"], ondelete="CASCADE"),
        # Only who takes part can be in a team.
        ForeignKeyConstraint(
            ["competition_id", "person_id"],
            ["participants.competition_id", "participants.person_id"],
            ondelete="CASCADE",
        ),
        Index("ix_team_members_team_id", "team_id"),
    )

    competition_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    team_id: Mapped[UUID]

    team: Mapped[Team] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()
