"""What organizers look through, and do with many at once; and their competition's health in one view."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from sqlalchemy.orm import Session

from podium.platform import bulk_acts, competition_health, competitions, participant_decisions, submission_listing
from podium.platform.dataset_uses import dataset_uses
from podium.platform.errors import InvalidInput
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import BulkChange, BulkWish, ParticipantDecisions
from podium.platform.gateway.routes.competitions import Limit, Offset
from podium.platform.gateway.services import WithServices
from podium.platform.identity import Caller
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.models import Competition, now
from podium.platform.records.organizing import (
    BulkRecord,
    DatasetUse,
    HealthView,
    ParticipantPage,
    SubmissionPage,
)
from podium.platform.submission_listing import Filter
from podium.platform.submissions.windows import choose_phase

router = APIRouter(tags=["organizing"])
Words = Annotated[str, Query(max_length=200)]


@router.get("/competitions/{slug}/health")
def read_competition_health(slug: str, services: WithServices, caller: WithCaller) -> HealthView:
    """The competition in one view: what waits, what fails, how full its room is, and what to do."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        default_quota = services.settings.storage_quota_bytes
        return competition_health.health_of(session, competition, default_quota=default_quota)


@router.get("/competitions/{slug}/datasets")
def list_competition_datasets(slug: str, services: WithServices, caller: WithCaller) -> list[DatasetUse]:
    """The datasets of the competition, and where each is used."""
    with services.database.session() as session:
        return dataset_uses(session, _organized(session, slug, caller))


@router.get("/competitions/{slug}/participants/page")
def list_participant_page(
    slug: str,
    services: WithServices,
    caller: WithCaller,
    search: Words = "",
    status: ParticipantStatus | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ParticipantPage:
    """Participants with what each has submitted, those who wait for a decision first."""
    with services.database.session() as session:
        wanted = participant_decisions.Search(search.strip(), status)
        competition = _organized(session, slug, caller)
        return participant_decisions.list_page(session, competition, wanted, limit=limit, offset=offset)


@router.post("/competitions/{slug}/participants/decisions")
def decide_participants(
    slug: str, services: WithServices, caller: WithCaller, body: ParticipantDecisions
) -> BulkRecord:
    """Approve or deny several, or take an approval back."""
    with services.database.session() as session:
        return participant_decisions.decide(
            session,
            _organized(session, slug, caller),
            body.usernames,
            body.status,
            reason=body.reason,
            actor=caller.actor,
        )


@router.get("/competitions/{slug}/submissions/page")
def list_submission_page(
    slug: str,
    services: WithServices,
    caller: WithCaller,
    phase: str | None = None,
    status: SubmissionStatus | None = None,
    verdict: Verdict | None = None,
    participant: Words = "",
    on_leaderboard: bool | None = None,  # noqa: FBT001 - a query parameter is always named
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> SubmissionPage:
    """Everyone's submissions by filters, the latest first."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        wanted = _filter(competition, phase, status, verdict, participant, on_leaderboard, since, until)
        return submission_listing.list_page(session, competition, wanted, limit=limit, offset=offset)


@router.post("/competitions/{slug}/submissions/bulk/preview")
def preview_bulk(slug: str, services: WithServices, caller: WithCaller, body: BulkWish) -> BulkRecord:
    """What an act would do to each of some submissions. Changes nothing."""
    with services.database.session() as session:
        return bulk_acts.preview(session, _organized(session, slug, caller), body.act, body.submissions)


@router.post("/competitions/{slug}/submissions/bulk")
def act_in_bulk(
    slug: str, services: WithServices, caller: WithCaller, body: BulkChange, background: BackgroundTasks
) -> BulkRecord:
    """Do something with some submissions: with each that it can be done with."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        record, flow_runs = bulk_acts.carry_out(
            session, competition, body.act, body.submissions, reason=body.reason, actor=caller.actor
        )
    for flow_run in flow_runs:
        background.add_task(services.dispatcher.forget_flow_run, flow_run)
    return record


def _organized(session: Session, slug: str, caller: Caller) -> Competition:
    competition = competitions.find_competition(session, slug, caller)
    competitions.require_organizer(competition, caller)
    return competition


def _filter(
    competition: Competition,
    phase: str | None,
    status: SubmissionStatus | None,
    verdict: Verdict | None,
    participant: str,
    on_leaderboard: bool | None,  # noqa: FBT001 - passed on from the query
    since: datetime | None,
    until: datetime | None,
) -> Filter:
    if any(moment is not None and moment.tzinfo is None for moment in (since, until)):
        raise InvalidInput("`since` and `until` need an offset.", remedy="Write 2026-05-31T12:00:00Z.")
    return Filter(
        phase_id=choose_phase(competition, phase, now()).id if phase is not None else None,
        status=status,
        verdict=verdict,
        participant=participant.strip(),
        on_leaderboard=on_leaderboard,
        since=since,
        until=until,
    )
