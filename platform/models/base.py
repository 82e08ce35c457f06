"""What all tables share: named constraints, UUIDv7 keys, aware UTC times, one Postgres enum per status."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Enum, MetaData, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from podium.platform.identifiers import new_id


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all tables. Constraints are named by these patterns, so that errors can be told apart by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it from the class
        UUID: Uuid(as_uuid=True),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class Identified:
    """A table whose rows have a UUIDv7."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class Timed:
    """A table whose rows know when they were made."""

    created: Mapped[datetime] = mapped_column(default=now)


class FlowDriven:
    """A table whose rows are driven by a flow run of the platform's own.

    `flow_run_id` is the run that a row has now; `dispatches` counts the runs that it was given, and `dispatched` is
    when the last of them was asked for.
    """

    flow_run_id: Mapped[UUID | None]
    dispatches: Mapped[int] = mapped_column(default=0)
    dispatched: Mapped[datetime | None]


def status_type(statuses: type[StrEnum], name: str) -> Enum:
    """The Postgres enum that mirrors a status: same members, by value."""
    return Enum(statuses, name=name, values_callable=lambda members: [member.value for member in members])
