"""Notifications: messages from files, digests of a day, and what was told of phases and agents.

Revision 0017, after 0016.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Not used below: a value that is new can't be, before this transaction is over.
    op.execute("ALTER TYPE mail_status ADD VALUE IF NOT EXISTS 'gathered'")
    op.add_column("mail_outbox", sa.Column("template", sa.String(60), nullable=True))
    op.add_column("mail_outbox", sa.Column("for_digest", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("mail_outbox", "for_digest", server_default=None)
    op.add_column("mail_outbox", sa.Column("digest_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_mail_outbox_digest_id_mail_outbox"),
        "mail_outbox",
        "mail_outbox",
        ["digest_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.drop_constraint(op.f("ck_mail_outbox_says_something"), "mail_outbox", type_="check")
    op.create_check_constraint(
        op.f("ck_mail_outbox_says_something"), "mail_outbox", "num_nonnulls(campaign_id, subject, template) = 1"
    )
    op.create_index(
        "ix_mail_outbox_for_digest",
        "mail_outbox",
        ["due", "person_id"],
        postgresql_where=sa.text("for_digest AND status = 'queued'"),
    )
    op.create_index(
        "ix_mail_outbox_digest_id", "mail_outbox", ["digest_id"], postgresql_where=sa.text("digest_id IS NOT NULL")
    )
    op.add_column("phases", sa.Column("opening_told", MOMENT, nullable=True))
    op.add_column("phases", sa.Column("closing_told", MOMENT, nullable=True))
    op.add_column("agents", sa.Column("loss_told", MOMENT, nullable=True))
    # What has happened before is no news.
    op.execute("UPDATE phases SET opening_told = starts WHERE starts <= now()")
    op.execute("UPDATE agents SET loss_told = last_seen")


def downgrade() -> None:
    op.drop_column("agents", "loss_told")
    op.drop_column("phases", "closing_told")
    op.drop_column("phases", "opening_told")
    op.drop_index("ix_mail_outbox_digest_id", "mail_outbox")
    op.drop_index("ix_mail_outbox_for_digest", "mail_outbox")
    # The version before can neither say these, nor knows the status of those that were gathered.
    op.execute("DELETE FROM mail_outbox WHERE template IS NOT NULL")
    op.drop_constraint(op.f("ck_mail_outbox_says_something"), "mail_outbox", type_="check")
    op.create_check_constraint(
        op.f("ck_mail_outbox_says_something"), "mail_outbox", "(campaign_id IS NULL) = (subject IS NOT NULL)"
    )
    op.drop_column("mail_outbox", "digest_id")
    op.drop_column("mail_outbox", "for_digest")
    op.drop_column("mail_outbox", "template")
