"""Who people are at the provider that they sign in at.

Revision 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("last_used", MOMENT, nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_identities_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer_subject")),
    )
    op.create_index("ix_identities_person_id", "identities", ["person_id"])
    op.create_table(
        "pending_sign_ins",
        sa.Column("state_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("binding_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_pending_sign_ins_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_pending_sign_ins")),
    )
    op.create_index(op.f("ix_pending_sign_ins_expires"), "pending_sign_ins", ["expires"])
    op.add_column("tokens", sa.Column("identity_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_tokens_identity_id_identities"), "tokens", "identities", ["identity_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index(op.f("ix_tokens_identity_id"), "tokens", ["identity_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_tokens_identity_id"), table_name="tokens")
    op.drop_constraint(op.f("fk_tokens_identity_id_identities"), "tokens")
    op.drop_column("tokens", "identity_id")
    op.drop_table("pending_sign_ins")
    op.drop_table("identities")
