"""Submissions: announced, uploaded, followed, cancelled; their logs and files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import LoaderOption
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from podium.platform import audit, competitions
from podium.platform.errors import NotAllowed, NotFound
from podium.platform.events import submission_topic
from podium.platform.gateway.access import MaybeCaller, WithCaller
from podium.platform.gateway.requests import NewSubmission, Wait
from podium.platform.gateway.routes.competitions import Limit, Offset
from podium.platform.gateway.routes.storage import UNTRUSTED_PAGE
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.jobs import OutputKind
from podium.platform.models import Competition, Evaluation, Output, Submission, now
from podium.platform.records.storage import SignedRequestRecord
from podium.platform.records.submissions import DetailedResults, LogPage, SubmissionRecord, SubmissionUpload
from podium.platform.submissions import attempts, creation, detailed_results, logs, views
from podium.platform.submissions.windows import choose_phase
from podium.platform.team_members import is_ones_own, team_of
from podium.platform.uploads import announced_submission, forget_completed, offer_upload, signed_record

router = APIRouter(tags=["submissions"])
_PIECE_BYTES = 256 * 1024


@router.post("/competitions/{slug}/submissions", status_code=201)
def create_submission(
    slug: str, services: WithServices, caller: WithCaller, body: NewSubmission, background: BackgroundTasks
) -> SubmissionUpload:
    """Reserve a submission and get a request to upload its file with."""
    assert caller.person_id is not None
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        submission = creation.create_submission(
            session,
            competition,
            choose_phase(competition, body.phase, now()),
            caller.person_id,
            filename=body.filename,
            size=body.size,
            sha256=body.sha256,
            message=body.message,
            fact_sheet=body.fact_sheet,
            max_bytes=services.settings.submission_bytes,
            quota_bytes=services.settings.storage_quota_bytes,
            actor=caller.actor,
        )
        offered = offer_upload(
            session,
            services.storage,
            announced_submission(submission),
            part_bytes=services.settings.part_bytes,
        )
        # Prefect makes the flow run while the file is on its way.
        background.add_task(services.dispatcher.dispatch_submission, submission.id)
        return SubmissionUpload(
            views.submission_record(session, submission, for_organizer=False),
            offered.upload,
            offered.parts,
            creation.repeated_number(session, submission),
        )


@router.post("/submissions/{submission_id}/complete")
def complete_submission(
    submission_id: UUID, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> SubmissionRecord:
    """Say that the upload is done: it is checked and queued. Saying it again changes nothing."""
    with services.database.session() as session:
        submission = _find(session, submission_id, caller)
        if submission.person_id != caller.person_id:
            raise NotAllowed("Only the participant who submits can complete the upload.")
        creation.complete_submission(session, submission, services.storage, actor=caller.actor)
    # What is answered is read after the commit: that is what tells agents, and they begin meanwhile.
    forget_completed(services.database, services.storage, submission_id)
    background.add_task(services.dispatcher.dispatch_submission, submission_id)
    return _read(services, submission_id, caller)


@router.get("/competitions/{slug}/submissions")
def list_submissions(
    slug: str,
    services: WithServices,
    caller: WithCaller,
    phase: str | None = None,
    everyone: Annotated[bool, Query()] = False,  # noqa: FBT002  # a query parameter is always named
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[SubmissionRecord]:
    """One's own submissions and those of one's team, the newest first; for organizers, everyone's."""
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        query = select(Submission).where(Submission.competition_id == competition.id, Submission.rerun_id.is_(None))
        if everyone:
            competitions.require_organizer(competition, caller)
        else:
            query = query.where(_theirs(session, competition, caller))
        if phase is not None:
            query = query.where(Submission.phase_id == choose_phase(competition, phase, now()).id)
        organizes = competitions.may_organize(competition, caller)
        rows = session.scalars(
            query.order_by(Submission.number.desc()).limit(limit).offset(offset).options(*views.submission_options())
        ).all()
        return [views.submission_record(session, row, for_organizer=organizes, whole=False) for row in rows]


@router.get("/submissions/{submission_id}")
async def read_submission(
    submission_id: UUID, services: WithServices, caller: WithCaller, seen: int = 0, wait: Wait = 0
) -> SubmissionRecord:
    """A submission, whole; with `wait`, when its version is no longer the one that was `seen`."""
    if wait:
        topic = submission_topic(submission_id)
        count = services.notices.count(topic)
        if await run_in_threadpool(_version, services, submission_id) == seen:
            await services.notices.wait(topic, count, wait)
    return await run_in_threadpool(_read, services, submission_id, caller)


@router.post("/submissions/{submission_id}/cancel")
def cancel_submission(
    submission_id: UUID, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> SubmissionRecord:
    """Cancel a submission that has not ended."""
    with services.database.session() as session:
        submission = _find(session, submission_id, caller, options=views.submission_options())
        own = submission.person_id == caller.person_id
        if not own and not _organizes(submission, caller):
            raise NotAllowed("Only who submitted it, or an organizer, can cancel a submission.")
        if own:
            audit.as_oneself(session)
        audit.about(session, submission.competition)
        who = "its participant" if own else "an organizer"
        attempts.cancel_submission(session, submission_id, actor=caller.actor, reason=f"Cancelled by {who}.")
        session.refresh(submission)
        if submission.flow_run_id and submission.batch_id is None:
            background.add_task(services.dispatcher.forget_flow_run, submission.flow_run_id)
        return _record(session, submission, caller)


@router.get("/submissions/{submission_id}/logs")
async def read_logs(
    submission_id: UUID,
    services: WithServices,
    caller: WithCaller,
    after: Annotated[int, Query(ge=0)] = 0,
    wait: Wait = 0,
) -> LogPage:
    """Log text after a cursor; with `wait`, when there is some."""
    topics = logs.logs_topic(submission_id)
    count = services.notices.count(topics)
    page = await run_in_threadpool(_read_logs, services, submission_id, caller, after)
    if wait and not page.pieces and not page.ended and await services.notices.wait(topics, count, wait):
        page = await run_in_threadpool(_read_logs, services, submission_id, caller, after)
    return page


@router.get("/submissions/{submission_id}/file")
def read_file(submission_id: UUID, services: WithServices, caller: WithCaller) -> SignedRequestRecord:
    """A request to download what was submitted."""
    with services.database.session() as session:
        submission = _find(session, submission_id, caller)
        if submission.content is None:
            what = "removed by who submitted it" if submission.files_removed else "never uploaded"
            raise NotFound(f"The file was {what}.")
        return signed_record(services.storage.sign_get(submission.content, filename=submission.filename))


@router.get("/submissions/{submission_id}/evaluations/{evaluation_id}/{kind}")
def read_output(
    submission_id: UUID, evaluation_id: UUID, kind: OutputKind, services: WithServices, caller: WithCaller
) -> SignedRequestRecord:
    """A request to download an output."""
    with services.database.session() as session:
        submission = _find(session, submission_id, caller)
        if kind in views.hidden_outputs(submission) and not _organizes(submission, caller):
            raise NotAllowed("The organizers have hidden this output.")
        output = session.get(Output, (evaluation_id, kind))
        evaluation = session.get(Evaluation, evaluation_id)
        if output is None or evaluation is None or evaluation.submission_id != submission.results.id:
            raise NotFound("There is no such output.")
        suffix = "html" if kind is OutputKind.DETAILED_RESULTS else "zip"
        return signed_record(services.storage.sign_get(output.content, filename=f"{kind}-{submission.number}.{suffix}"))


@router.get("/submissions/{submission_id}/detailed-results")
def list_detailed_results(submission_id: UUID, services: WithServices, caller: MaybeCaller) -> DetailedResults:
    """The pages that scoring programs wrote about a submission, those that are being written included."""
    with services.database.session() as session:
        submission = _find_results(session, submission_id, caller)
        return detailed_results.detailed_results(session, submission, services.storage, caller)


@router.get("/submissions/{submission_id}/detailed-results/{evaluation_id}", response_class=HTMLResponse)
def read_detailed_result(
    submission_id: UUID, evaluation_id: UUID, services: WithServices, caller: MaybeCaller
) -> StreamingResponse:
    """One of those pages. A browser that opens it keeps its scripts away from everything."""
    with services.database.session() as session:
        submission = _find_results(session, submission_id, caller)
        page = services.storage.open(detailed_results.page_key(submission, evaluation_id, services.storage))
    headers = {**UNTRUSTED_PAGE, "Content-Length": str(page.seek(0, os.SEEK_END))}
    page.seek(0)
    return StreamingResponse(_pieces(page), media_type="text/html; charset=utf-8", headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _find_results(session: Session, submission_id: UUID, caller: Caller | None) -> Submission:
    submission = session.get(Submission, submission_id, options=views.submission_options())
    if submission is None or (submission.rerun_id and not (caller and _organizes(submission, caller))):
        raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")
    detailed_results.require_visible(session, submission, caller)
    return submission


def _find(session: Session, submission_id: UUID, caller: Caller, *, options: Sequence[LoaderOption] = ()) -> Submission:
    """A submission that the caller may see, without what most routes do not need; `options` say what to load with it.

    Raises:
        NotFound: There is none, or it is somebody else's: the two look the same from outside.
    """
    submission = session.get(Submission, submission_id, options=options)
    # What scores a submission again is the organizers' alone, until its results are adopted.
    own = submission is not None and submission.rerun_id is None and is_ones_own(session, submission, caller.person_id)
    if submission is None or not (own or _organizes(submission, caller)):
        raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")
    return submission


def _theirs(session: Session, competition: Competition, caller: Caller) -> ColumnElement[bool]:
    own = Submission.person_id == caller.person_id
    team = team_of(session, competition, caller.person_id)
    return own if team is None else or_(own, Submission.team_id == team.id)


def _organizes(submission: Submission, caller: Caller) -> bool:
    return competitions.may_organize(submission.competition, caller)


def _record(session: Session, submission: Submission, caller: Caller) -> SubmissionRecord:
    return views.submission_record(session, submission, for_organizer=_organizes(submission, caller))


def _read(services: Services, submission_id: UUID, caller: Caller) -> SubmissionRecord:
    with services.database.session() as session:
        options = views.submission_options()
        return _record(session, _find(session, submission_id, caller, options=options), caller)


def _version(services: Services, submission_id: UUID) -> int | None:
    """A submission's version alone: what a watcher asks for again and again is not to be read whole each time."""
    with services.database.session() as session:
        return session.scalar(select(Submission.version).where(Submission.id == submission_id))


def _read_logs(services: Services, submission_id: UUID, caller: Caller, after: int) -> LogPage:
    with services.database.session() as session:
        submission = _find(session, submission_id, caller)
        if submission.phase.hide_output and not _organizes(submission, caller):
            raise NotAllowed("The organizers have hidden the logs of this phase.")
        return logs.read_logs(session, submission.results, after=after)
