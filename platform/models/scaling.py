"""Scaling of pools: the rules, the agents that were started by them, and every decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.models.base import Base, Identified, Timed, now, status_type
from podium.platform.models.people import Pool, Token
from podium.platform.scaling.states import ScaledAgentStatus, ScalingAction


class ScalingPolicy(Timed, Base):
    """How a pool is scaled, and what scaling remembers of it.

    Where `enabled` is false all agents that were started go as soon as they hold nothing. `offer` is what the last
    agent that was started had, so that it is known from zero what another one could run.
    """

    __tablename__ = "scaling_policies"
    __table_args__ = (
        CheckConstraint("0 <= minimum AND minimum <= maximum", name="minimum_up_to_maximum"),
        CheckConstraint("slots >= 1 AND target_wait > 0", name="can_be_met"),
    )

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    provider: Mapped[str] = mapped_column(String(60))
    minimum: Mapped[int]
    maximum: Mapped[int]
    target_wait: Mapped[float]
    cool_down_up: Mapped[float]
    cool_down_down: Mapped[float]
    slots: Mapped[int]
    patience: Mapped[float]
    offer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    demands: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    looked: Mapped[datetime | None]
    last_up: Mapped[datetime | None]
    last_down: Mapped[datetime | None]
    last_busy: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")
    put_off_until: Mapped[datetime | None]

    pool: Mapped[Pool] = relationship()


class ScaledAgent(Identified, Timed, Base):
    """An agent that scaling asked a provider for. It has a token of its own, which is revoked when it ends."""

    __tablename__ = "scaled_agents"
    __table_args__ = (
        Index("uq_scaled_agents_pool_id_name", "pool_id", "name", unique=True),
        Index("ix_scaled_agents_open", "pool_id", postgresql_where=text("status <> 'ended'")),
        CheckConstraint("(ended IS NOT NULL) = (status = 'ended')", name="ended_if_over"),
    )

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    provider: Mapped[str] = mapped_column(String(60))
    slots: Mapped[int]
    status: Mapped[ScaledAgentStatus] = mapped_column(
        status_type(ScaledAgentStatus, "scaled_agent_status"), default=ScaledAgentStatus.REQUESTED
    )
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(default="")
    troubled_since: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    token: Mapped[Token | None] = relationship()


class ScalingDecision(Identified, Base):
    """What was decided about a pool, and what came of it. Only what changes something is kept."""

    __tablename__ = "scaling_decisions"
    __table_args__ = (Index("ix_scaling_decisions_pool_id_moment", "pool_id", "moment"),)

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    moment: Mapped[datetime] = mapped_column(default=now)
    action: Mapped[ScalingAction] = mapped_column(status_type(ScalingAction, "scaling_action"))
    waiting: Mapped[int]
    oldest_seconds: Mapped[float]
    running: Mapped[int]
    slots: Mapped[int]
    demand: Mapped[int]
    agents: Mapped[int]
    started: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    taken_back: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    drained: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    removed: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
