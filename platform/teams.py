"""Teams of a competition: made, joined by a code, renamed and left, as long as the organizers allow it.

What somebody has submitted to phases that are not over becomes the team's when they join, and stays so when they
leave: nobody takes a place away with them. Nor does anybody get new submissions by changing teams: for the quota of a
team counts what was made for it and what its members have made at all.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, selectinload

from podium.platform.database import violated_constraint
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from podium.platform.events import record_event
from podium.platform.identity import hash_secret
from podium.platform.leaderboard.entries import hold_participants
from podium.platform.leaderboard.team_rows import take_over_rows, tell_boards
from podium.platform.models import Competition, Person, Submission, Team, TeamMember, now
from podium.platform.submissions.participation import require_participant
from podium.platform.submissions.windows import phase_status
from podium.platform.team_members import hold_teams, team_of

CODE_LIFETIME = timedelta(days=7)
_CODE_BYTES = 12
_NAME = re.compile(r"[^\W_](?:[\w .,&+'!-]{0,58}[\w.!])?")


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A code by which others join a team, shown this once."""

    code: str
    expires: datetime


def require_teams_open(competition: Competition, moment: datetime) -> int:
    """How many may be in a team, if teams may change at this moment.

    Raises:
        NotFound: There are no teams in this competition.
        Conflict: They stay as they are by now.
    """
    if competition.max_team_members is None:
        raise NotFound(f"There are no teams in '{competition.slug}': everybody takes part alone.")
    if competition.team_deadline is not None and moment >= competition.team_deadline:
        raise Conflict(f"Since {competition.team_deadline:%Y-%m-%d at %H:%M} UTC, teams stay as they are.")
    if competition.ends is not None and moment >= competition.ends:
        raise Conflict("The competition is over: teams stay as they are.")
    if all(phase_status(phase, moment) == "over" for phase in competition.phases):
        raise Conflict("All phases are over: teams stay as they are.")
    return competition.max_team_members


def require_name(name: str) -> str:
    """A name that a team can have.

    Raises:
        InvalidInput: It can't have this one.
    """
    plain = " ".join(name.split())
    # Nobody can take a name for the pseudonym of another.
    if not _NAME.fullmatch(plain) or plain.lower().startswith("participant "):
        raise InvalidInput(
            f"'{plain[:80]}' can't be a team's name.",
            remedy="Use 1 to 60 letters, digits, spaces and . , & + ' ! -, with a letter or digit first.",
        )
    return plain


def own_team(session: Session, competition: Competition, person_id: UUID) -> Team:
    """The team that somebody is in.

    Raises:
        NotFound: They are in none, or there are none.
    """
    team = team_of(session, competition, person_id)
    if team is None:
        raise NotFound(
            f"You are in no team in '{competition.slug}'.",
            remedy="Make one with `podium team create`, or join one with `podium team join`."
            if competition.max_team_members
            else "There everybody takes part alone.",
        )
    return team


def teams_of(session: Session, competition: Competition) -> list[Team]:
    """All teams of a competition that have members, by name."""
    query = select(Team).where(Team.competition_id == competition.id, Team.members.any())
    return list(
        session.scalars(
            query.order_by(func.lower(Team.name)).options(selectinload(Team.members).joinedload(TeamMember.person))
        )
    )


def create_team(session: Session, competition: Competition, person: Person, name: str) -> Team:
    """Make a team, whose captain and first member one is.

    Raises:
        NotParticipating: They don't take part.
        Conflict: They are in a team already, the name is taken, or teams stay as they are.
    """
    require_teams_open(competition, now())
    _hold_open_submissions(session, competition, person)
    require_participant(session, competition, person.id, lock=True)
    _require_alone(session, competition, person.id)
    team = Team(competition_id=competition.id, name=_free_name(session, person, name), captain_id=person.id)
    try:
        with session.begin_nested():
            session.add(team)
    except IntegrityError as error:
        raise _taken(error, name) from None
    _add(session, competition, team, person, said="made")
    return team


def rename_team(session: Session, competition: Competition, team: Team, captain: Person, name: str) -> None:
    """Give a team another name.

    Raises:
        NotAllowed: One is not its captain.
        Conflict: The name is taken.
    """
    _require_captain(team, captain)
    hold_teams(session, {team.id})
    before = team.name
    try:
        with session.begin_nested():
            team.name = _free_name(session, captain, name)
            session.flush()
    except IntegrityError as error:
        raise _taken(error, name) from None
    tell_boards(session, competition.leaderboards[0], team.id)
    _event(session, team, "renamed", captain, f"'{before}' is '{team.name}' now.")


def name_captain(session: Session, team: Team, captain: Person, other: Person) -> None:
    """Let another member be the captain.

    Raises:
        NotAllowed: One is not its captain.
        NotFound: The other is not in the team.
    """
    _require_captain(team, captain)
    hold_teams(session, {team.id})
    if all(member.person_id != other.id for member in _members(session, team)):
        raise NotFound(f"'{other.username}' is not in the team '{team.name}'.")
    team.captain_id = other.id
    _event(session, team, "led by another", captain, f"{other.username} is the captain now.")


def make_code(competition: Competition, team: Team, captain: Person) -> JoinCode:
    """Make the code by which others join; the one before is good no more.

    Raises:
        NotAllowed: One is not its captain.
        Conflict: Teams stay as they are.
    """
    require_teams_open(competition, now())
    _require_captain(team, captain)
    made = JoinCode(secrets.token_hex(_CODE_BYTES), now() + CODE_LIFETIME)
    team.code_sha256, team.code_expires = hash_secret(made.code), made.expires
    return made


def join_team(session: Session, competition: Competition, person: Person, code: str) -> Team:
    """Join the team whose captain has given one its code; what one has submitted to phases that go on becomes its.

    Raises:
        NotParticipating: They don't take part.
        NotFound: No team has this code, or it has expired.
        Conflict: They are in a team already, the team is full, or teams stay as they are.
    """
    most = require_teams_open(competition, now())
    _hold_open_submissions(session, competition, person)
    require_participant(session, competition, person.id, lock=True)
    _require_alone(session, competition, person.id)
    digest = hash_secret(code.strip())
    team = session.scalar(
        select(Team).where(Team.competition_id == competition.id, Team.code_sha256 == digest).with_for_update()
    )
    if team is None or team.code_expires is None or team.code_expires <= now() or not _members(session, team):
        raise NotFound("No team has this code, or it has expired.", remedy="Ask the team's captain for another.")
    if len(_members(session, team)) >= most:
        raise Conflict(f"The team '{team.name}' is full: {most} may be in one.")
    _add(session, competition, team, person, said="joined")
    return team


def leave_team(session: Session, competition: Competition, team: Team, person: Person, *, by: Person) -> None:
    """Let somebody be in a team no more: they themselves, or its captain. What they made for it stays its.

    Where the captain leaves, who has been in it longest is the captain; a team that nobody is left in and that has
    never submitted is gone.

    Raises:
        NotAllowed: One is neither of the two.
        NotFound: They are not in the team.
        Conflict: Teams stay as they are.
    """
    require_teams_open(competition, now())
    if by.id != person.id:
        _require_captain(team, by)
    hold_participants(session, {(competition.id, person.id)})
    hold_teams(session, {team.id})
    members = _members(session, team)
    leaving = next((member for member in members if member.person_id == person.id), None)
    if leaving is None:
        raise NotFound(f"'{person.username}' is not in the team '{team.name}'.")
    _event(session, team, "left", by, f"{person.username} {'left' if by.id == person.id else 'was removed'}.")
    team.members.remove(leaving)
    left = [member for member in members if member is not leaving]
    if team.captain_id == person.id:
        team.captain_id = left[0].person_id if left else None
    # Whoever has left may know the code.
    team.code_sha256 = team.code_expires = None
    session.flush()
    tell_boards(session, competition.leaderboards[0], team.id)
    if not left and not session.scalar(select(exists().where(Submission.team_id == team.id))):
        session.delete(team)
        session.flush()


def _require_captain(team: Team, person: Person) -> None:
    if team.captain_id != person.id:
        raise NotAllowed(f"Only the captain of the team '{team.name}' may do this.")


def _require_alone(session: Session, competition: Competition, person_id: UUID) -> None:
    team = team_of(session, competition, person_id)
    if team is not None:
        raise Conflict(f"You are in the team '{team.name}' already.", remedy="Leave it first: `podium team leave`.")


def _hold_open_submissions(session: Session, competition: Competition, person: Person) -> None:
    """Let results of somebody's submissions wait: they hold a submission first, and then its participant."""
    session.execute(
        select(Submission.id)
        .where(
            Submission.competition_id == competition.id, Submission.person_id == person.id, Submission.ended.is_(None)
        )
        .order_by(Submission.id)
        .with_for_update()
    )


def _held(session: Session, submissions: Select[tuple[UUID]]) -> Sequence[UUID]:
    """These, held. One that was made while others were waited for may have a result already, which would wait for us.

    Raises:
        Conflict: One is held by somebody else at this moment.
    """
    try:
        with session.begin_nested():
            return session.scalars(submissions.order_by(Submission.id).with_for_update(nowait=True)).all()
    except OperationalError:
        raise Conflict("A result of one of your submissions comes at this very moment.", remedy="Try again.") from None


def _members(session: Session, team: Team) -> list[TeamMember]:
    """Who is in the team, as of now, whatever was read before."""
    session.refresh(team, ["members", "captain_id"])
    return list(team.members)


def _free_name(session: Session, person: Person, name: str) -> str:
    """A name for a team of this person's, which nobody else is known by."""
    plain = require_name(name)
    named = session.scalar(select(Person.id).where(func.lower(Person.username) == plain.lower()))
    if named is not None and named != person.id:
        raise Conflict(f"'{plain}' is somebody's username.", remedy="Choose another name.")
    return plain


def _taken(error: IntegrityError, name: str) -> Conflict:
    assert "name" in violated_constraint(error)
    return Conflict(f"There is a team '{name.strip()}' already.", remedy="Choose another name.")


def _add(session: Session, competition: Competition, team: Team, person: Person, *, said: str) -> None:
    session.add(TeamMember(competition_id=competition.id, team_id=team.id, person_id=person.id))
    session.flush()
    _event(session, team, said, person, f"{person.username} {said} it.")
    moment = now()
    going_on = sorted(phase.id for phase in competition.phases if phase_status(phase, moment) != "over")
    becoming = select(Submission.id).where(
        Submission.phase_id.in_(going_on), Submission.person_id == person.id, Submission.team_id.is_(None)
    )
    session.execute(
        update(Submission)
        .where(Submission.id.in_(_held(session, becoming)))
        .values(team_id=team.id, version=Submission.version + 1)
        .execution_options(synchronize_session=False)
    )
    for phase_id in going_on:
        take_over_rows(session, phase_id, competition.leaderboards[0], person_id=person.id, team_id=team.id)
    tell_boards(session, competition.leaderboards[0], team.id)
    session.expire(team, ["members"])


def _event(session: Session, team: Team, after: str, by: Person, said: str) -> None:
    record_event(
        session,
        subject="team",
        subject_id=team.id,
        before=None,
        after=after,
        actor=f"person:{by.username}",
        reason=said,
        name=team.name,
    )
