"""Agents that take nothing new: cordoned by a person, or by scaling before it takes them.

A claim and a cordon at the same moment lock the agent's row, each in a way that shuts the other out: the cordon then
sees the attempt that the claim has made, or the claim sees the cordon. Heartbeats and greetings lock nothing of it.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict
from podium.platform.jobs import DOES_NOT_FIT
from podium.platform.lifecycle import AttemptStatus
from podium.platform.models import Agent, Attempt


class Cordoned(Conflict):
    """The agent is to take nothing new; the submission stays queued for another one."""

    type = DOES_NOT_FIT
    title = "This agent takes nothing new"


def require_takes_work(session: Session, agent: Agent | None) -> None:
    """Go on only if an agent may take something now; hold off whoever would cordon it until the end of the claim.

    Raises:
        Cordoned: It takes nothing new.
    """
    if agent is None:
        return
    cordoned = session.execute(
        select(Agent.cordoned, Agent.cordon_reason)
        .where(Agent.id == agent.id)
        .with_for_update(read=True, key_share=True)
    ).one_or_none()
    if cordoned is not None and cordoned[0] is not None:
        raise Cordoned(f"This agent takes nothing new: {cordoned[1] or 'it is cordoned.'}")


def lock_agent(session: Session, pool_id: UUID, name: str) -> Agent | None:
    """An agent, of which nobody can claim anything until the end of the transaction; `None` if it never said hello."""
    return session.scalar(
        select(Agent)
        .where(Agent.pool_id == pool_id, Agent.name == name)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def attempts_held(session: Session, agent_id: UUID) -> int:
    """Attempts that an agent holds now."""
    held = select(func.count()).where(Attempt.agent_id == agent_id, Attempt.status == AttemptStatus.ACTIVE)
    return session.scalar(held) or 0
