"""What phases say about the files that they take.

Revision 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("submission_format", postgresql.JSONB(), nullable=False, server_default="{}")
    op.add_column("phases", column)
    # The default was for the phases that are there.
    op.alter_column("phases", "submission_format", server_default=None)


def downgrade() -> None:
    op.drop_column("phases", "submission_format")
