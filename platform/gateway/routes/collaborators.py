"""Collaborators of competitions."""

from __future__ import annotations

from fastapi import APIRouter

from podium.platform import collaborators, competitions
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.services import WithServices
from podium.platform.identity import find_person
from podium.platform.powers import Power, require_power
from podium.platform.records.access import CollaboratorRecord

router = APIRouter(tags=["competitions"])


@router.get("/competitions/{slug}/collaborators")
def list_collaborators(slug: str, services: WithServices, caller: WithCaller) -> list[CollaboratorRecord]:
    """Who organizes a competition with its owner."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        return collaborators.list_collaborators(competition)


@router.put("/competitions/{slug}/collaborators/{username}")
def add_collaborator(slug: str, username: str, services: WithServices, caller: WithCaller) -> CollaboratorRecord:
    """Let a person organize the competition too. For its owner."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        require_power(competition, caller, Power.SHARE)
        return collaborators.add_collaborator(session, competition, find_person(session, username), actor=caller.actor)


@router.delete("/competitions/{slug}/collaborators/{username}", status_code=204)
def remove_collaborator(slug: str, username: str, services: WithServices, caller: WithCaller) -> None:
    """Let a person organize the competition no more, from this moment on. For its owner."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        require_power(competition, caller, Power.SHARE)
        collaborators.remove_collaborator(session, competition, find_person(session, username), actor=caller.actor)
