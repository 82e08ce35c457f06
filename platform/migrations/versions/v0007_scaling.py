"""Scaling of pools.

Revision 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ENUMS = {
    "scaled_agent_status": ("requested", "started", "leaving", "ended"),
    "scaling_action": ("none", "up", "down", "replace"),
}
TEXTS = postgresql.ARRAY(sa.String())
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name, members in ENUMS.items():
        postgresql.ENUM(*members, name=name).create(op.get_bind())
    op.add_column("agents", sa.Column("cordon_reason", sa.Text(), nullable=True))
    _policies()
    _agents()
    _decisions()


def _policies() -> None:
    op.create_table(
        "scaling_policies",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("target_wait", sa.Float(), nullable=False),
        sa.Column("cool_down_up", sa.Float(), nullable=False),
        sa.Column("cool_down_down", sa.Float(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("patience", sa.Float(), nullable=False),
        sa.Column("offer", postgresql.JSONB(), nullable=False),
        sa.Column("demands", postgresql.JSONB(), nullable=False),
        sa.Column("reasons", TEXTS, nullable=False),
        *(sa.Column(name, MOMENT, nullable=True) for name in ("looked", "last_up", "last_down", "last_busy")),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("put_off_until", MOMENT, nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint(
            "0 <= minimum AND minimum <= maximum", name=op.f("ck_scaling_policies_minimum_up_to_maximum")
        ),
        sa.CheckConstraint("slots >= 1 AND target_wait > 0", name=op.f("ck_scaling_policies_can_be_met")),
        _pool("scaling_policies"),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_scaling_policies")),
    )


def _agents() -> None:
    op.create_table(
        "scaled_agents",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("status", postgresql.ENUM(name="scaled_agent_status", create_type=False), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("troubled_since", MOMENT, nullable=True),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint("(ended IS NOT NULL) = (status = 'ended')", name=op.f("ck_scaled_agents_ended_if_over")),
        _pool("scaled_agents"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name=op.f("fk_scaled_agents_token_id_tokens"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scaled_agents")),
    )
    op.create_index("uq_scaled_agents_pool_id_name", "scaled_agents", ["pool_id", "name"], unique=True)
    op.create_index(
        "ix_scaled_agents_open", "scaled_agents", ["pool_id"], postgresql_where=sa.text("status <> 'ended'")
    )


def _decisions() -> None:
    op.create_table(
        "scaling_decisions",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.Column("action", postgresql.ENUM(name="scaling_action", create_type=False), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("oldest_seconds", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("running", "slots", "demand", "agents")),
        *(sa.Column(name, TEXTS, nullable=False) for name in ("started", "taken_back", "drained", "removed")),
        sa.Column("reasons", TEXTS, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _pool("scaling_decisions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scaling_decisions")),
    )
    op.create_index("ix_scaling_decisions_pool_id_moment", "scaling_decisions", ["pool_id", "moment"])


def _pool(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["pool_id"], ["pools.id"], name=op.f(f"fk_{table}_pool_id_pools"), ondelete="CASCADE"
    )


def downgrade() -> None:
    for table in ("scaling_decisions", "scaled_agents", "scaling_policies"):
        op.drop_table(table)
    op.drop_column("agents", "cordon_reason")
    for name in ENUMS:
        postgresql.ENUM(name=name).drop(op.get_bind())
