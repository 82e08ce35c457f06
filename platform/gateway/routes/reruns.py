"""Reruns: previewed, started, followed, paused, cancelled, compared and adopted by a competition's organizers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform import competitions
from podium.platform.csv_cells import safe_cell
from podium.platform.driven import RERUNS
from podium.platform.events import rerun_topic
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewRerun, RerunSelection, Wait
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.models import Competition, Rerun
from podium.platform.records.reruns import RerunPreview, RerunRecord, RerunReport
from podium.platform.reruns import control, preview, views
from podium.platform.reruns.selection import Selection

router = APIRouter(tags=["reruns"])


@router.post("/competitions/{slug}/reruns/preview")
def preview_rerun(slug: str, services: WithServices, caller: WithCaller, body: RerunSelection) -> RerunPreview:
    """What a rerun would score, and how long it would take; nothing is changed."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        return preview.preview_rerun(session, competition, _selection(body), parallel=body.parallel)


@router.post("/competitions/{slug}/reruns", status_code=201)
def start_rerun(
    slug: str, services: WithServices, caller: WithCaller, body: NewRerun, background: BackgroundTasks
) -> RerunRecord:
    """Score submissions again. The old results count until the new ones are adopted."""
    assert caller.person_id is not None
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        rerun = control.start_rerun(
            session,
            competition,
            _selection(body),
            reason=body.reason,
            adoption=body.adoption,
            parallel=body.parallel,
            person_id=caller.person_id,
            actor=caller.actor,
        )
        background.add_task(services.dispatcher.drive, RERUNS, rerun.id)
        return views.rerun_record(session, rerun)


@router.get("/competitions/{slug}/reruns")
def list_reruns(slug: str, services: WithServices, caller: WithCaller) -> list[RerunRecord]:
    """All reruns, the latest first."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        reruns = session.scalars(
            select(Rerun).where(Rerun.competition_id == competition.id).order_by(Rerun.number.desc())
        )
        return [views.rerun_record(session, rerun) for rerun in reruns]


@router.get("/competitions/{slug}/reruns/{number}")
async def read_rerun(
    slug: str, number: int, services: WithServices, caller: WithCaller, seen: int = 0, wait: Wait = 0
) -> RerunRecord:
    """One rerun; with `wait`, when something of it has changed since the version that was `seen`."""
    record = await run_in_threadpool(_read, services, slug, number, caller)
    if wait and record.version == seen:
        topic = rerun_topic(record.id)
        count = services.notices.count(topic)
        # Once more: what has changed before the notices were counted, no notice will tell.
        record = await run_in_threadpool(_read, services, slug, number, caller)
        if record.version == seen and await services.notices.wait(topic, count, wait):
            record = await run_in_threadpool(_read, services, slug, number, caller)
    return record


@router.post("/competitions/{slug}/reruns/{number}/pause")
def pause_rerun(slug: str, number: int, services: WithServices, caller: WithCaller) -> RerunRecord:
    """Begin nothing new; what is under way ends."""
    return _tell(services, slug, number, caller, control.pause_rerun)


@router.post("/competitions/{slug}/reruns/{number}/resume")
def resume_rerun(
    slug: str, number: int, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> RerunRecord:
    """Go on with a rerun that is paused."""
    record = _tell(services, slug, number, caller, control.resume_rerun)
    background.add_task(services.dispatcher.drive, RERUNS, record.id)
    return record


@router.post("/competitions/{slug}/reruns/{number}/cancel")
def cancel_rerun(slug: str, number: int, services: WithServices, caller: WithCaller) -> RerunRecord:
    """Stop a rerun and throw its results away."""
    return _tell(services, slug, number, caller, control.cancel_rerun)


@router.post("/competitions/{slug}/reruns/{number}/adopt")
def adopt_rerun(slug: str, number: int, services: WithServices, caller: WithCaller) -> RerunRecord:
    """Let the new results take the place of the old ones, all at once."""
    return _tell(services, slug, number, caller, control.adopt_by_hand)


@router.get("/competitions/{slug}/reruns/{number}/report")
def read_rerun_report(slug: str, number: int, services: WithServices, caller: WithCaller) -> RerunReport:
    """The new results beside the old ones."""
    with services.database.session() as session:
        return views.rerun_report(session, control.find_rerun(session, _organized(session, slug, caller), number))


@router.get("/competitions/{slug}/reruns/{number}/report.csv", response_class=Response)
def read_rerun_report_csv(slug: str, number: int, services: WithServices, caller: WithCaller) -> Response:
    """The same as CSV, scores in whole precision."""
    report = read_rerun_report(slug, number, services, caller)
    text = io.StringIO()
    writer = csv.writer(text)
    keys = [column.key for column in report.columns]
    heads = [f"{when} {key}" for key in keys for when in ("old", "new")]
    writer.writerow(["submission", "participant", "phase", "old status", "new status", *heads, "old rank", "new rank"])
    for row in report.differences:
        scores = [score for pair in zip(row.old_scores, row.new_scores, strict=False) for score in pair]
        cells = [row.number, row.participant, row.phase, row.old_status, row.new_status, *scores, row.old_rank]
        writer.writerow([safe_cell(cell) for cell in (*cells, row.new_rank)])
    headers = {"Content-Disposition": f'attachment; filename="{slug}-rerun-{number}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _selection(body: RerunSelection) -> Selection:
    return Selection(body.phase, tuple(dict.fromkeys(body.submissions or ())), body.platform_failures)


def _organized(session: Session, slug: str, caller: Caller) -> Competition:
    competition = competitions.find_competition(session, slug, caller)
    competitions.require_organizer(competition, caller)
    return competition


def _read(services: Services, slug: str, number: int, caller: Caller) -> RerunRecord:
    with services.database.session() as session:
        return views.rerun_record(session, control.find_rerun(session, _organized(session, slug, caller), number))


def _tell(services: Services, slug: str, number: int, caller: Caller, act: Callable[..., None]) -> RerunRecord:
    with services.database.session() as session:
        rerun = control.find_rerun(session, _organized(session, slug, caller), number, lock=True)
        act(session, rerun, actor=caller.actor)
        return views.rerun_record(session, rerun)
