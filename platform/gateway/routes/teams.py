"""Teams: made, joined, led and left."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from podium.platform import competitions, teams
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import Joined, NewTeam, TeamChange
from podium.platform.gateway.services import WithServices
from podium.platform.identity import Caller, find_person
from podium.platform.models import Competition, Person, Team
from podium.platform.records.teams import TeamCodeRecord, TeamRecord

router = APIRouter(tags=["teams"])


@router.get("/competitions/{slug}/teams")
def list_teams(slug: str, services: WithServices, caller: WithCaller) -> list[TeamRecord]:
    """All teams that somebody is in."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        return [_record(competition, team) for team in teams.teams_of(session, competition)]


@router.post("/competitions/{slug}/teams", status_code=201)
def create_team(slug: str, services: WithServices, caller: WithCaller, body: NewTeam) -> TeamRecord:
    """Make a team, whose captain one is."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        return _record(competition, teams.create_team(session, competition, _person(session, caller), body.name))


@router.get("/competitions/{slug}/team")
def read_own_team(slug: str, services: WithServices, caller: WithCaller) -> TeamRecord:
    """The team that one is in."""
    with services.database.session() as session:
        competition, person = competitions.find_competition(session, slug, caller), _person(session, caller)
        return _record(competition, teams.own_team(session, competition, person.id))


@router.patch("/competitions/{slug}/team")
def change_own_team(slug: str, services: WithServices, caller: WithCaller, body: TeamChange) -> TeamRecord:
    """Rename the team whose captain one is, or let another member be its captain."""
    with services.database.session() as session:
        competition, person = competitions.find_competition(session, slug, caller), _person(session, caller)
        team = teams.own_team(session, competition, person.id)
        if body.name is not None:
            teams.rename_team(session, competition, team, person, body.name)
        if body.captain is not None:
            teams.name_captain(session, team, person, find_person(session, body.captain))
        return _record(competition, team)


@router.post("/competitions/{slug}/team/code", status_code=201)
def create_team_code(slug: str, services: WithServices, caller: WithCaller) -> TeamCodeRecord:
    """Make the code by which others join the team whose captain one is."""
    with services.database.session() as session:
        competition, person = competitions.find_competition(session, slug, caller), _person(session, caller)
        made = teams.make_code(competition, teams.own_team(session, competition, person.id), person)
        return TeamCodeRecord(made.code, made.expires)


@router.post("/competitions/{slug}/team/members", status_code=201)
def join_team(slug: str, services: WithServices, caller: WithCaller, body: Joined) -> TeamRecord:
    """Join a team by its code."""
    with services.database.session() as session:
        competition, person = competitions.find_competition(session, slug, caller), _person(session, caller)
        return _record(competition, teams.join_team(session, competition, person, body.code))


@router.delete("/competitions/{slug}/team/members/{username}", status_code=204)
def leave_team(slug: str, username: str, services: WithServices, caller: WithCaller) -> None:
    """Leave the team that one is in; its captain lets others leave, too."""
    with services.database.session() as session:
        competition, person = competitions.find_competition(session, slug, caller), _person(session, caller)
        team = teams.own_team(session, competition, person.id)
        teams.leave_team(session, competition, team, find_person(session, username), by=person)


def _person(session: Session, caller: Caller) -> Person:
    return session.get_one(Person, caller.person_id)


def _record(competition: Competition, team: Team) -> TeamRecord:
    usernames = {member.person_id: member.person.username for member in team.members}
    return TeamRecord(
        name=team.name,
        captain=usernames.get(team.captain_id, "") if team.captain_id else "",
        members=tuple(usernames.values()),
        max_members=competition.max_team_members or 1,
        deadline=competition.team_deadline,
        created=team.created,
    )
