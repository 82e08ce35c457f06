"""The tokens of a pool's agents: issued, listed, rotated, and revoked at once.

A host that goes over to a new token does so without a pause: two are good at the same time, and an agent reads its
token file again. A token that is revoked is good for nothing from that moment on, and neither is what was claimed
with it: those attempts' own tokens go too, and their leases, so that others score what they held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import Conflict, NotFound
from podium.platform.events import pool_topic, record_event
from podium.platform.identity import Caller, issue_token
from podium.platform.lifecycle import AttemptStatus
from podium.platform.models import Attempt, Pool, Token, TokenKind, now
from podium.platform.pool_access import find_own_pool, may_run

MAX_TOKENS = 100
"""Tokens of one pool that are good at the same time."""
OVERLAP_HOURS = 24
"""How long the old token stays good when it is rotated, unless somebody says otherwise."""


def pool_tokens(session: Session, name: str, caller: Caller) -> Sequence[Token]:
    """All tokens of a pool's agents, the oldest first, those that were revoked too.

    Raises:
        NotFound, NotAllowed: It is not the caller's.
    """
    pool = find_own_pool(session, name, caller)
    return session.scalars(select(Token).where(Token.pool_id == pool.id).order_by(Token.created)).all()


def create_pool_token(
    session: Session, name: str, caller: Caller, *, label: str, days: int | None
) -> tuple[str, Token]:
    """Issue a token for a pool's agents; return its secret with it.

    Raises:
        NotFound, NotAllowed: The pool is not the caller's.
        Conflict: It has as many as it may have.
    """
    pool = find_own_pool(session, name, caller)
    if len(_good(session, pool)) >= MAX_TOKENS:
        raise Conflict(f"The pool has {MAX_TOKENS} tokens that are good.", remedy="Revoke those that nobody uses.")
    secret, token = issue_token(session, pool, name=label, days=days)
    _record(session, pool, token, "created", caller, label)
    return secret, token


def rotate_pool_token(session: Session, token_id: UUID, caller: Caller, *, hours: float) -> tuple[str, Token]:
    """Issue a token in the place of another, which stays good for some hours; return the new secret with it.

    Raises:
        NotFound: No such token of a pool of the caller's.
        Conflict: It is not good any more.
    """
    pool, old = _own_token(session, token_id, caller)
    moment = now()
    if old.revoked is not None or (old.expires is not None and old.expires <= moment):
        raise Conflict("This token is not good any more.", remedy="Make a new one: `podium agent token create`.")
    end = moment + timedelta(hours=hours)
    old.expires = end if old.expires is None else min(old.expires, end)
    secret, token = issue_token(session, pool, name=old.name)
    _record(session, pool, token, "created", caller, f"{old.name}, in the place of an earlier one")
    return secret, token


def revoke_pool_token(session: Session, token_id: UUID, caller: Caller) -> Token:
    """Make a token useless from now on, and end what was claimed with it.

    Raises:
        NotFound: No such token of a pool of the caller's.
    """
    pool, token = _own_token(session, token_id, caller)
    if token.revoked is None:
        token.revoked = now()
        end_claims(session, pool, token)
        _record(session, pool, token, "revoked", caller, token.name)
    return token


def end_claims(session: Session, pool: Pool, token: Token) -> None:
    """Let what was claimed with a revoked token be refused, and scored elsewhere: its leases are over."""
    held = select(Attempt.id).where(Attempt.agent_token_id == token.id, Attempt.status == AttemptStatus.ACTIVE)
    ids = session.scalars(held).all()
    session.execute(update(Token).where(Token.attempt_id.in_(ids)).values(revoked=now()))
    session.execute(
        update(Attempt)
        .where(Attempt.id.in_(ids), Attempt.status == AttemptStatus.ACTIVE)
        .values(lease_expires=now())
        .execution_options(synchronize_session=False)
    )
    # Its waiting call ends now, and finds that the token is not good.
    notify(session, pool_topic(pool.name))


def _own_token(session: Session, token_id: UUID, caller: Caller) -> tuple[Pool, Token]:
    token = session.get(Token, token_id, with_for_update={"of": Token})
    if token is None or token.kind is not TokenKind.AGENT or token.pool is None or not may_run(token.pool, caller):
        raise NotFound("No pool of yours has a token of that id.", remedy="List them: `podium agent token list`.")
    return token.pool, token


def _good(session: Session, pool: Pool) -> Sequence[UUID]:
    query = select(Token.id).where(Token.pool_id == pool.id, Token.revoked.is_(None))
    return session.scalars(query.where((Token.expires.is_(None)) | (Token.expires > now()))).all()


def _record(session: Session, pool: Pool, token: Token, after: str, caller: Caller, what: str) -> None:
    record_event(
        session,
        subject="token",
        subject_id=token.id,
        before=None if after == "created" else "good",
        after=after,
        actor=caller.actor,
        reason=f"{what} (agents of pool {pool.name})",
    )
