"""The agents that scaling has started, in the database: asked for, told to take nothing new, let go, ended.

Every change is made under the pool's lock (`alone_with`), and a status only ever changes as `states` allows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select, text, update
from sqlalchemy.orm import Session

from podium.platform.database import Database, notify
from podium.platform.events import pool_topic
from podium.platform.identity import issue_token
from podium.platform.models import Agent, Pool, ScaledAgent, ScalingPolicy, Token, now
from podium.platform.scaling.decision import Decision
from podium.platform.scaling.situation import Situation
from podium.platform.scaling.states import ScaledAgentStatus, ScalingAction, may_become
from podium.platform.submissions.cordons import attempts_held, lock_agent

CORDONED_BY_SCALING = "Scaling lets it go when it holds nothing any more."
"""The reason by which scaling knows its own cordons from those of people."""
ENDED_BY_SCALING = "Scaling has ended it."
"""The reason of those that are gone."""
FIRST_PAUSE = 15.0
LONGEST_PAUSE = 900.0
"""Seconds after a failure of a provider, doubled with each that follows, before it is asked to start any again."""


@dataclass(slots=True)
class Applied:
    """What came of a decision. Agents that have claimed something meanwhile are drained, and not removed."""

    action: ScalingAction = ScalingAction.NONE
    started: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    drained: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return bool(self.started or self.taken_back or self.drained or self.removed)


@contextmanager
def alone_with(database: Database, pool: str) -> Iterator[bool]:
    """Whether nobody else scales this pool while the block runs. The lock goes with the connection, whoever dies."""
    key = {"key": f"podium-scaling-{pool}"}
    with database.engine.connect() as connection:
        got = bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext(:key))"), key))
        # Between statements, no transaction is left open for as long as providers take.
        connection.commit()
        try:
            yield got
        finally:
            if got:
                connection.execute(text("SELECT pg_advisory_unlock(hashtext(:key))"), key)
                connection.commit()


def open_agents(session: Session, pool: Pool) -> Sequence[ScaledAgent]:
    """Those that have not ended, the oldest first."""
    return session.scalars(
        select(ScaledAgent)
        .where(ScaledAgent.pool_id == pool.id, ScaledAgent.status != ScaledAgentStatus.ENDED)
        .order_by(ScaledAgent.name)
    ).all()


def move(session: Session, agent: ScaledAgent, to: ScaledAgentStatus, **values: Any) -> bool:  # noqa: ANN401  # columns
    """Bring an agent into another status, if it is in one from which that may follow; tell whether it was."""
    moved = session.scalar(
        update(ScaledAgent)
        .where(ScaledAgent.id == agent.id, ScaledAgent.status.in_(may_become(to)))
        .values(status=to, **values)
        .returning(ScaledAgent.id)
    )
    return moved is not None


def apply(session: Session, pool: Pool, policy: ScalingPolicy, decision: Decision, situation: Situation) -> Applied:
    """Write down what was decided; nothing is asked of the provider yet.

    Agents that are to go are locked first, and looked at again: what one has claimed since keeps it.
    """
    moment = situation.moment
    done = Applied(action=decision.action)
    rows = {row.name: row for row in open_agents(session, pool)}
    # In the order of their names, so that nobody waits for another in a circle.
    for name in sorted({*decision.remove, *decision.drain}):
        if name in rows:
            _let_go(session, pool, rows[name], done, moment, at_once=name in decision.remove)
    for name in sorted(decision.take_back):
        agent = lock_agent(session, pool.id, name)
        if agent is not None and agent.cordon_reason == CORDONED_BY_SCALING:
            agent.cordoned, agent.cordon_reason = None, None
            done.taken_back.append(name)
    for _ in range(decision.start):
        name = f"scaled-{pool.name}-{moment:%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
        session.add(ScaledAgent(pool_id=pool.id, name=name, provider=policy.provider, slots=policy.slots))
        done.started.append(name)
    if done.taken_back:
        notify(session, pool_topic(pool.name))
    if done.started or done.taken_back:
        policy.last_up = moment
    if done.drained or done.removed:
        policy.last_down = moment
    return done


def _let_go(session: Session, pool: Pool, row: ScaledAgent, done: Applied, moment: datetime, *, at_once: bool) -> None:
    agent = lock_agent(session, pool.id, row.name)
    if agent is not None and agent.cordoned is None:
        agent.cordoned, agent.cordon_reason = moment, CORDONED_BY_SCALING
    if at_once and (agent is None or not attempts_held(session, agent.id)):
        if agent is None:
            # It may say hello at this moment, and must not take anything then.
            revoke(session, row)
        if move(session, row, ScaledAgentStatus.LEAVING):
            done.removed.append(row.name)
    else:
        done.drained.append(row.name)


def revoke(session: Session, row: ScaledAgent) -> None:
    """Make an agent's token useless."""
    session.execute(
        update(Token)
        .where(Token.pool_id == row.pool_id, Token.name == _token_name(row), Token.revoked.is_(None))
        .values(revoked=now())
    )


def new_token(session: Session, pool: Pool, row: ScaledAgent) -> str:
    """A token for an agent that is about to be started; one that an earlier try was given is good no more."""
    revoke(session, row)
    secret, token = issue_token(session, pool, name=_token_name(row))
    session.execute(update(ScaledAgent).where(ScaledAgent.id == row.id).values(token_id=token.id))
    return secret


def end(session: Session, row: ScaledAgent, reason: str) -> None:
    """An agent is gone: its token is good for nothing more, and whoever lists agents is not shown it."""
    revoke(session, row)
    move(session, row, ScaledAgentStatus.ENDED, ended=now(), reason=reason[:2000])
    session.execute(
        update(Agent)
        .where(Agent.pool_id == row.pool_id, Agent.name == row.name, Agent.cordoned.is_(None))
        .values(cordoned=now(), cordon_reason=ENDED_BY_SCALING)
    )


def ended_by_scaling() -> ColumnElement[bool]:
    """A condition on agents: those that scaling has started and that are gone, for ever."""
    return exists().where(
        ScaledAgent.pool_id == Agent.pool_id,
        ScaledAgent.name == Agent.name,
        ScaledAgent.status == ScaledAgentStatus.ENDED,
    )


def note_failure(policy: ScalingPolicy, failure: str, *, puts_off: bool = True) -> None:
    """Remember that the provider failed; with `puts_off`, leave it alone for longer with each time that it does.

    A host that is down, or an agent that could not be stopped, is no reason not to start any elsewhere.
    """
    policy.failure = failure[:2000]
    if puts_off:
        policy.failures += 1
        policy.put_off_until = now() + timedelta(seconds=min(FIRST_PAUSE * 2 ** (policy.failures - 1), LONGEST_PAUSE))


def forget_failures(policy: ScalingPolicy) -> None:
    """All is well again."""
    policy.failures, policy.failure, policy.put_off_until = 0, "", None


def _token_name(row: ScaledAgent) -> str:
    return row.name[:100]
