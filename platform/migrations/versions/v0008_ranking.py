"""How leaderboards rank: strategies, ties, baselines, anonymity, freezing, teams.

Revision 0008, after 0007.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RANKING = postgresql.ENUM("lexicographic", "mean_rank", "median_rank", name="ranking", create_type=False)
MOMENT = sa.DateTime(timezone=True)
LEADERBOARD_COLUMNS = (
    "ranking",
    "anonymous",
    "pseudonym_key",
    "freeze_hours",
    "unfrozen",
    "rank_change_hours",
    "organizers_are_baselines",
)


def upgrade() -> None:
    RANKING.create(op.get_bind())
    _add("leaderboards", sa.Column("ranking", RANKING, nullable=False, server_default="lexicographic"))
    _add("leaderboards", sa.Column("anonymous", sa.Boolean(), nullable=False, server_default="false"))
    key = sa.Column("pseudonym_key", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()"))
    _add("leaderboards", key)
    op.add_column("leaderboards", sa.Column("freeze_hours", sa.Double(), nullable=True))
    op.add_column("leaderboards", sa.Column("unfrozen", MOMENT, nullable=True))
    _add("leaderboards", sa.Column("rank_change_hours", sa.Double(), nullable=False, server_default="96"))
    _add("leaderboards", sa.Column("organizers_are_baselines", sa.Boolean(), nullable=False, server_default="false"))
    op.create_check_constraint(
        op.f("ck_leaderboards_hours_are_not_negative"), "leaderboards", "freeze_hours > 0 AND rank_change_hours >= 0"
    )
    op.add_column("columns", sa.Column("ranking_precision", sa.Integer(), nullable=True))
    _add("columns", sa.Column("tie_tolerance", sa.Double(), nullable=False, server_default="0"))
    _add("columns", sa.Column("exclude_from_ranking", sa.Boolean(), nullable=False, server_default="false"))
    _add("submissions", sa.Column("is_baseline", sa.Boolean(), nullable=False, server_default="false"))
    _teams()


def _add(table: str, column: sa.Column[Any]) -> None:
    """Add a column whose default is for the rows that there are; new rows get theirs from the models."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_teams_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("id", "competition_id", name=op.f("uq_teams_id_competition_id")),
    )
    op.create_index(
        "uq_teams_competition_id_name_lower", "teams", ["competition_id", sa.text("lower(name)")], unique=True
    )
    op.create_table(
        "team_members",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "competition_id"],
            ["teams.id", "teams.competition_id"],
            name=op.f("fk_team_members_team_id_teams"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["competition_id", "person_id"],
            ["participants.competition_id", "participants.person_id"],
            name=op.f("fk_team_members_competition_id_participants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_team_members_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("competition_id", "person_id", name=op.f("pk_team_members")),
    )
    op.create_index("ix_team_members_team_id", "team_members", ["team_id"])


def downgrade() -> None:
    op.drop_table("team_members")
    op.drop_table("teams")
    op.drop_column("submissions", "is_baseline")
    for name in ("ranking_precision", "tie_tolerance", "exclude_from_ranking"):
        op.drop_column("columns", name)
    op.drop_constraint(op.f("ck_leaderboards_hours_are_not_negative"), "leaderboards")
    for name in LEADERBOARD_COLUMNS:
        op.drop_column("leaderboards", name)
    RANKING.drop(op.get_bind())
