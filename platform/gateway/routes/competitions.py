"""Competitions, who takes part in them, and their leaderboards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from sqlalchemy import select

from podium.platform import competition_relaxations, competition_views, competitions, participants
from podium.platform.audit import plain_address
from podium.platform.competition_pool import choose_pool
from podium.platform.events import record_event
from podium.platform.gateway.access import MaybeCaller, WithCaller
from podium.platform.gateway.board_access import board_seen
from podium.platform.gateway.requests import CompetitionChange, Joining, ParticipantChange, RelaxationsChange
from podium.platform.gateway.services import WithServices
from podium.platform.identity import find_person
from podium.platform.leaderboard.reading import read_leaderboard as leaderboard_of
from podium.platform.lifecycle import CompetitionStatus
from podium.platform.models import Participant, Person, now
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary
from podium.platform.records.leaderboards import LeaderboardRecord
from podium.platform.records.people import Allowance, ParticipantRecord
from podium.platform.submissions.allowances import allowance
from podium.platform.submissions.windows import choose_phase

router = APIRouter(tags=["competitions"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0)]


@router.get("/competitions")
def list_competitions(
    services: WithServices,
    caller: MaybeCaller,
    search: str = "",
    status: CompetitionStatus | None = None,
    mine: Annotated[bool, Query()] = False,  # noqa: FBT002  # a query parameter is always named
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[CompetitionSummary]:
    """Competitions that the caller may see, the newest first."""
    with services.database.session() as session:
        return competition_views.list_competitions(
            session, caller, search=search[:200], limit=limit, offset=offset, status=status, mine=mine
        )


@router.get("/competitions/{slug}")
def read_competition(slug: str, services: WithServices, caller: MaybeCaller) -> CompetitionRecord:
    """One competition, whole."""
    with services.database.session() as session:
        options = competition_views.competition_options()
        competition = competitions.find_competition(session, slug, caller, options=options)
        return competition_views.competition_record(session, competition, caller, maxima=services.settings.limit_maxima)


@router.patch("/competitions/{slug}")
def change_competition(
    slug: str, services: WithServices, caller: WithCaller, body: CompetitionChange
) -> CompetitionRecord:
    """Publish a competition, or take it back to a draft; choose the pool that scores it."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        if body.pool is not None:
            choose_pool(session, competition, body.pool, caller)
        if body.published is not None and competition.published != body.published:
            record_event(
                session,
                subject="competition",
                subject_id=competition.id,
                before="published" if competition.published else "draft",
                after="published" if body.published else "draft",
                actor=caller.actor,
            )
            competition.published = body.published
        return competition_views.competition_record(session, competition, caller, maxima=services.settings.limit_maxima)


@router.patch("/competitions/{slug}/relaxations")
def relax_competition(
    slug: str, services: WithServices, caller: WithCaller, body: RelaxationsChange
) -> CompetitionRecord:
    """Say which rules of the sandbox the competition's programs do without. Everyone is shown."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        competition_relaxations.set_relaxations(
            session, competition, network=body.network, root=body.root, actor=caller.actor
        )
        return competition_views.competition_record(session, competition, caller, maxima=services.settings.limit_maxima)


@router.post("/competitions/{slug}/participants", status_code=201)
def join(slug: str, services: WithServices, caller: WithCaller, body: Joining, request: Request) -> ParticipantRecord:
    """Take part, accepting the terms."""
    with services.database.session() as session:
        return participants.join_competition(
            session,
            competitions.find_competition(session, slug, caller),
            session.get_one(Person, caller.person_id),
            terms_sha256=body.terms_sha256,
            address=plain_address(request.client.host if request.client else None),
            user_agent=request.headers.get("user-agent", ""),
        )


@router.get("/competitions/{slug}/participants")
def list_participants(slug: str, services: WithServices, caller: WithCaller) -> list[ParticipantRecord]:
    """Everyone who has joined."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        rows = session.execute(
            select(Participant, Person)
            .join(Person, Person.id == Participant.person_id)
            .where(Participant.competition_id == competition.id)
            .order_by(Participant.created)
        )
        return [participants.participant_record(participant, person) for participant, person in rows]


@router.patch("/competitions/{slug}/participants/{username}")
def change_participant(
    slug: str, username: str, services: WithServices, caller: WithCaller, body: ParticipantChange
) -> ParticipantRecord:
    """Approve or deny a participant."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        competitions.require_organizer(competition, caller)
        person = find_person(session, username)
        return participants.set_participant_status(session, competition, person, body.status, actor=caller.actor)


@router.get("/competitions/{slug}/allowance")
def read_allowance(slug: str, services: WithServices, caller: WithCaller, phase: str | None = None) -> Allowance:
    """Whether one may submit now, what is left, and if not, why and until when."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        assert caller.person_id is not None
        return allowance(session, competition, choose_phase(competition, phase, now()), caller.person_id)


Search = Annotated[str, Query(max_length=60)]


@router.get("/competitions/{slug}/leaderboard")
def read_leaderboard(
    slug: str,
    services: WithServices,
    caller: MaybeCaller,
    phase: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
    search: Search = "",
    as_of: AwareDatetime | None = None,
) -> LeaderboardRecord:
    """A phase's leaderboard, as it stands or as it stood; of all, or of participants by their names."""
    with services.database.session() as session:
        competition, chosen, reader = board_seen(session, slug, caller, phase)
        return leaderboard_of(
            session, competition, chosen, reader, limit=limit, offset=offset, search=search, as_of=as_of
        )
