"""A participant's wish to submit: checked and reserved in one transaction, then uploaded, then complete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from podium.platform.bundles.content import FactSheetType
from podium.platform.database import notify
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from podium.platform.image_archives import SUFFIXES, is_image_name
from podium.platform.lifecycle import (
    SUBMISSION_TRANSITIONS,
    ParticipantStatus,
    SubmissionStatus,
    require_transition,
)
from podium.platform.models import Competition, Evaluation, Participant, Phase, Submission, TermsAcceptance, now
from podium.platform.quotas import Left, Quota, Used, left_of, require_left, start_of_day
from podium.platform.records import Allowance
from podium.platform.storage import Storage, incoming_key
from podium.platform.submissions.transitions import WAITS_FOR_AGENT, move_submission, pool_topic, record_event


class PhaseClosed(Conflict):
    """The phase does not take submissions now."""

    type = "phase-closed"
    title = "This phase is not open"


class NotParticipating(NotAllowed):
    """The person has not joined, or was not approved, or has not accepted the present terms."""

    type = "not-participating"
    title = "You do not take part in this competition"


def phase_status(phase: Phase, moment: datetime) -> str:
    """`upcoming`, `open` or `over`: a phase is open from its start, to the second, until before its end."""
    if moment < phase.starts:
        return "upcoming"
    return "open" if phase.ends is None or moment < phase.ends else "over"


def choose_phase(competition: Competition, named: str | None, moment: datetime) -> Phase:
    """The phase of that number (from 1) or name; without a name the one that is open, else the latest that began.

    Raises:
        NotFound: There is no phase of that name; the message lists those there are.
    """
    phases = competition.phases
    if named is not None:
        for phase in phases:
            if named == str(phase.position + 1) or named.casefold() == phase.name.casefold():
                return phase
        known = ", ".join(f"{phase.position + 1} '{phase.name}'" for phase in phases)
        raise NotFound(f"'{competition.slug}' has no phase '{named[:80]}'.", remedy=f"Its phases are {known}.")
    for phase in phases:
        if phase_status(phase, moment) == "open":
            return phase
    begun = [phase for phase in phases if phase_status(phase, moment) == "over"]
    return begun[-1] if begun else phases[0]


def require_open(phase: Phase, moment: datetime) -> None:
    """Go on only if the phase takes submissions.

    Raises:
        PhaseClosed: It has not begun, or is over; the message gives the date.
    """
    match phase_status(phase, moment):
        case "upcoming":
            raise PhaseClosed(f"Phase '{phase.name}' begins on {phase.starts:%Y-%m-%d at %H:%M:%S} UTC.")
        case "over":
            raise PhaseClosed(f"Phase '{phase.name}' ended on {phase.ends:%Y-%m-%d at %H:%M:%S} UTC.")


def require_kind(phase: Phase, filename: str) -> None:
    """Go on only if the phase takes files of this kind: zips, or images of containers.

    Raises:
        InvalidInput: It takes the other kind.
    """
    if phase.accepts_container_submissions and not is_image_name(filename):
        raise InvalidInput(
            f"Phase '{phase.name}' takes images of containers, and '{filename[:200]}' is none.",
            remedy=f"Make one with `docker save IMAGE | gzip > image.tar.gz`; names end in {', '.join(SUFFIXES)}.",
        )
    if is_image_name(filename) and not phase.accepts_container_submissions:
        raise InvalidInput(
            f"Phase '{phase.name}' takes no images of containers, and '{filename[:200]}' is a tar.",
            remedy="Submit a zip with results or code.",
        )


def require_participant(session: Session, competition: Competition, person_id: UUID, *, lock: bool) -> Participant:
    """The person's approved part in the competition; with `lock`, their other submissions wait for this transaction.

    Raises:
        NotParticipating: They have not joined, are not approved, or the terms have changed since.
    """
    query = select(Participant).where(Participant.competition_id == competition.id, Participant.person_id == person_id)
    participant = session.scalar(query.with_for_update() if lock else query)
    join = f"podium join {competition.slug}"
    if participant is None:
        raise NotParticipating(f"You have not joined '{competition.slug}'.", remedy=f"Join with `{join}`.")
    if participant.status is ParticipantStatus.PENDING:
        raise NotParticipating("The organizers have not approved you yet.", remedy="Wait for them, or write to them.")
    if participant.status is ParticipantStatus.DENIED:
        raise NotParticipating("The organizers have denied you.", remedy="Write to them if you think it is a mistake.")
    accepted = session.scalar(
        select(func.count()).where(
            TermsAcceptance.competition_id == competition.id,
            TermsAcceptance.person_id == person_id,
            TermsAcceptance.terms_sha256 == competition.terms_sha256,
        )
    )
    if not accepted:
        raise NotParticipating("The terms have changed since you joined.", remedy=f"Accept them with `{join}`.")
    return participant


def quota_left(session: Session, phase: Phase, person_id: UUID, moment: datetime) -> Left:
    """What a participant has left in a phase."""
    total, today = session.execute(
        select(func.count(), func.count().filter(Submission.created >= start_of_day(moment))).where(
            Submission.phase_id == phase.id, Submission.person_id == person_id, Submission.counts
        )
    ).one()
    return left_of(Quota(phase.max_submissions_per_day, phase.max_submissions), Used(today, total), moment)


def allowance(session: Session, competition: Competition, phase: Phase, person_id: UUID) -> Allowance:
    """Whether the person may submit to the phase now, and if not, why and until when."""
    moment = now()
    left = quota_left(session, phase, person_id, moment)
    changes = left.renews
    reason = left.reason
    try:
        require_participant(session, competition, person_id, lock=False)
        require_open(phase, moment)
    except (NotParticipating, PhaseClosed) as error:
        reason = str(error)
        changes = phase.starts if phase_status(phase, moment) == "upcoming" else None
    return Allowance(
        can=not reason, reason=reason, phase=phase.name, left_today=left.today, left_total=left.total, changes=changes
    )


def check_fact_sheet(competition: Competition, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers, if they fit the competition's questions.

    Raises:
        InvalidInput: A required answer is missing, a key is unknown, or an answer is none of the selection; the
            message names every one.
    """
    questions = {question["key"]: question for question in competition.fact_sheet}
    faults = [f"'{key}' is not a question" for key in answers if key not in questions]
    for key, question in questions.items():
        answer = answers.get(key, "")
        if question["is_required"] and not answer:
            faults.append(f"'{key}' ({question['title']}) must be answered")
        elif answer and question["type"] == FactSheetType.SELECT and answer not in question["selection"]:
            faults.append(f"'{key}' must be one of {', '.join(question['selection'])}")
        elif answer and question["type"] == FactSheetType.CHECKBOX and answer not in ("true", "false"):
            faults.append(f"'{key}' must be true or false")
        elif len(answer) > 2000:
            faults.append(f"'{key}' is longer than 2000 characters")
    if faults:
        raise InvalidInput(f"The fact sheet is not right: {'; '.join(faults)}.", remedy="Answer with --fact KEY=VALUE.")
    return {key: answers[key] for key in questions if answers.get(key)}


def create_submission(
    session: Session,
    competition: Competition,
    phase: Phase,
    person_id: UUID,
    *,
    filename: str,
    size: int,
    sha256: str,
    message: str,
    fact_sheet: Mapping[str, str],
    max_bytes: int,
    actor: str,
) -> Submission:
    """Reserve a submission: all checks and the quota in one transaction, so that no two can take the last place.

    Raises:
        NotParticipating, PhaseClosed, QuotaExceeded, InvalidInput, TooLarge: As they say; nothing was reserved.
    """
    moment = now()
    require_open(phase, moment)
    require_kind(phase, filename)
    answers = check_fact_sheet(competition, fact_sheet)
    if size > max_bytes:
        raise TooLarge(f"A submission may have {max_bytes} bytes; this one has {size}.")
    require_participant(session, competition, person_id, lock=True)
    require_left(quota_left(session, phase, person_id, moment))
    number = session.scalar(
        update(Competition)
        .where(Competition.id == competition.id)
        .values(next_submission_number=Competition.next_submission_number + 1)
        .returning(Competition.next_submission_number - 1)
    )
    assert number is not None
    submission = Submission(
        competition=competition,
        phase=phase,
        person_id=person_id,
        number=number,
        filename=filename,
        size=size,
        sha256=sha256,
        message=message,
        fact_sheet=answers,
        created=moment,
        evaluations=[Evaluation(task_id=entry.task_id, position=entry.position) for entry in phase.tasks],
    )
    session.add(submission)
    session.flush()
    record_event(
        session,
        subject="submission",
        subject_id=submission.id,
        before=None,
        after=SubmissionStatus.SUBMITTED,
        actor=actor,
    )
    return submission


def upload_key(submission: Submission) -> str:
    """Where a submission's file is uploaded to."""
    return incoming_key(submission.id)


def complete_submission(session: Session, submission: Submission, storage: Storage, *, actor: str) -> bool:
    """Check what was uploaded and queue the submission; tell whether it is new in the queue.

    Raises:
        NotFound: Nothing was uploaded.
        InvalidInput: What was uploaded is not what was announced; it may be uploaded again.
        IllegalTransition: The submission was cancelled.
    """
    # Said twice at the same time, the second waits here and sees what the first has done.
    session.refresh(submission, with_for_update={"of": Submission})
    if submission.content is not None and submission.status is not SubmissionStatus.CANCELLED:
        return False  # completed before; saying it twice is not an error
    require_transition(SUBMISSION_TRANSITIONS, submission.status, SubmissionStatus.QUEUED)
    stored = storage.accept(upload_key(submission), sha256=submission.sha256, size=submission.size)
    move_submission(
        session,
        submission,
        SubmissionStatus.QUEUED,
        actor=actor,
        reason=WAITS_FOR_AGENT,
        content=stored.key,
        queued=now(),
    )
    # Its flow run was made while the file was on the way: agents may claim it as soon as this is committed.
    notify(session, pool_topic(submission.competition.pool.name))
    return True
