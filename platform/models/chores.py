"""How the platform looks after itself: what it did last, and which of its own flows are alive."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from podium.platform.models.base import Base, now


class Chore(Base):
    """When the platform last did something that it does again and again, such as `reconcile`, and what came of it."""

    __tablename__ = "chores"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    ran: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str] = mapped_column(String(100), default="")
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)


class FlowLease(Base):
    """That a run of one of the platform's own flows is alive: renewed by the process that runs it."""

    __tablename__ = "flow_leases"

    flow_run_id: Mapped[UUID] = mapped_column(primary_key=True)
    flow: Mapped[str] = mapped_column(String(60))
    expires: Mapped[datetime]
