"""What a participant may still submit: the quota of `podium.platform.quotas`, out of the database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from podium.platform.errors import NotFound
from podium.platform.events import record_event
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, ExtraAllowance, Participant, Person, Phase, Submission, Team, now
from podium.platform.quotas import Counted, Extra, Left, Quota, left_of, window_start
from podium.platform.records.people import Allowance, ExtraAllowanceRecord
from podium.platform.submissions.participation import NotParticipating, require_participant
from podium.platform.submissions.windows import next_change, why_closed
from podium.platform.team_members import members_of, team_of


def quota_of(phase: Phase) -> Quota:
    """The limits of a phase, as the rule needs them."""
    return Quota(
        per_window=phase.max_submissions_per_day,
        total=phase.max_submissions,
        concurrent=phase.max_concurrent_submissions,
        window=phase.submission_window,
        time_zone=phase.time_zone,
        failed_given_back=phase.failed_submissions_given_back,
    )


def quota_left(session: Session, phase: Phase, person_id: UUID, moment: datetime, *, team: Team | None = None) -> Left:
    """What a participant, or the team that they are in, has left in a phase.

    Of a team counts what was made for it, and what those who are in it have made: nobody gets more by joining or
    leaving. Reserving takes the lock of `require_participant`, and then the team's.
    """
    quota = quota_of(phase)
    people = frozenset({person_id}) if team is None else members_of(session, team.id)
    theirs = Submission.person_id.in_(people)
    query = select(Submission.created, Submission.status, Submission.ended).where(
        Submission.phase_id == phase.id,
        theirs if team is None else or_(theirs, Submission.team_id == team.id),
        Submission.counts,
        Submission.origin_id.is_(None),  # reruns, and what was migrated into the phase, are nobody's own
    )
    if quota.total is None:
        # Without a limit in all there may be any number of them, and only these matter.
        query = query.where(or_(Submission.created >= window_start(quota, moment), Submission.ended.is_(None)))
    counted = [
        Counted(created, failed=status is SubmissionStatus.FAILED, under_way=ended is None)
        for created, status, ended in session.execute(query)
    ]
    granted = session.scalars(
        select(ExtraAllowance).where(ExtraAllowance.phase_id == phase.id, ExtraAllowance.person_id.in_(people))
    ).all()
    extra = Extra(
        per_window=sum(one.per_window for one in granted),
        total=sum(one.total for one in granted),
        concurrent=sum(one.concurrent for one in granted),
    )
    return left_of(quota, extra, counted, moment)


def allowance(session: Session, competition: Competition, phase: Phase, person_id: UUID) -> Allowance:
    """Whether the person may submit to the phase now, and if not, why and until when."""
    moment = now()
    left = quota_left(session, phase, person_id, moment, team=team_of(session, competition, person_id))
    reason, changes = left.reason, left.renews
    if closed := why_closed(competition, phase, moment):
        reason, changes = closed, next_change(competition, phase, moment)
    try:
        require_participant(session, competition, person_id, lock=False)
    except NotParticipating as error:
        reason, changes = str(error), None
    granted = session.get(ExtraAllowance, (phase.id, person_id))
    return Allowance(
        can=not reason,
        reason=reason,
        phase=phase.name,
        left_in_window=left.in_window,
        left_total=left.total,
        changes=changes,
        left_at_once=left.concurrent,
        window=phase.submission_window.in_words(phase.time_zone),
        extra=extra_record(granted, phase) if granted else None,
    )


def extra_record(granted: ExtraAllowance, phase: Phase) -> ExtraAllowanceRecord:
    """An extra allowance, as organizers and its participant see it."""
    return ExtraAllowanceRecord(
        participant=granted.person.username,
        phase=phase.name,
        per_window=granted.per_window,
        total=granted.total,
        concurrent=granted.concurrent,
        reason=granted.reason,
        granted_by=granted.granted_by,
        created=granted.created,
    )


def allow_extra(
    session: Session,
    competition: Competition,
    phase: Phase,
    person: Person,
    extra: Extra,
    *,
    reason: str,
    actor: str,
) -> ExtraAllowanceRecord:
    """Allow a participant more than the phase does; it takes the place of what they were allowed before.

    Raises:
        NotFound: They don't take part.
    """
    # The lock of whoever reserves: a submission of theirs sees the limits before or after, never between.
    participant = session.get(Participant, (competition.id, person.id), with_for_update=True)
    if participant is None:
        raise NotFound(f"'{person.username}' does not take part in '{competition.slug}'.")
    granted = session.get(ExtraAllowance, (phase.id, person.id))
    before = "none" if granted is None else _in_words(granted)
    if granted is None:
        granted = ExtraAllowance(phase_id=phase.id, person_id=person.id)
        session.add(granted)
    granted.per_window, granted.total, granted.concurrent = extra.per_window, extra.total, extra.concurrent
    granted.reason, granted.granted_by, granted.created = reason, actor, now()
    session.flush()
    record_event(
        session,
        subject="allowance",
        subject_id=person.id,
        before=before,
        after=_in_words(granted),
        actor=actor,
        reason=f"{competition.slug}, phase {phase.name}: {reason}",
    )
    return extra_record(granted, phase)


def _in_words(granted: ExtraAllowance) -> str:
    return f"+{granted.per_window} +{granted.total} +{granted.concurrent}"[:20]
