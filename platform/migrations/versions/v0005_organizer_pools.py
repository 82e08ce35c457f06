"""Pools of organizers: who owns and uses them, what takes nothing new, and which token an attempt was claimed with.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pools", sa.Column("owner_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_pools_owner_id_people"), "pools", "people", ["owner_id"], ["id"], ondelete="RESTRICT"
    )
    op.create_index("ix_pools_owner_id", "pools", ["owner_id"])
    op.add_column("pools", sa.Column("is_public", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("pools", "is_public", server_default=None)
    op.add_column("pools", sa.Column("cordoned", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "pool_users",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pools.id"], name=op.f("fk_pool_users_pool_id_pools"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_pool_users_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pool_id", "person_id", name=op.f("pk_pool_users")),
    )
    op.add_column("agents", sa.Column("cordoned", sa.DateTime(timezone=True), nullable=True))
    for table, column in (("agents", "token_id"), ("attempts", "agent_token_id")):
        op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_{column}_tokens"), table, "tokens", [column], ["id"], ondelete="SET NULL"
        )
    op.create_index("ix_attempts_agent_id_started", "attempts", ["agent_id", "started"])


def downgrade() -> None:
    op.drop_index("ix_attempts_agent_id_started", "attempts")
    op.drop_column("attempts", "agent_token_id")
    for name in ("token_id", "cordoned"):
        op.drop_column("agents", name)
    op.drop_table("pool_users")
    for name in ("cordoned", "is_public", "owner_id"):
        op.drop_column("pools", name)
