"""Competitions in the database: who may see and organize them, who takes part, and how the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import LoaderOption

from podium.platform import audit
from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import BadDestination, parse_destination
from podium.platform.database import notify
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from podium.platform.identity import Caller
from podium.platform.leaderboard.entries import column_record, questions_of, visible_columns
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.limits import effective
from podium.platform.models import (
    Collaborator,
    Competition,
    Leaderboard,
    Participant,
    Person,
    Phase,
    PhaseMigration,
    PhaseTask,
    Submission,
    TermsAcceptance,
    now,
)
from podium.platform.powers import Power, has_power, require_power
from podium.platform.records.competitions import (
    CompetitionRecord,
    CompetitionSummary,
    MigrationRecord,
    PageRecord,
    PhaseRecord,
    TaskRecord,
)
from podium.platform.records.people import ParticipantRecord
from podium.platform.submissions.fitting import relaxations_of
from podium.platform.submissions.transitions import pool_topic, record_event
from podium.platform.submissions.windows import phase_status, require_registration_open


def may_organize(competition: Competition, caller: Caller | None) -> bool:
    """Whether the caller organizes this competition: its owner, collaborators, and administrators."""
    return has_power(competition, caller, Power.ORGANIZE)


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


def find_competition(
    session: Session, slug: str, caller: Caller | None, *, options: Sequence[LoaderOption] = ()
) -> Competition:
    """The competition of that slug, if the caller may see it.

    Args:
        options: What to load with it.

    Raises:
        NotFound: There is none, or it is a draft of somebody else's: the two look the same from outside.
    """
    competition = session.scalar(select(Competition).where(Competition.slug == slug.lower()).options(*options))
    if competition is None or not (competition.published or may_organize(competition, caller)):
        raise NotFound(
            f"There is no competition '{slug[:80]}'.", remedy="List those there are with `podium competitions`."
        )
    audit.about(session, competition)
    return competition


def require_organizer(competition: Competition, caller: Caller) -> None:
    """Go on only if the caller organizes the competition.

    Raises:
        NotAllowed: They don't.
    """
    require_power(competition, caller, Power.ORGANIZE)


def list_competitions(
    session: Session, caller: Caller | None, *, search: str, limit: int, offset: int
) -> list[CompetitionSummary]:
    """Competitions that the caller may see, the newest first."""
    query = select(Competition).options(
        joinedload(Competition.organizer),
        selectinload(Competition.phases),
        selectinload(Competition.collaborators).joinedload(Collaborator.person),
    )
    if caller is None or not caller.is_administrator:
        query = query.where(or_(Competition.published, organized_by(caller.person_id if caller else None)))
    if search:
        pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(Competition.title.ilike(pattern), Competition.slug.ilike(pattern)))
    competitions = session.scalars(query.order_by(Competition.created.desc()).limit(limit).offset(offset)).all()
    return summaries(session, competitions, caller)


def organized_by(person_id: UUID | None) -> ColumnElement[bool]:
    """The condition that a competition is owned by a person, or shared with them."""
    shared = select(Collaborator.competition_id).where(Collaborator.person_id == person_id)
    return or_(Competition.organizer_id == person_id, Competition.id.in_(shared))


def organizes_any(session: Session, person_id: UUID | None) -> bool:
    """Whether a person owns a competition, or collaborates in one."""
    return bool(session.scalar(select(exists().where(organized_by(person_id)))))


def summaries(session: Session, competitions: Sequence[Competition], caller: Caller | None) -> list[CompetitionSummary]:
    """Competitions as they stand in a list."""
    ids = [competition.id for competition in competitions]
    participants = _counts(session, Participant.competition_id, ids, Participant.status == ParticipantStatus.APPROVED)
    submissions = _counts(session, Submission.competition_id, ids, Submission.rerun_id.is_(None))
    moment = now()
    return [
        _summary(
            competition,
            participants.get(competition.id, 0),
            submissions.get(competition.id, 0),
            moment,
            organizes=may_organize(competition, caller),
        )
        for competition in competitions
    ]


def _counts(
    session: Session, column: InstrumentedAttribute[UUID], ids: Sequence[UUID], *conditions: ColumnElement[bool]
) -> dict[UUID, int]:
    query = select(column, func.count()).where(column.in_(ids), *conditions).group_by(column)
    return {row[0]: row[1] for row in session.execute(query)}


def _summary(
    competition: Competition, participants: int, submissions: int, moment: datetime, *, organizes: bool
) -> CompetitionSummary:
    running = next((phase for phase in competition.phases if phase_status(phase, moment) == "open"), None)
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
    )


def set_relaxations(
    session: Session, competition: Competition, *, network: Sequence[str] | None, root: bool | None, actor: str
) -> None:
    """Say which rules of the sandbox a competition does without; `None` leaves one as it is.

    It holds for whatever is scored from now on. Submissions wait until an agent allows it.

    Raises:
        InvalidInput: An entry of the allow-list can't stand in it.
    """
    before = relaxations_of(competition)
    after = Relaxations(
        network=before.network if network is None else _destinations(network),
        root=before.root if root is None else root,
    )
    if after == before:
        return
    strict = "Every rule of the sandbox holds."
    was, is_now = (" ".join(one.in_words()) or strict for one in (before, after))
    audit.note(session, "competition", before=was, after=is_now)
    record_event(
        session,
        subject="competition",
        subject_id=competition.id,
        before=_strictness(before),
        after=_strictness(after),
        actor=actor,
        reason=is_now,
    )
    competition.relaxations = asdict(after)
    notify(session, pool_topic(competition.pool.name))


def _destinations(texts: Sequence[str]) -> tuple[str, ...]:
    found, problems = [], []
    for text in texts:
        try:
            found.append(str(parse_destination(text)))
        except BadDestination as bad:
            problems.append(f"'{text[:80]}': {bad}")
    if problems:
        raise InvalidInput(
            f"This can't be allowed: {'; '.join(problems)}.", remedy="Write host:port, such as pypi.org:443."
        )
    return tuple(dict.fromkeys(found))


def _strictness(relaxations: Relaxations) -> str:
    return "relaxed" if relaxations.in_words() else "strict"


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


def join_competition(
    session: Session,
    competition: Competition,
    person: Person,
    *,
    terms_sha256: str,
    address: str | None,
    user_agent: str,
) -> ParticipantRecord:
    """Take part, accepting the terms; joining again only records that newer terms were accepted.

    Raises:
        Conflict: The terms that were accepted are not the present ones.
        RegistrationClosed: Registration has not begun, or is over; who takes part already may accept newer terms.
        NotAllowed: The organizers have denied this person.
    """
    if terms_sha256 != competition.terms_sha256:
        raise Conflict("These are not the present terms.", remedy="Read them again, and accept those.")
    if session.get(Participant, (competition.id, person.id)) is None:
        require_registration_open(competition, now())
    status = ParticipantStatus.APPROVED if competition.registration_auto_approve else ParticipantStatus.PENDING
    added = session.execute(
        insert(Participant)
        .values(competition_id=competition.id, person_id=person.id, status=status, created=now())
        .on_conflict_do_nothing()
        .returning(Participant.status)
    ).scalar()
    participant = session.get_one(Participant, (competition.id, person.id))
    if participant.status is ParticipantStatus.DENIED:
        raise NotAllowed("The organizers have denied you.", remedy="Write to them if you think it is a mistake.")
    session.add(
        TermsAcceptance(
            competition_id=competition.id,
            person_id=person.id,
            terms_sha256=terms_sha256,
            address=address,
            user_agent=user_agent[:400],
        )
    )
    if added is not None:
        record_event(
            session,
            subject="participant",
            subject_id=person.id,
            before=None,
            after=status,
            actor=f"person:{person.username}",
            reason=competition.slug,
        )
    return participant_record(participant, person)


def participant_record(participant: Participant, person: Person) -> ParticipantRecord:
    """A participant as organizers see them."""
    return ParticipantRecord(person.username, person.name, participant.status, participant.created)


def set_participant_status(
    session: Session,
    competition: Competition,
    person: Person,
    status: ParticipantStatus,
    *,
    actor: str,
    reason: str = "",
) -> ParticipantRecord:
    """Approve or deny a participant; `reason` is kept with it.

    Raises:
        NotFound: The person has not joined.
    """
    participant = session.get(Participant, (competition.id, person.id), with_for_update=True)
    if participant is None:
        raise NotFound(f"'{person.username}' has not joined '{competition.slug}'.")
    if participant.status is not status:
        record_event(
            session,
            subject="participant",
            subject_id=person.id,
            before=participant.status,
            after=status,
            actor=actor,
            reason=reason or competition.slug,
        )
        participant.status = status
    return participant_record(participant, person)
