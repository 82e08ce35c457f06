"""When a flow run was last asked for, so that what fails is tried again after a pause.

Revision 0018, after 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TABLES = ("bundles", "import_sessions", "mail_campaigns", "mail_rounds", "phase_migrations", "reruns")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("dispatched", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "dispatched")
