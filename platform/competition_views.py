"""Competitions as the API shows them: in lists, and whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import LoaderOption

from podium.platform.bundles.submission_formats import format_from_json
from podium.platform.competition_search import is_now, joined_by, says
from podium.platform.competitions import may_organize, organized_by
from podium.platform.identity import Caller
from podium.platform.leaderboard.entries import column_record, questions_of, visible_columns
from podium.platform.lifecycle import CompetitionStatus, ParticipantStatus
from podium.platform.limits import effective
from podium.platform.models import (
    Collaborator,
    Competition,
    Leaderboard,
    Participant,
    Phase,
    PhaseMigration,
    PhaseTask,
    Submission,
    TermsAcceptance,
    now,
)
from podium.platform.records.competitions import (
    CompetitionRecord,
    CompetitionSummary,
    MigrationRecord,
    PageRecord,
    PhaseRecord,
    TaskRecord,
)
from podium.platform.submissions.fitting import relaxations_of
from podium.platform.submissions.windows import phase_status


def competition_options() -> Sequence[LoaderOption]:
    """What to load with competitions that are to be shown, in a fixed number of queries."""
    return (
        joinedload(Competition.organizer),
        selectinload(Competition.collaborators).joinedload(Collaborator.person),
        selectinload(Competition.pages),
        selectinload(Competition.phases).options(
            selectinload(Phase.tasks).joinedload(PhaseTask.task), joinedload(Phase.migration)
        ),
        selectinload(Competition.leaderboards).selectinload(Leaderboard.columns),
    )


def list_competitions(
    session: Session,
    caller: Caller | None,
    *,
    search: str,
    limit: int,
    offset: int,
    status: CompetitionStatus | None = None,
    mine: bool = False,
) -> list[CompetitionSummary]:
    """Competitions that the caller may see, the newest first.

    Args:
        search: Words that each must say.
        status: Only those that are so now.
        mine: Only those that the caller takes part in or organizes.
    """
    query = select(Competition).options(
        joinedload(Competition.organizer),
        selectinload(Competition.phases),
        selectinload(Competition.collaborators).joinedload(Collaborator.person),
    )
    if caller is None or not caller.is_administrator:
        query = query.where(or_(Competition.published, organized_by(caller.person_id if caller else None)))
    if search:
        query = query.where(says(search))
    if status is not None:
        query = query.where(is_now(status, now()))
    if mine:
        person_id = caller.person_id if caller else None
        query = query.where(or_(joined_by(person_id), organized_by(person_id)))
    competitions = session.scalars(query.order_by(Competition.created.desc()).limit(limit).offset(offset)).all()
    return summaries(session, competitions, caller)


def summaries(session: Session, competitions: Sequence[Competition], caller: Caller | None) -> list[CompetitionSummary]:
    """Competitions as they stand in a list."""
    ids = [competition.id for competition in competitions]
    participants = _counts(session, Participant.competition_id, ids, Participant.status == ParticipantStatus.APPROVED)
    submissions = _counts(session, Submission.competition_id, ids, Submission.rerun_id.is_(None))
    participations = _participations(session, ids, caller)
    moment = now()
    return [
        _summary(
            competition,
            participants.get(competition.id, 0),
            submissions.get(competition.id, 0),
            moment,
            organizes=may_organize(competition, caller),
            participation=participations.get(competition.id),
        )
        for competition in competitions
    ]


def _participations(session: Session, ids: Sequence[UUID], caller: Caller | None) -> dict[UUID, ParticipantStatus]:
    if caller is None or caller.person_id is None:
        return {}
    query = select(Participant.competition_id, Participant.status)
    found = session.execute(query.where(Participant.competition_id.in_(ids), Participant.person_id == caller.person_id))
    return {row[0]: row[1] for row in found}


def _counts(
    session: Session, column: InstrumentedAttribute[UUID], ids: Sequence[UUID], *conditions: ColumnElement[bool]
) -> dict[UUID, int]:
    query = select(column, func.count()).where(column.in_(ids), *conditions).group_by(column)
    return {row[0]: row[1] for row in session.execute(query)}


def _summary(
    competition: Competition,
    participants: int,
    submissions: int,
    moment: datetime,
    *,
    organizes: bool,
    participation: ParticipantStatus | None,
) -> CompetitionSummary:
    running = next((phase for phase in competition.phases if phase_status(phase, moment) == "open"), None)
    opens = min((phase.starts for phase in competition.phases if phase.starts > moment), default=None)
    resting = CompetitionStatus.OVER if opens is None else CompetitionStatus.UPCOMING
    return CompetitionSummary(
        slug=competition.slug,
        title=competition.title,
        description=competition.description,
        organizer=competition.organizer.username,
        published=competition.published,
        phase=running.name if running else None,
        deadline=running.ends if running else None,
        participants=participants,
        submissions=submissions,
        reward=competition.reward,
        created=competition.created,
        may_organize=organizes,
        collaborators=tuple(one.person.username for one in competition.collaborators),
        status=CompetitionStatus.OPEN if running else resting,
        opens=opens,
        participation=participation,
        has_image=competition.image_content is not None,
    )


def competition_record(
    session: Session, competition: Competition, caller: Caller | None, *, maxima: Mapping[str, float]
) -> CompetitionRecord:
    """A competition as the caller may see it."""
    board = competition.leaderboards[0]
    organizes = may_organize(competition, caller)
    moment = now()
    participant = None
    if caller is not None and caller.person_id is not None:
        participant = session.get(Participant, (competition.id, caller.person_id))
    accepted = _latest_acceptance(session, competition, participant)
    return CompetitionRecord(
        summary=summaries(session, [competition], caller)[0],
        terms=competition.terms,
        terms_is_html=competition.terms_is_html,
        terms_sha256=competition.terms_sha256,
        registration_auto_approve=competition.registration_auto_approve,
        docker_image=competition.docker_image,
        contact_email=competition.contact_email,
        phases=tuple(_phase_record(phase, moment, maxima) for phase in competition.phases),
        pages=tuple(PageRecord(page.title, page.text, page.is_html) for page in competition.pages),
        fact_sheet=questions_of(competition),
        columns=tuple(column_record(column, board) for column in visible_columns(board, for_organizer=organizes)),
        leaderboard_title=board.title,
        leaderboard_hidden=board.hidden,
        submission_rule=board.submission_rule,
        participation=participant.status if participant else None,
        may_organize=organizes,
        relaxations=relaxations_of(competition),
        start=competition.starts,
        end=competition.ends,
        registration_start=competition.registration_starts,
        registration_end=competition.registration_ends,
        terms_accepted=accepted.accepted if accepted else None,
        accepted_terms_sha256=accepted.terms_sha256 if accepted else "",
        may_share=competition.can_participants_make_submissions_public,
        max_team_members=competition.max_team_members,
        team_deadline=competition.team_deadline,
    )


def _latest_acceptance(
    session: Session, competition: Competition, participant: Participant | None
) -> TermsAcceptance | None:
    if participant is None:
        return None
    query = select(TermsAcceptance).where(
        TermsAcceptance.competition_id == competition.id, TermsAcceptance.person_id == participant.person_id
    )
    return session.scalar(query.order_by(TermsAcceptance.accepted.desc()).limit(1))


def _phase_record(phase: Phase, moment: datetime, maxima: Mapping[str, float]) -> PhaseRecord:
    limits = effective(phase.asked_limits, maxima)
    return PhaseRecord(
        number=phase.position + 1,
        name=phase.name,
        description=phase.description,
        start=phase.starts,
        end=phase.ends,
        status=phase_status(phase, moment),
        max_submissions_per_day=phase.max_submissions_per_day,
        max_submissions=phase.max_submissions,
        execution_time_limit=int(limits["wall_seconds"]),
        only_result_submissions=phase.accepts_only_result_submissions,
        tasks=tuple(TaskRecord(entry.index, entry.task.name, entry.task.description) for entry in phase.tasks),
        container_submissions=phase.accepts_container_submissions,
        limits=limits,
        max_concurrent_submissions=phase.max_concurrent_submissions,
        time_zone=phase.time_zone,
        submission_window=phase.submission_window,
        failed_submissions_given_back=phase.failed_submissions_given_back,
        paused=phase.paused is not None,
        pause_message=phase.pause_message,
        auto_migrate=phase.auto_migrate_to_this_phase,
        submission_format=format_from_json(phase.submission_format),
        migration=_migration_record(phase.migration) if phase.migration else None,
    )


def _migration_record(migration: PhaseMigration) -> MigrationRecord:
    return MigrationRecord(
        status=migration.status,
        message=migration.message,
        copied=migration.copied,
        started=migration.started,
        ended=migration.ended,
    )
