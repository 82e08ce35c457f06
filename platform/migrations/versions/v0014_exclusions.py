"""Submissions that organizers keep off the leaderboard.

Revision 0014, after 0013.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("excluded", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("submissions", "excluded", server_default=None)


def downgrade() -> None:
    op.drop_column("submissions", "excluded")
