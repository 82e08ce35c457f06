"""A participant's wish to submit: checked and reserved in one transaction, then uploaded, then complete."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.bundles.content import FactSheetType
from podium.platform.database import notify
from podium.platform.errors import InvalidInput, TooLarge
from podium.platform.events import pool_topic, record_event
from podium.platform.image_archives import SUFFIXES, is_image_name
from podium.platform.lifecycle import (
    SUBMISSION_TRANSITIONS,
    SubmissionStatus,
    require_transition,
)
from podium.platform.models import Competition, Evaluation, Phase, Submission, now
from podium.platform.quotas import require_left
from podium.platform.storage import Storage, incoming_key
from podium.platform.storage_quotas import require_room, require_room_for_outputs
from podium.platform.stored import accept
from podium.platform.submissions.allowances import quota_left
from podium.platform.submissions.participation import require_participant
from podium.platform.submissions.transitions import WAITS_FOR_AGENT, move_submission
from podium.platform.submissions.windows import require_open
from podium.platform.team_members import hold_teams, team_of
from podium.platform.uploads import join_parts


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
    quota_bytes: int,
    actor: str,
) -> Submission:
    """Reserve a submission: all checks and the quota in one transaction, so that no two can take the last place.

    Args:
        max_bytes: The largest submission.
        quota_bytes: What the files of a person may take who has no quota of their own.

    Raises:
        NotParticipating, PhaseClosed, QuotaExceeded, InvalidInput, TooLarge, StorageFull: As they say; nothing was
            reserved.
    """
    moment = now()
    require_open(competition, phase, moment)
    require_kind(phase, filename)
    answers = check_fact_sheet(competition, fact_sheet)
    if size > max_bytes:
        raise TooLarge(f"A submission may have {max_bytes} bytes; this one has {size}.")
    require_participant(session, competition, person_id, lock=True)
    team = team_of(session, competition, person_id)
    if team is not None:
        hold_teams(session, {team.id})
    require_left(quota_left(session, phase, person_id, moment, team=team))
    require_room_for_outputs(session, competition.organizer_id, default=quota_bytes)
    require_room(session, person_id, size, default=quota_bytes)
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
        team_id=team.id if team is not None else None,
        number=number,
        filename=filename,
        size=size,
        sha256=sha256,
        message=message,
        fact_sheet=answers,
        created=moment,
        is_baseline=_is_baseline(competition, person_id),
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


def _is_baseline(competition: Competition, person_id: UUID) -> bool:
    """Whether what a person submits is there to be compared with: an organizer's, where the leaderboard says so."""
    organizers = {competition.organizer_id, *(one.person_id for one in competition.collaborators)}
    return competition.leaderboards[0].organizers_are_baselines and person_id in organizers


def repeated_number(session: Session, submission: Submission) -> int | None:
    """The number of the latest submission before this one that had the same content, or `None`: for a hint."""
    return session.scalar(
        select(Submission.number)
        .where(
            Submission.phase_id == submission.phase_id,
            Submission.person_id == submission.person_id,
            Submission.sha256 == submission.sha256,
            Submission.rerun_id.is_(None),
            Submission.status != SubmissionStatus.CANCELLED,
            Submission.id != submission.id,
        )
        .order_by(Submission.created.desc())
        .limit(1)
    )


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
    join_parts(session, storage, submission.id)
    stored = accept(session, storage, upload_key(submission), sha256=submission.sha256, size=submission.size)
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
