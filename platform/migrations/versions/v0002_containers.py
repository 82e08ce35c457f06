"""What competitions say about their containers: protocol, limits, relaxations, images; and columns over ranks.

Revision 0002, after 0001.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROTOCOL = postgresql.ENUM("v2", "v1.5", name="protocol")


def upgrade() -> None:
    op.execute("ALTER TYPE computation ADD VALUE 'average_rank'")
    op.execute("ALTER TYPE computation ADD VALUE 'mean_reciprocal_rank'")
    PROTOCOL.create(op.get_bind())
    _add("pools", sa.Column("runtime", sa.String(60), nullable=False, server_default=""))
    _add("competitions", sa.Column("relaxations", postgresql.JSONB(), nullable=False, server_default="{}"))
    _add("phases", sa.Column("accepts_container_submissions", sa.Boolean(), nullable=False, server_default="false"))
    _add("phases", sa.Column("limits", postgresql.JSONB(), nullable=False, server_default="{}"))
    protocol = postgresql.ENUM(name="protocol", create_type=False)
    _add("tasks", sa.Column("protocol", protocol, nullable=False, server_default="v2"))
    weights: postgresql.ARRAY[float] = postgresql.ARRAY(sa.Double())
    _add("columns", sa.Column("computation_weights", weights, nullable=False, server_default="{}"))


def _add(table: str, column: sa.Column[Any]) -> None:
    """Add a column that rows of the old version get a value for; new rows get theirs from Podium alone."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def downgrade() -> None:
    op.drop_column("columns", "computation_weights")
    op.drop_column("tasks", "protocol")
    op.drop_column("phases", "limits")
    op.drop_column("phases", "accepts_container_submissions")
    op.drop_column("competitions", "relaxations")
    op.drop_column("pools", "runtime")
    PROTOCOL.drop(op.get_bind())
    # Members can't be taken out of a Postgres enum: `computation` keeps the two, which nothing of 0001 uses.
