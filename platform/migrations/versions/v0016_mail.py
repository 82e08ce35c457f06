"""Mail: campaigns, the outbox, and who wants none.

Revision 0016, after 0015.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = ("announcement", "test", "confirmation", "submission", "registration", "phase", "rank", "agent", "digest")
KIND = postgresql.ENUM(*KINDS, name="mail_kind", create_type=False)  # of two tables


def upgrade() -> None:
    postgresql.ENUM(*KINDS, name="mail_kind").create(op.get_bind())
    op.create_table(
        "mail_rounds",
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_rounds")),
    )
    op.create_index(
        "uq_mail_rounds_open",
        "mail_rounds",
        [sa.literal_column("(true)")],
        unique=True,
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_table(
        "mail_suppressions",
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("cause", sa.Enum("bounce", "complaint", "operator", name="mail_cause"), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_mail_suppressions")),
    )
    op.create_table(
        "mail_preferences",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("frequency", sa.Enum("at_once", "daily", "none", name="mail_frequency"), nullable=False),
        sa.Column("changed", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_mail_preferences_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_mail_preferences")),
    )
    op.create_table(
        "mail_campaigns",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("audience", postgresql.JSONB(), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("draft", "proposed", "approved", "sending", "paused", "sent", "cancelled", name="campaign_status"),
            nullable=False,
        ),
        sa.Column("status_message", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scheduled", MOMENT, nullable=True),
        sa.Column("frozen", MOMENT, nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("left_out", postgresql.JSONB(), nullable=False),
        sa.Column("due", MOMENT, nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("started", MOMENT, nullable=True),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint(
            "frozen IS NOT NULL OR status IN ('draft', 'proposed', 'cancelled')",
            name=op.f("ck_mail_campaigns_frozen_when_approved"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["people.id"], name=op.f("fk_mail_campaigns_author_id_people"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_mail_campaigns_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_campaigns")),
    )
    op.create_index("ix_mail_campaigns_open", "mail_campaigns", ["status"], postgresql_where=sa.text("ended IS NULL"))
    op.create_index(
        "uq_mail_campaigns_competition_id_number", "mail_campaigns", ["competition_id", "number"], unique=True
    )
    op.create_table(
        "mail_opt_outs",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_mail_opt_outs_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_mail_opt_outs_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("competition_id", "person_id", name=op.f("pk_mail_opt_outs")),
    )
    op.create_table(
        "mail_approvals",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("approved", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["mail_campaigns.id"],
            name=op.f("fk_mail_approvals_campaign_id_mail_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_mail_approvals_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "person_id", name=op.f("pk_mail_approvals")),
    )
    op.create_table(
        "mail_outbox",
        sa.Column("kind", KIND, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("competition_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(200), nullable=True),
        sa.Column("subject", sa.String(400), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("filled_in", postgresql.JSONB(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "deferred",
                "failed",
                "unsettled",
                "suppressed",
                "cancelled",
                name="mail_status",
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("claimed", MOMENT, nullable=True),
        sa.Column("handed", MOMENT, nullable=True),
        sa.Column("reply", sa.String(500), nullable=False),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint(
            "handed IS NULL OR status IN ('sending', 'unsettled')", name=op.f("ck_mail_outbox_handed_while_it_is_sent")
        ),
        sa.CheckConstraint("(campaign_id IS NULL) = (subject IS NOT NULL)", name=op.f("ck_mail_outbox_says_something")),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["mail_campaigns.id"],
            name=op.f("fk_mail_outbox_campaign_id_mail_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_mail_outbox_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_mail_outbox_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_outbox")),
    )
    # Each row changes three times within seconds: there is room for that where it stands.
    op.execute("ALTER TABLE mail_outbox SET (fillfactor = 50)")
    op.create_index("ix_mail_outbox_campaign_id_status", "mail_outbox", ["campaign_id", "status"])
    op.create_index(
        "ix_mail_outbox_claimed", "mail_outbox", ["claimed"], postgresql_where=sa.text("claimed IS NOT NULL")
    )
    op.create_index(
        "ix_mail_outbox_waiting",
        "mail_outbox",
        ["campaign_id", "due", "id"],
        postgresql_where=sa.text("status IN ('queued', 'deferred')"),
    )
    op.create_index(
        "uq_mail_outbox_campaign_id_person_id",
        "mail_outbox",
        ["campaign_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "uq_mail_outbox_person_id_kind_key",
        "mail_outbox",
        ["person_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.add_column("people", sa.Column("email_confirmed", MOMENT, nullable=True))
    # Until now nobody got an account but from an administrator, or from a provider that stands for their address.
    op.execute("UPDATE people SET email_confirmed = created")


def downgrade() -> None:
    op.drop_column("people", "email_confirmed")
    for name in (
        "mail_outbox",
        "mail_approvals",
        "mail_opt_outs",
        "mail_campaigns",
        "mail_preferences",
        "mail_suppressions",
        "mail_rounds",
    ):
        op.drop_table(name)
    for name in ("mail_kind", "mail_status", "campaign_status", "mail_cause", "mail_frequency"):
        op.execute(f"DROP TYPE {name}")
