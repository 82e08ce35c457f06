"""Which pool a competition is scored in: chosen by its organizers, among those that they may use."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import NotAllowed
from podium.platform.events import pool_topic, record_event
from podium.platform.identity import Caller
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Person, Pool, Submission
from podium.platform.pool_access import may_use, no_such_pool

_WAITING = (SubmissionStatus.SUBMITTED, SubmissionStatus.QUEUED)


def choose_pool(session: Session, competition: Competition, name: str, caller: Caller) -> None:
    """Have a competition scored in another pool from now on, with all that is queued.

    What waits gets another flow run, of the new pool's; the old ones are ended by the next reconciliation, as all that
    nothing needs. What an agent of the old pool holds already, it may end: it has been given the data. If it fails to,
    the next attempt is the new pool's.

    Raises:
        NotFound: There is no such pool, or the caller may not use it.
        NotAllowed: It is for the platform's own flows.
    """
    person = session.get_one(Person, caller.person_id)
    pool = session.scalar(select(Pool).where(Pool.name == name))
    if pool is None or not may_use(session, pool, person):
        if pool is not None and pool.owner_id is None:
            raise NotAllowed(f"Pool '{pool.name}' is for the platform's own flows alone.")
        raise no_such_pool(name)
    # Those that change it at the same time wait for each other.
    session.refresh(competition, with_for_update={"of": Competition})
    before = competition.pool
    if before.id == pool.id:
        return
    record_event(
        session,
        subject="competition",
        subject_id=competition.id,
        before=before.name[:20],
        after=pool.name[:20],
        actor=caller.actor,
        reason=f"pool of {competition.slug}: {before.name} to {pool.name}",
    )
    competition.pool = pool
    session.flush()
    # In the order in which everybody locks them.
    waiting = session.scalars(
        select(Submission.id)
        .where(Submission.competition_id == competition.id, Submission.status.in_(_WAITING))
        .order_by(Submission.id)
        .with_for_update(of=Submission)
    ).all()
    session.execute(
        update(Submission)
        .where(Submission.id.in_(waiting))
        .values(flow_run_id=None, batch_id=None, version=Submission.version + 1)
        .execution_options(synchronize_session=False)
    )
    notify(session, pool_topic(pool.name))
