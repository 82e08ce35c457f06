"""What organizers do with a rerun: start, pause, resume, cancel and adopt it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import Conflict
from podium.platform.events import pool_topic, record_event
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, RerunStatus
from podium.platform.models import Adoption, Competition, Rerun, RerunItem, Submission
from podium.platform.numbered import find_numbered, next_number
from podium.platform.reruns.adoption import adopt
from podium.platform.reruns.preview import expected_seconds, phases_of, usual_parallel
from podium.platform.reruns.selection import Selection, choose_submissions
from podium.platform.submissions.attempts import cancel_submission
from podium.platform.submissions.waiting import live_slots
from podium.platform.transitions import move_rerun


def start_rerun(
    session: Session,
    competition: Competition,
    selection: Selection,
    *,
    reason: str,
    adoption: Adoption,
    parallel: int | None,
    person_id: UUID,
    actor: str,
) -> Rerun:
    """Decide what is scored again. Nothing runs yet: the flow makes batch after batch of it.

    Of two that start at the same moment, the second sees what the first has taken.

    Raises:
        InvalidInput, NotFound: As for `choose_submissions`.
        Conflict: Nothing of it can be scored again.
    """
    number = next_number(session, Rerun, competition)
    chosen = choose_submissions(session, competition, selection)
    if not chosen.submissions:
        why = sorted({reason for _, reason in chosen.left_out})
        said = f": {'; '.join(why)}" if why else ", for there is nothing"
        raise Conflict(f"Nothing of this can be scored again{said}.")
    phases = phases_of(session, competition, chosen)
    slots = live_slots(session, competition.pool_id)
    parallel = parallel or usual_parallel(phases, slots)
    rerun = Rerun(
        competition=competition,
        number=number,
        requested_by=person_id,
        reason=reason,
        selection=selection.stored(),
        adoption=adoption,
        parallel=parallel,
        total=len(chosen.submissions),
        expected_seconds=expected_seconds(phases, slots, parallel),
    )
    session.add(rerun)
    session.flush()
    session.execute(
        insert(RerunItem),
        [
            {
                "rerun_id": rerun.id,
                "position": position,
                "origin_id": submission.id,
                "old_scores": [],
                "new_scores": [],
            }
            for position, submission in enumerate(chosen.submissions)
        ],
    )
    record_event(
        session,
        subject="rerun",
        subject_id=rerun.id,
        before=None,
        after=RerunStatus.WAITING,
        actor=actor,
        reason=f"{selection.in_words()}: {reason}",
        name=str(rerun.number),
    )
    return rerun


def find_rerun(session: Session, competition: Competition, number: int, *, lock: bool = False) -> Rerun:
    """A competition's rerun by its number.

    Raises:
        NotFound: There is none.
    """
    return find_numbered(session, Rerun, competition, number, lock=lock, word="rerun", listed="podium rerun list")


def pause_rerun(session: Session, rerun: Rerun, *, actor: str) -> None:
    """Begin nothing new; what agents hold ends. Saying it again changes nothing.

    Raises:
        IllegalTransition: It is over, or ready.
    """
    if rerun.status is not RerunStatus.PAUSED:
        move_rerun(session, rerun, RerunStatus.PAUSED, actor=actor, reason="Paused by an organizer.")


def resume_rerun(session: Session, rerun: Rerun, *, actor: str) -> None:
    """Go on with a rerun that is paused; its flow is dispatched again.

    Raises:
        IllegalTransition: It is not paused.
    """
    if rerun.status not in {RerunStatus.RUNNING, RerunStatus.WAITING}:
        move_rerun(
            session, rerun, RerunStatus.RUNNING, actor=actor, reason="Resumed by an organizer.", flow_run_id=None
        )
        notify(session, pool_topic(rerun.competition.pool.name))


def cancel_rerun(session: Session, rerun: Rerun, *, actor: str) -> None:
    """Stop it and throw its results away; the old ones have never ceased to count.

    Raises:
        IllegalTransition: It was adopted.
    """
    if rerun.status is RerunStatus.CANCELLED:
        return
    move_rerun(session, rerun, RerunStatus.CANCELLED, actor=actor, reason="Cancelled by an organizer.")
    live = session.scalars(
        select(Submission.id)
        .where(Submission.rerun_id == rerun.id, Submission.status.not_in(TERMINAL_SUBMISSION_STATUSES))
        .order_by(Submission.id)
    ).all()
    for submission_id in live:
        _cancel_one(session, submission_id, rerun, actor)


def _cancel_one(session: Session, submission_id: UUID, rerun: Rerun, actor: str) -> None:
    # One that ends at this very moment has ended: it is locked, and looked at again.
    submission = session.scalar(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update(of=Submission)
        .execution_options(populate_existing=True)
    )
    if submission is not None and submission.status not in TERMINAL_SUBMISSION_STATUSES:
        reason = f"Rerun {rerun.number} was cancelled."
        cancel_submission(session, submission_id, actor=actor, reason=reason)


def adopt_by_hand(session: Session, rerun: Rerun, *, actor: str) -> None:
    """Let the new results take the place of the old ones, all at once. Saying it again changes nothing.

    Raises:
        Conflict: Not everything is scored yet, or it was cancelled.
    """
    if rerun.status is RerunStatus.ADOPTED:
        return
    if rerun.status is not RerunStatus.READY:
        raise Conflict(
            f"Rerun {rerun.number} is {rerun.status}; results are adopted when all of them are there.",
            remedy=f"Follow it with `podium rerun show {rerun.competition.slug} {rerun.number} --wait`.",
        )
    adopt(session, rerun, actor=actor)
