"""Teams that people make: their rules, captains and codes, and the submissions that are theirs.

Revision 0013, after 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("competitions", sa.Column("max_team_members", sa.Integer(), nullable=True))
    op.add_column("competitions", sa.Column("team_deadline", MOMENT, nullable=True))
    op.add_column("teams", sa.Column("captain_id", sa.Uuid(), nullable=True))
    op.add_column("teams", sa.Column("code_sha256", sa.LargeBinary(32), nullable=True))
    op.add_column("teams", sa.Column("code_expires", MOMENT, nullable=True))
    op.create_foreign_key(
        op.f("fk_teams_captain_id_people"), "teams", "people", ["captain_id"], ["id"], ondelete="SET NULL"
    )
    op.create_unique_constraint(op.f("uq_teams_code_sha256"), "teams", ["code_sha256"])
    op.add_column("submissions", sa.Column("team_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_submissions_team_id_teams"), "submissions", "teams", ["team_id"], ["id"])
    op.create_index(
        "ix_submissions_phase_id_team_id_created",
        "submissions",
        ["phase_id", "team_id", "created"],
        postgresql_where=sa.text("team_id IS NOT NULL"),
    )
    op.add_column("leaderboard_entries", sa.Column("entrant_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE leaderboard_entries SET entrant_id = person_id")
    op.alter_column("leaderboard_entries", "entrant_id", nullable=False)
    op.drop_index("ix_leaderboard_entries_phase_id_person_id_since", "leaderboard_entries")
    op.create_index(
        "ix_leaderboard_entries_phase_id_entrant_id_since", "leaderboard_entries", ["phase_id", "entrant_id", "since"]
    )


def downgrade() -> None:
    op.drop_index("ix_leaderboard_entries_phase_id_entrant_id_since", "leaderboard_entries")
    op.create_index(
        "ix_leaderboard_entries_phase_id_person_id_since", "leaderboard_entries", ["phase_id", "person_id", "since"]
    )
    op.drop_column("leaderboard_entries", "entrant_id")
    op.drop_index("ix_submissions_phase_id_team_id_created", "submissions")
    op.drop_constraint(op.f("fk_submissions_team_id_teams"), "submissions")
    op.drop_column("submissions", "team_id")
    op.drop_constraint(op.f("uq_teams_code_sha256"), "teams")
    op.drop_constraint(op.f("fk_teams_captain_id_people"), "teams")
    for name in ("code_expires", "code_sha256", "captain_id"):
        op.drop_column("teams", name)
    for name in ("team_deadline", "max_team_members"):
        op.drop_column("competitions", name)
