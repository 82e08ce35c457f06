"""Submissions that are shared.

Revision 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("shared", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_submissions_shared",
        "submissions",
        ["competition_id", "shared"],
        postgresql_where=sa.text("shared IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_submissions_shared", table_name="submissions")
    op.drop_column("submissions", "shared")
