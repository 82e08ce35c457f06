"""Who may have a pool: its owner runs it, those it is shared with use it, and the platform's are there for everyone.

| | sees its agents | lets competitions use it | issues tokens, cordons, shares |
| --- | --- | --- | --- |
| administrator | yes | yes | yes |
| owner | yes | yes | yes |
| organizer with whom it is shared | yes | yes | no |
| any organizer | no | where it is public, or the platform's own | no |
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from podium.platform.errors import NotAllowed, NotFound
from podium.platform.identity import Caller
from podium.platform.models import Person, Pool, PoolUser

PLATFORM_ONLY = frozenset({"cpu"})
"""Pools of the platform's own flows: nothing that a competition brings runs in them."""


def may_run(pool: Pool, caller: Caller) -> bool:
    """Whether the caller issues a pool's tokens, cordons it and shares it."""
    return caller.is_administrator or (pool.owner_id is not None and pool.owner_id == caller.person_id)


def may_see(session: Session, pool: Pool, caller: Caller) -> bool:
    """Whether the caller sees a pool's agents and what they did."""
    return may_run(pool, caller) or _is_shared(session, pool, caller.person_id)


def may_use(session: Session, pool: Pool, person: Person) -> bool:
    """Whether a person's competitions may be scored in a pool."""
    if pool.name in PLATFORM_ONLY:
        return False
    if pool.owner_id is None or pool.is_public or person.is_administrator or pool.owner_id == person.id:
        return True
    return _is_shared(session, pool, person.id)


def _is_shared(session: Session, pool: Pool, person_id: UUID | None) -> bool:
    query = select(exists().where(PoolUser.pool_id == pool.id, PoolUser.person_id == person_id))
    return person_id is not None and bool(session.scalar(query))


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """The condition of the pools whose agents the caller sees."""
    if caller.is_administrator:
        return true()
    shared = exists().where(PoolUser.pool_id == Pool.id, PoolUser.person_id == caller.person_id)
    return or_(Pool.owner_id == caller.person_id, shared)


def usable_by(caller: Caller) -> ColumnElement[bool]:
    """The condition of the pools that the caller sees or may use."""
    ours = Pool.owner_id.is_(None) & Pool.name.not_in(PLATFORM_ONLY)
    return or_(seen_by(caller), Pool.is_public, ours)


def find_pool(session: Session, name: str, caller: Caller, *, lock: bool = False) -> Pool:
    """The pool of that name, if the caller sees its agents.

    Raises:
        NotFound: There is none, or it is none of theirs: the two look the same from outside.
    """
    query = select(Pool).where(Pool.name == name, seen_by(caller))
    pool = session.scalar(query.with_for_update(of=Pool) if lock else query)
    if pool is None:
        raise no_such_pool(name)
    return pool


def find_own_pool(session: Session, name: str, caller: Caller) -> Pool:
    """The pool of that name, locked, if the caller runs it.

    Raises:
        NotFound: There is none that they see.
        NotAllowed: It is shared with them, and another's.
    """
    pool = find_pool(session, name, caller, lock=True)
    if not may_run(pool, caller):
        raise NotAllowed(f"Only the owner of pool '{pool.name}' may do this.")
    return pool


def no_such_pool(name: str) -> NotFound:
    """The error of a pool that is not there, or not for the caller."""
    return NotFound(f"There is no pool '{name[:80]}'.", remedy="List those you may use with `podium pools`.")
