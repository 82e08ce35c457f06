"""Uploads in parts, quotas of storage by triggers, and what refers to content.

Revision 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What a row takes, in terms of itself: nothing that is on its way no more, or that was taken over from another row.
CHARGED = {
    "submissions": (
        "person_id",
        "size",
        "{row}.origin_id IS NULL AND ({row}.content IS NOT NULL OR {row}.status = 'submitted')",
        ("content", "status", "size", "origin_id", "person_id"),
    ),
    "bundles": (
        "owner_id",
        "size",
        "{row}.content IS NOT NULL OR {row}.status = 'uploading'",
        ("content", "status", "size", "owner_id"),
    ),
    "dataset_uploads": ("owner_id", "size", "{row}.dataset_id IS NULL", ("dataset_id", "size", "owner_id")),
    "datasets": ("owner_id", "size", "true", ("size", "owner_id")),
    "outputs": ("owner_id", "size", "true", ("size", "owner_id")),
    "competitions": (
        "organizer_id",
        "image_size",
        "{row}.image_content IS NOT NULL",
        ("image_content", "image_size", "organizer_id"),
    ),
}
# By what people call them: a dataset on its way is a dataset, and a logo a competition.
KINDS = {"dataset_uploads": "datasets"}


def upgrade() -> None:
    op.add_column("people", sa.Column("storage_quota_bytes", sa.BigInteger(), nullable=True))
    op.add_column("submissions", sa.Column("files_removed", sa.DateTime(timezone=True), nullable=True))
    op.add_column("competitions", sa.Column("image_size", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("competitions", "image_size", server_default=None)
    _outputs()
    op.drop_constraint(op.f("fk_dataset_uploads_dataset_id_datasets"), "dataset_uploads")
    op.create_foreign_key(
        op.f("fk_dataset_uploads_dataset_id_datasets"),
        "dataset_uploads",
        "datasets",
        ["dataset_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index("ix_dataset_uploads_dataset_id", "dataset_uploads", ["dataset_id"])
    for table in ("submissions", "bundles"):
        there = sa.text("content IS NOT NULL")
        op.create_index(f"ix_{table}_content", table, ["content"], postgresql_where=there)
    op.create_index("ix_datasets_content", "datasets", ["content"])
    op.create_index("ix_outputs_content", "outputs", ["content"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("part_bytes", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_uploads_owner_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_owner_id", "uploads", ["owner_id"])
    _charges()


def _outputs() -> None:
    op.add_column("outputs", sa.Column("owner_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE outputs SET owner_id = competitions.organizer_id FROM evaluations, submissions, competitions"
        " WHERE evaluations.id = outputs.evaluation_id AND submissions.id = evaluations.submission_id"
        " AND competitions.id = submissions.competition_id"
    )
    op.alter_column("outputs", "owner_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_outputs_owner_id_people"), "outputs", "people", ["owner_id"], ["id"], ondelete="CASCADE"
    )


def _charges() -> None:
    op.create_table(
        "storage_charges",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storage_charges")),
    )
    op.create_index(
        "ix_storage_charges_owner_id", "storage_charges", ["owner_id"], postgresql_include=["kind", "bytes"]
    )
    for table, (owner, size, condition, columns) in CHARGED.items():
        kind = KINDS.get(table, table)
        op.execute(
            f"""
            CREATE FUNCTION charge_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF ({_of("OLD", condition)}) = ({_of("NEW", condition)})
                       AND OLD.{size} = NEW.{size} AND OLD.{owner} = NEW.{owner} THEN
                        RETURN NULL;
                    END IF;
                END IF;
                IF TG_OP <> 'INSERT' THEN
                    IF OLD.{size} <> 0 AND ({_of("OLD", condition)}) THEN
                        INSERT INTO storage_charges (owner_id, kind, bytes)
                        VALUES (OLD.{owner}, '{kind}', -OLD.{size});
                    END IF;
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    IF NEW.{size} <> 0 AND ({_of("NEW", condition)}) THEN
                        INSERT INTO storage_charges (owner_id, kind, bytes)
                        VALUES (NEW.{owner}, '{kind}', NEW.{size});
                    END IF;
                END IF;
                RETURN NULL;
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER charge AFTER INSERT OR DELETE OR UPDATE OF {', '.join(columns)} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION charge_{table}()"
        )
        op.execute(
            f"INSERT INTO storage_charges (owner_id, kind, bytes) SELECT {owner}, '{kind}', sum({size}) FROM {table}"
            f" WHERE {_of(table, condition)} GROUP BY {owner} HAVING sum({size}) <> 0"
        )


def _of(row: str, condition: str) -> str:
    return condition.format(row=row)


def downgrade() -> None:
    for table in CHARGED:
        op.execute(f"DROP TRIGGER charge ON {table}")
        op.execute(f"DROP FUNCTION charge_{table}()")
    op.drop_table("storage_charges")
    op.drop_table("uploads")
    for table in ("outputs", "datasets", "bundles", "submissions"):
        op.drop_index(f"ix_{table}_content", table)
    op.drop_index("ix_dataset_uploads_dataset_id", "dataset_uploads")
    op.drop_constraint(op.f("fk_dataset_uploads_dataset_id_datasets"), "dataset_uploads")
    op.create_foreign_key(
        op.f("fk_dataset_uploads_dataset_id_datasets"),
        "dataset_uploads",
        "datasets",
        ["dataset_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.drop_column("outputs", "owner_id")
    op.drop_column("competitions", "image_size")
    op.drop_column("submissions", "files_removed")
    op.drop_column("people", "storage_quota_bytes")
