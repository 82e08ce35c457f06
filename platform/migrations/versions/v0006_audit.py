"""Collaborators of competitions, and the audit log.

Revision 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collaborators",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _foreign_key("competition_id", "competitions"),
        _foreign_key("person_id", "people"),
        sa.PrimaryKeyConstraint("competition_id", "person_id", name=op.f("pk_collaborators")),
    )
    op.create_index("ix_collaborators_person_id", "collaborators", ["person_id"])
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(60), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("token_name", sa.String(100), nullable=False),
        sa.Column("address", postgresql.INET(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(200), nullable=False),
        sa.Column("act", sa.String(60), nullable=False),
        sa.Column("competition_id", sa.Uuid(), nullable=True),
        sa.Column("competition", sa.String(60), nullable=True),
        sa.Column("object", sa.String(300), nullable=False),
        sa.Column("before", sa.String(2000), nullable=False),
        sa.Column("after", sa.String(2000), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_competition_id_id", "audit_entries", ["competition_id", "id"])
    op.create_index("ix_audit_entries_time", "audit_entries", ["time"])
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def _foreign_key(column: str, to: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_collaborators_{column}_{to}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_audit_change()")
    op.drop_table("collaborators")
