"""Medical images: import sessions, what is uploaded to them and becomes of it, and the room that it takes.

Revision 0015, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
ENUMS = {
    "import_status": ("uploading", "queued", "importing", "imported", "accepted", "failed"),
    "import_outcome": ("image", "rejected", "ignored"),
    "image_type": ("MHD", "TIFF"),
    "color_space": ("GRAY", "RGB", "RGBA", "YCBCR"),
    "eye_choice": ("OD", "OS", "U", "NA"),
}
# What takes room of whom, and while which condition holds.
CHARGED = {
    "import_uploads": ("size", "{row}.removed IS NULL", ("size", "removed", "owner_id")),
    "images": ("stored_bytes", "true", ("stored_bytes", "owner_id")),
}


def upgrade() -> None:
    for name, members in ENUMS.items():
        postgresql.ENUM(*members, name=name).create(op.get_bind())
    _sessions()
    _uploads()
    _images()
    _files()
    for table, (size, condition, columns) in CHARGED.items():
        op.execute(_charging(table, size, condition))
        op.execute(
            f"CREATE TRIGGER charge AFTER INSERT OR DELETE OR UPDATE OF {', '.join(columns)} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION charge_{table}()"
        )


def _sessions() -> None:
    op.create_table(
        "import_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("status", _enum("import_status"), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("isolation", sa.String(200), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("peak_bytes", sa.BigInteger(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("started", MOMENT, nullable=True),
        sa.Column("ended", MOMENT, nullable=True),
        sa.Column("accepted", MOMENT, nullable=True),
        _refers("import_sessions", "person_id", "people"),
        _refers("import_sessions", "owner_id", "people"),
        _refers("import_sessions", "dataset_id", "datasets"),
        _refers("import_sessions", "submission_id", "submissions"),
        sa.CheckConstraint(
            "(dataset_id IS NULL) <> (submission_id IS NULL)", name=op.f("ck_import_sessions_of_one_thing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_sessions")),
    )
    op.create_index("ix_import_sessions_person_id", "import_sessions", ["person_id"])
    op.create_index("ix_import_sessions_owner_id", "import_sessions", ["owner_id"])
    for column in ("dataset_id", "submission_id"):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_import_sessions_{column}", "import_sessions", [column], postgresql_where=where)
    op.create_index(
        "ix_import_sessions_open",
        "import_sessions",
        ["status"],
        postgresql_where=sa.text("status IN ('queued', 'importing')"),
    )


def _uploads() -> None:
    op.create_table(
        "import_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("is_pack", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.String(200), nullable=True),
        sa.Column("removed", MOMENT, nullable=True),
        _refers("import_uploads", "session_id", "import_sessions"),
        _refers("import_uploads", "owner_id", "people"),
        sa.UniqueConstraint("session_id", "path", name=op.f("uq_import_uploads_session_id_path")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_uploads")),
    )
    op.create_index("ix_import_uploads_owner_id", "import_uploads", ["owner_id"])
    op.create_index(
        "ix_import_uploads_content", "import_uploads", ["content"], postgresql_where=sa.text("content IS NOT NULL")
    )


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("type", _enum("image_type"), nullable=False),
        sa.Column("content", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("thumbnail", sa.String(200), nullable=False),
        sa.Column("preview", sa.String(200), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("depth", sa.BigInteger(), nullable=True),
        sa.Column("voxel_width_mm", sa.Double(), nullable=True),
        sa.Column("voxel_height_mm", sa.Double(), nullable=True),
        sa.Column("voxel_depth_mm", sa.Double(), nullable=True),
        sa.Column("timepoints", sa.BigInteger(), nullable=True),
        sa.Column("resolution_levels", sa.Integer(), nullable=True),
        sa.Column("window_center", sa.Double(), nullable=True),
        sa.Column("window_width", sa.Double(), nullable=True),
        sa.Column("color_space", _enum("color_space"), nullable=False),
        sa.Column("eye_choice", _enum("eye_choice"), nullable=False),
        sa.Column("segments", JSON, nullable=True),
        sa.Column("value_type", sa.String(20), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("grid", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("removed", JSON, nullable=False),
        sa.Column("sources", JSON, nullable=False),
        _refers("images", "session_id", "import_sessions"),
        _refers("images", "owner_id", "people"),
        _refers("images", "dataset_id", "datasets"),
        _refers("images", "submission_id", "submissions"),
        sa.CheckConstraint("(dataset_id IS NULL) <> (submission_id IS NULL)", name=op.f("ck_images_of_one_thing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    for column in ("session_id", "owner_id", "content", "thumbnail", "preview"):
        op.create_index(f"ix_images_{column}", "images", [column])
    for column in ("dataset_id", "submission_id"):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_images_{column}", "images", [column, "id"], postgresql_where=where)


def _files() -> None:
    op.create_table(
        "imported_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("outcome", _enum("import_outcome"), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("others", JSON, nullable=False),
        _refers("imported_files", "session_id", "import_sessions"),
        _refers("imported_files", "image_id", "images"),
        sa.CheckConstraint("(image_id IS NOT NULL) = (outcome = 'image')", name=op.f("ck_imported_files_of_an_image")),
        sa.CheckConstraint(
            "(reason <> '') = (outcome = 'rejected')", name=op.f("ck_imported_files_rejected_with_a_reason")
        ),
        sa.UniqueConstraint("session_id", "path", name=op.f("uq_imported_files_session_id_path")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_files")),
    )
    op.create_index("ix_imported_files_image_id", "imported_files", ["image_id"])


def _charging(table: str, size: str, condition: str) -> str:
    """As for the tables of revision 0004."""
    old, new = condition.format(row="OLD"), condition.format(row="NEW")
    return f"""
    CREATE FUNCTION charge_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF ({old}) = ({new}) AND OLD.{size} = NEW.{size} AND OLD.owner_id = NEW.owner_id THEN
                RETURN NULL;
            END IF;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            IF OLD.{size} <> 0 AND ({old}) THEN
                INSERT INTO storage_charges (owner_id, kind, bytes) VALUES (OLD.owner_id, 'images', -OLD.{size});
            END IF;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            IF NEW.{size} <> 0 AND ({new}) THEN
                INSERT INTO storage_charges (owner_id, kind, bytes) VALUES (NEW.owner_id, 'images', NEW.{size});
            END IF;
        END IF;
        RETURN NULL;
    END $$
    """


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(name=name, create_type=False)


def downgrade() -> None:
    for table in ("imported_files", "images", "import_uploads", "import_sessions"):
        op.drop_table(table)
    for table in CHARGED:
        op.execute(f"DROP FUNCTION charge_{table}()")
    op.execute("DELETE FROM storage_charges WHERE kind = 'images'")
    for name in ENUMS:
        postgresql.ENUM(name=name).drop(op.get_bind())
