"""Quotas, windows and pauses of phases; versions of tasks; reruns, migrations and batches.

Revision 0003, after 0002.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ENUMS = {
    "submission_queue": ("default", "rerun"),
    "submission_window": ("day", "sliding_day", "sliding_week"),
    "phase_status": ("upcoming", "open", "over"),
    "migration_status": ("running", "finished"),
    "rerun_status": ("waiting", "running", "paused", "ready", "adopted", "cancelled"),
    "adoption": ("automatic", "manual"),
}


def upgrade() -> None:
    for name, members in ENUMS.items():
        postgresql.ENUM(*members, name=name).create(op.get_bind())
    _competitions_and_phases()
    _tasks()
    _reruns()
    _batches()
    _submissions()
    op.create_table(
        "rerun_items",
        sa.Column("rerun_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("old_status", _enum("submission_status"), nullable=True),
        sa.Column("new_status", _enum("submission_status"), nullable=True),
        sa.Column("old_scores", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("new_scores", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("old_rank", sa.Integer(), nullable=True),
        sa.Column("new_rank", sa.Integer(), nullable=True),
        _foreign_key("rerun_items", "rerun_id", "reruns", "CASCADE"),
        _foreign_key("rerun_items", "origin_id", "submissions", "CASCADE"),
        _foreign_key("rerun_items", "submission_id", "submissions", "SET NULL"),
        sa.PrimaryKeyConstraint("rerun_id", "position", name=op.f("pk_rerun_items")),
    )
    op.create_index("ix_rerun_items_origin_id", "rerun_items", ["origin_id"])
    op.create_index("ix_rerun_items_submission_id", "rerun_items", ["submission_id"])
    op.create_table(
        "chores",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("ran", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
    )
    op.create_table(
        "flow_leases",
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("flow_run_id", name=op.f("pk_flow_leases")),
    )


def _competitions_and_phases() -> None:
    for name in ("starts", "ends", "registration_starts", "registration_ends"):
        op.add_column("competitions", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("phases", sa.Column("max_concurrent_submissions", sa.Integer(), nullable=True))
    _add("phases", sa.Column("time_zone", sa.String(60), nullable=False, server_default="UTC"))
    _add("phases", sa.Column("submission_window", _enum("submission_window"), nullable=False, server_default="day"))
    _add("phases", sa.Column("failed_submissions_given_back", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("phases", sa.Column("paused", sa.DateTime(timezone=True), nullable=True))
    _add("phases", sa.Column("pause_message", sa.String(1000), nullable=False, server_default=""))
    _add("phases", sa.Column("announced", _enum("phase_status"), nullable=False, server_default="upcoming"))
    op.create_table(
        "extra_allowances",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("per_window", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("concurrent", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("granted_by", sa.String(200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "per_window >= 0 AND total >= 0 AND concurrent >= 0",
            name=op.f("ck_extra_allowances_nothing_is_taken_away"),
        ),
        _foreign_key("extra_allowances", "phase_id", "phases", "CASCADE"),
        _foreign_key("extra_allowances", "person_id", "people", "CASCADE"),
        sa.PrimaryKeyConstraint("phase_id", "person_id", name=op.f("pk_extra_allowances")),
    )
    op.create_table(
        "phase_migrations",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("status", _enum("migration_status"), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("copied", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        _foreign_key("phase_migrations", "phase_id", "phases", "CASCADE"),
        sa.PrimaryKeyConstraint("phase_id", name=op.f("pk_phase_migrations")),
    )
    # What has begun or ended before this version knew of it is not announced again, nor is anything migrated late.
    op.execute(
        "UPDATE phases SET announced = (CASE WHEN starts > now() THEN 'upcoming'"
        " WHEN ends <= now() THEN 'over' ELSE 'open' END)::phase_status"
    )
    op.execute(
        "INSERT INTO phase_migrations (phase_id, status, message, copied, dispatches, started, ended)"
        " SELECT id, 'finished', 'The phase had begun before Podium migrated by itself.', 0, 0, now(), now()"
        " FROM phases WHERE auto_migrate_to_this_phase AND starts <= now()"
    )


def _tasks() -> None:
    _add("tasks", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "task_versions",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scoring_program_id", sa.Uuid(), nullable=False),
        sa.Column("ingestion_program_id", sa.Uuid(), nullable=True),
        sa.Column("input_data_id", sa.Uuid(), nullable=True),
        sa.Column("reference_data_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _foreign_key("task_versions", "task_id", "tasks", "CASCADE"),
        *(
            _foreign_key("task_versions", f"{kind}_id", "datasets", "RESTRICT")
            for kind in ("scoring_program", "ingestion_program", "input_data", "reference_data")
        ),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_task_versions")),
    )
    op.execute(
        "INSERT INTO task_versions (task_id, number, scoring_program_id, ingestion_program_id, input_data_id,"
        " reference_data_id, reason, actor, created) SELECT id, 1, scoring_program_id, ingestion_program_id,"
        " input_data_id, reference_data_id, '', '', created FROM tasks"
    )
    _add("evaluations", sa.Column("task_version", sa.Integer(), nullable=False, server_default="1"))
    _add("bundles", sa.Column("dispatches", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "dataset_uploads",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _foreign_key("dataset_uploads", "owner_id", "people", "CASCADE"),
        _foreign_key("dataset_uploads", "dataset_id", "datasets", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_uploads")),
    )
    op.create_index("ix_dataset_uploads_owner_id", "dataset_uploads", ["owner_id"])


def _reruns() -> None:
    op.create_table(
        "reruns",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("selection", postgresql.JSONB(), nullable=False),
        sa.Column("adoption", _enum("adoption"), nullable=False),
        sa.Column("parallel", sa.Integer(), nullable=True),
        sa.Column("status", _enum("rerun_status"), nullable=False),
        sa.Column("status_message", sa.String(), nullable=False),
        sa.Column("held_back", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("expected_seconds", sa.Float(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("dispatches", sa.Integer(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _foreign_key("reruns", "competition_id", "competitions", "CASCADE"),
        _foreign_key("reruns", "requested_by", "people", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reruns")),
    )
    op.create_index("uq_reruns_competition_id_number", "reruns", ["competition_id", "number"], unique=True)
    op.create_index("ix_reruns_open", "reruns", ["status"], postgresql_where=sa.text("ended IS NULL"))


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("queue", _enum("submission_queue"), nullable=False),
        sa.Column("rerun_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("begun", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _foreign_key("batches", "pool_id", "pools", "CASCADE"),
        _foreign_key("batches", "rerun_id", "reruns", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_open", "batches", ["pool_id"], postgresql_where=sa.text("ended IS NULL"))
    op.create_index("ix_batches_rerun_id", "batches", ["rerun_id"])


def _submissions() -> None:
    for name, table, on_delete in (
        ("origin_id", "submissions", "CASCADE"),
        ("rerun_id", "reruns", "CASCADE"),
        ("results_id", "submissions", "SET NULL"),
        ("batch_id", "batches", "SET NULL"),
    ):
        op.add_column("submissions", sa.Column(name, sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_submissions_{name}_{table}"), "submissions", table, [name], ["id"], ondelete=on_delete
        )
    op.create_index("ix_submissions_origin_id", "submissions", ["origin_id"])
    op.create_index("ix_submissions_batch_id", "submissions", ["batch_id"])
    _add("submissions", sa.Column("queue", _enum("submission_queue"), nullable=False, server_default="default"))
    _add("submissions", sa.Column("dispatches", sa.Integer(), nullable=False, server_default="0"))
    # Prefect knows the flow runs of the old version by the numbers of attempts: new ones must not have the same.
    op.execute("UPDATE submissions SET dispatches = 10 WHERE ended IS NULL")
    op.add_column("submissions", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_attempts_stopped",
        "attempts",
        ["agent_id", "ended"],
        postgresql_where=sa.text("status IN ('cancelled', 'lost')"),
    )
    op.drop_index("ix_submissions_open", "submissions")
    op.create_index(
        "ix_submissions_open",
        "submissions",
        ["status", "queue", "queued", "id"],
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.drop_constraint("uq_submissions_competition_id_number", "submissions", type_="unique")
    for name, columns, where in (
        ("uq_submissions_competition_id_number", ["competition_id", "number"], "rerun_id IS NULL"),
        ("uq_submissions_phase_id_origin_id", ["phase_id", "origin_id"], "rerun_id IS NULL AND origin_id IS NOT NULL"),
        ("uq_submissions_rerun_id_origin_id", ["rerun_id", "origin_id"], "rerun_id IS NOT NULL"),
    ):
        op.create_index(name, "submissions", columns, unique=True, postgresql_where=sa.text(where))


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(name=name, create_type=False)


def _foreign_key(table: str, column: str, to: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=on_delete)


def _add(table: str, column: sa.Column[Any]) -> None:
    """Add a column that rows of the old version get a value for; new rows get theirs from Podium alone."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM submissions WHERE rerun_id IS NOT NULL")
    for table in ("flow_leases", "chores", "rerun_items"):
        op.drop_table(table)
    op.drop_index("ix_attempts_stopped", "attempts")
    for name in ("number", "origin", "rerun"):
        columns = {"number": "competition_id_number", "origin": "phase_id_origin_id", "rerun": "rerun_id_origin_id"}
        op.drop_index(f"uq_submissions_{columns[name]}", "submissions")
    op.create_unique_constraint("uq_submissions_competition_id_number", "submissions", ["competition_id", "number"])
    op.drop_index("ix_submissions_open", "submissions")
    op.create_index(
        "ix_submissions_open", "submissions", ["status", "queued"], postgresql_where=sa.text("ended IS NULL")
    )
    for name in ("not_before", "dispatches", "queue", "batch_id", "results_id", "rerun_id", "origin_id"):
        op.drop_column("submissions", name)
    for table in ("batches", "reruns", "dataset_uploads", "task_versions", "phase_migrations", "extra_allowances"):
        op.drop_table(table)
    op.drop_column("bundles", "dispatches")
    op.drop_column("evaluations", "task_version")
    op.drop_column("tasks", "version")
    for name in (
        "announced",
        "pause_message",
        "paused",
        "failed_submissions_given_back",
        "submission_window",
        "time_zone",
        "max_concurrent_submissions",
    ):
        op.drop_column("phases", name)
    for name in ("registration_ends", "registration_starts", "ends", "starts"):
        op.drop_column("competitions", name)
    for name in ENUMS:
        postgresql.ENUM(name=name).drop(op.get_bind())
