"""Which team somebody is in, and who enters with what they submit.

Whoever changes what a team has, or who is in it, holds the participants concerned first, in order, and then the team,
until they commit: so two members of a team wait for each other wherever one participant's own acts do.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.models import Competition, Submission, Team, TeamMember


def team_of(session: Session, competition: Competition, person_id: UUID | None) -> Team | None:
    """The team that somebody is in; `None` for nobody's, and where there are no teams."""
    if person_id is None or competition.max_team_members is None:
        return None
    return session.scalar(
        select(Team)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.competition_id == competition.id, TeamMember.person_id == person_id)
    )


def hold_teams(session: Session, team_ids: Collection[UUID]) -> None:
    """Let others wait that change what these teams have. The caller holds the participants."""
    if team_ids:
        session.execute(select(Team.id).where(Team.id.in_(sorted(team_ids))).order_by(Team.id).with_for_update())


def members_of(session: Session, team_id: UUID) -> frozenset[UUID]:
    """The people who are in a team now."""
    return frozenset(session.scalars(select(TeamMember.person_id).where(TeamMember.team_id == team_id)))


def is_member(session: Session, team_id: UUID | None, person_id: UUID | None) -> bool:
    """Whether somebody is in this team now."""
    if team_id is None or person_id is None:
        return False
    query = select(TeamMember.team_id).where(TeamMember.team_id == team_id, TeamMember.person_id == person_id)
    return session.scalar(query) is not None


def is_ones_own(session: Session, submission: Submission, person_id: UUID | None) -> bool:
    """Whether somebody has submitted this, or is in the team that it is for."""
    return submission.person_id == person_id or is_member(session, submission.team_id, person_id)
