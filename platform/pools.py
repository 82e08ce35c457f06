"""Pools as operators and organizers see and set them: made, shared, public, cordoned, and what runs containers."""

from __future__ import annotations

import re

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from podium.platform.database import notify
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from podium.platform.events import pool_topic, record_event
from podium.platform.identity import Caller, find_person
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Pool, PoolUser, Submission, now
from podium.platform.pool_access import may_run, may_see, usable_by
from podium.platform.records.pools import PoolRecord
from podium.platform.submissions.fitting import live_agents

_RUNTIME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_RESERVED = ("prefect", "podium")
"""Beginnings of names that nobody may take: Prefect keeps the one to itself, and the other would mislead."""
DEFAULT_RUNTIME = "default"
"""What an event says of a pool whose hosts choose."""
POOLS_EACH = 5
"""Pools that one organizer may have; an administrator may have any number."""


def list_pools(session: Session, caller: Caller) -> list[PoolRecord]:
    """The pools that the caller sees or may use, by name."""
    query = select(Pool).where(usable_by(caller)).options(joinedload(Pool.owner)).order_by(Pool.name)
    return [pool_record(session, pool, caller) for pool in session.scalars(query)]


def pool_record(session: Session, pool: Pool, caller: Caller) -> PoolRecord:
    """A pool with its live agents and its queue, counted."""
    queued = session.scalar(
        select(func.count())
        .select_from(Submission)
        .join(Competition, Competition.id == Submission.competition_id)
        .where(
            Submission.status == SubmissionStatus.QUEUED,
            Submission.ended.is_(None),
            Competition.pool_id == pool.id,
        )
    )
    return PoolRecord(
        name=pool.name,
        runtime=pool.runtime,
        agents=len(live_agents(session, pool.id)),
        queued=queued or 0,
        owner=pool.owner.username if pool.owner else None,
        public=pool.is_public,
        cordoned=pool.cordoned,
        sees_agents=may_see(session, pool, caller),
        is_yours=may_run(pool, caller),
    )


def create_pool(session: Session, name: str, caller: Caller, *, public: bool) -> Pool:
    """Make a pool of the caller's. Its Prefect work pool is made after this (`podium.platform.pool_registration`).

    Raises:
        InvalidInput: It can't be the name of a pool.
        Conflict: The name is taken, or the caller has as many pools as one may have.
    """
    if not _NAME.fullmatch(name) or name.startswith(_RESERVED):
        raise InvalidInput(
            f"'{name[:80]}' can't be the name of a pool.",
            remedy="Use 1 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends; "
            "'prefect' and 'podium' are not for its beginning.",
        )
    assert caller.person_id is not None
    # Two at once: the second waits here, and counts the first.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:owner))"), {"owner": f"pools {caller.person_id}"})
    has = session.scalar(select(func.count()).where(Pool.owner_id == caller.person_id)) or 0
    if has >= POOLS_EACH and not caller.is_administrator:
        raise Conflict(f"You have {has} pools, as many as one may have.", remedy="Use one of them.")
    pool = Pool(name=name, owner_id=caller.person_id, is_public=public)
    try:
        with session.begin_nested():
            session.add(pool)
    except IntegrityError:
        raise Conflict("This name is taken.", remedy="Choose another.") from None
    record_event(
        session,
        subject="pool",
        subject_id=pool.id,
        before=None,
        after="public" if public else "private",
        actor=caller.actor,
        reason=f"pool {name} created",
    )
    return pool


def set_runtime(session: Session, pool: Pool, runtime: str, *, actor: str) -> None:
    """Say which runtime of the engine a pool's containers run with; empty for each host's default.

    Agents whose engine does not have it take nothing from the pool any more; what is queued waits, and says so.

    Raises:
        InvalidInput: It can't be the name of a runtime.
    """
    if runtime and not _RUNTIME.fullmatch(runtime):
        raise InvalidInput(
            f"'{runtime[:80]}' can't be the name of a runtime.",
            remedy="Write the name that the engine has for it, such as runsc; `docker info` lists them.",
        )
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


def set_public(session: Session, pool: Pool, *, public: bool, actor: str) -> None:
    """Let any organizer use a pool, or those alone with whom it is shared.

    Competitions of others that use it go on doing so: their owners chose it while they might, and the pool's owner
    sees them (`PoolView.competitions`).

    Raises:
        NotAllowed: It is one of the platform's own pools, which are there for everyone.
    """
    if pool.owner_id is None:
        raise NotAllowed(f"Pool '{pool.name}' is the platform's own.")
    if pool.is_public != public:
        record_event(
            session,
            subject="pool",
            subject_id=pool.id,
            before="public" if pool.is_public else "private",
            after="public" if public else "private",
            actor=actor,
            reason=pool.name,
        )
        pool.is_public = public


def set_cordoned(session: Session, pool: Pool, *, cordoned: bool, actor: str) -> None:
    """Let a pool's agents take nothing new, or take again. What they run goes on."""
    if (pool.cordoned is not None) == cordoned:
        return
    record_event(
        session,
        subject="pool",
        subject_id=pool.id,
        before="cordoned" if pool.cordoned else "open",
        after="cordoned" if cordoned else "open",
        actor=actor,
        reason=pool.name,
    )
    pool.cordoned = now() if cordoned else None
    notify(session, pool_topic(pool.name))


def share_pool(session: Session, pool: Pool, username: str, *, actor: str) -> None:
    """Let an organizer use a pool, and see its agents.

    Raises:
        InvalidInput: They are no organizer.
        NotFound: There is nobody of that name.
    """
    person = find_person(session, username)
    if not (person.may_organize or person.is_administrator):
        raise InvalidInput(f"'{person.username}' is no organizer.", remedy="Administrators decide who may organize.")
    added = session.scalar(
        insert(PoolUser)
        .values(pool_id=pool.id, person_id=person.id, created=now())
        .on_conflict_do_nothing()
        .returning(PoolUser.person_id)
    )
    if added is not None:
        _record_sharing(session, pool, person.username, "shared", actor)


def unshare_pool(session: Session, pool: Pool, username: str, *, actor: str) -> None:
    """Take a pool back from an organizer; their competitions that use it go on until they are moved.

    Raises:
        NotFound: It is not shared with them.
    """
    person = find_person(session, username)
    user = session.get(PoolUser, (pool.id, person.id))
    if user is None:
        raise NotFound(f"Pool '{pool.name}' is not shared with '{person.username}'.")
    session.delete(user)
    _record_sharing(session, pool, person.username, "unshared", actor)


def _record_sharing(session: Session, pool: Pool, username: str, after: str, actor: str) -> None:
    record_event(
        session,
        subject="pool",
        subject_id=pool.id,
        before=None,
        after=after,
        actor=actor,
        reason=f"{pool.name} with {username}",
    )
