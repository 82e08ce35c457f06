"""Pools as operators see and set them."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Pool, Submission
from podium.platform.records import PoolRecord
from podium.platform.submissions.fitting import live_agents
from podium.platform.submissions.transitions import pool_topic, record_event

_RUNTIME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
DEFAULT_RUNTIME = "default"
"""What an event says of a pool whose hosts choose."""


def list_pools(session: Session) -> list[PoolRecord]:
    """All pools, by name."""
    return [pool_record(session, pool) for pool in session.scalars(select(Pool).order_by(Pool.name))]


def pool_record(session: Session, pool: Pool) -> PoolRecord:
    """A pool with its live agents and its queue, counted."""
    queued = session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(Submission.status == SubmissionStatus.QUEUED, Competition.pool_id == pool.id)
    )
    return PoolRecord(
        name=pool.name, runtime=pool.runtime, agents=len(live_agents(session, pool.id)), queued=queued or 0
    )


def set_runtime(session: Session, name: str, runtime: str, *, actor: str) -> PoolRecord:
    """Say which runtime of the engine a pool's containers run with; empty for each host's default.

    Agents whose engine does not have it take nothing from the pool any more; what is queued waits, and says so.

    Raises:
        InvalidInput: It can't be the name of a runtime.
        NotFound: There is no such pool.
    """
    if runtime and not _RUNTIME.fullmatch(runtime):
        raise InvalidInput(
            f"'{runtime[:80]}' can't be the name of a runtime.",
            remedy="Write the name that the engine has for it, such as runsc; `docker info` lists them.",
        )
    pool = session.scalar(select(Pool).where(Pool.name == name).with_for_update())
    if pool is None:
        raise NotFound(f"There is no pool '{name[:80]}'.", remedy="List those there are with `podium pools`.")
    if pool.runtime != runtime:
        record_event(
            session,
            subject="pool",
            subject_id=pool.id,
            before=(pool.runtime or DEFAULT_RUNTIME)[:20],
            after=(runtime or DEFAULT_RUNTIME)[:20],
            actor=actor,
            reason=f"runtime of {pool.name}: {runtime or DEFAULT_RUNTIME}",
        )
        pool.runtime = runtime
        notify(session, pool_topic(pool.name))
    return pool_record(session, pool)
