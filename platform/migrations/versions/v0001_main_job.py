"""The tables that the main job stands on.

Revision 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=True),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_subject_id_id", "events", ["subject_id", "id"], unique=False)
    op.create_table(
        "people",
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("is_administrator", sa.Boolean(), nullable=False),
        sa.Column("may_organize", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index("uq_people_email_lower", "people", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("uq_people_username_lower", "people", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "pools",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
        sa.UniqueConstraint("name", name=op.f("uq_pools_name")),
    )
    op.create_table(
        "agents",
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("executor", sa.String(length=40), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_agents_pool_id_pools"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("pool_id", "name", name=op.f("uq_agents_pool_id_name")),
    )
    op.create_table(
        "competitions",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("organizer_id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=256), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("image_name", sa.String(length=255), nullable=False),
        sa.Column("image_content", sa.String(length=200), nullable=True),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("terms_is_html", sa.Boolean(), nullable=False),
        sa.Column("terms_sha256", sa.String(length=64), nullable=False),
        sa.Column("registration_auto_approve", sa.Boolean(), nullable=False),
        sa.Column("docker_image", sa.String(length=128), nullable=False),
        sa.Column("enable_detailed_results", sa.Boolean(), nullable=False),
        sa.Column("show_detailed_results_in_submission_panel", sa.Boolean(), nullable=False),
        sa.Column("show_detailed_results_in_leaderboard", sa.Boolean(), nullable=False),
        sa.Column("auto_run_submissions", sa.Boolean(), nullable=False),
        sa.Column("can_participants_make_submissions_public", sa.Boolean(), nullable=False),
        sa.Column("make_programs_available", sa.Boolean(), nullable=False),
        sa.Column("make_input_data_available", sa.Boolean(), nullable=False),
        sa.Column("competition_type", sa.Enum("competition", "benchmark", name="competition_type"), nullable=False),
        sa.Column("reward", sa.String(length=256), nullable=True),
        sa.Column("contact_email", sa.String(length=320), nullable=True),
        sa.Column("forum_enabled", sa.Boolean(), nullable=False),
        sa.Column("fact_sheet", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("next_submission_number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["people.id"], name=op.f("fk_competitions_organizer_id_people"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pools.id"], name=op.f("fk_competitions_pool_id_pools"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competitions")),
        sa.UniqueConstraint("slug", name=op.f("uq_competitions_slug")),
    )
    op.create_index(op.f("ix_competitions_organizer_id"), "competitions", ["organizer_id"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_datasets_owner_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("owner_id", "kind", "sha256", name=op.f("uq_datasets_owner_id_kind_sha256")),
    )
    op.create_table(
        "bundles",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=200), nullable=True),
        sa.Column(
            "status",
            sa.Enum("uploading", "queued", "reading", "created", "refused", "failed", name="bundle_status"),
            nullable=False,
        ),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=True),
        sa.Column("start", sa.String(length=40), nullable=True),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("competition_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_bundles_competition_id_competitions"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_bundles_owner_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
    )
    op.create_index(op.f("ix_bundles_owner_id"), "bundles", ["owner_id"], unique=False)
    op.create_table(
        "leaderboards",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column(
            "submission_rule",
            sa.Enum(
                "Add",
                "Add_And_Delete",
                "Add_And_Delete_Multiple",
                "Force_Last",
                "Force_Latest_Multiple",
                "Force_Best",
                name="submission_rule",
            ),
            nullable=False,
        ),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("primary_index", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_leaderboards_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaderboards")),
        sa.UniqueConstraint("competition_id", "position", name=op.f("uq_leaderboards_competition_id_position")),
    )
    op.create_table(
        "pages",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_html", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_pages_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("competition_id", "position", name=op.f("uq_pages_competition_id_position")),
    )
    op.create_table(
        "participants",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Enum("pending", "approved", "denied", name="participant_status"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_participants_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_participants_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("competition_id", "person_id", name=op.f("pk_participants")),
    )
    op.create_index("ix_participants_person_id", "participants", ["person_id"], unique=False)
    op.create_table(
        "phases",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_submissions_per_day", sa.Integer(), nullable=True),
        sa.Column("max_submissions", sa.Integer(), nullable=True),
        sa.Column("execution_time_limit", sa.Integer(), nullable=False),
        sa.Column("auto_migrate_to_this_phase", sa.Boolean(), nullable=False),
        sa.Column("hide_output", sa.Boolean(), nullable=False),
        sa.Column("hide_prediction_output", sa.Boolean(), nullable=False),
        sa.Column("hide_score_output", sa.Boolean(), nullable=False),
        sa.Column("accepts_only_result_submissions", sa.Boolean(), nullable=False),
        sa.Column("starting_kit_id", sa.Uuid(), nullable=True),
        sa.Column("public_data_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends IS NULL OR ends > starts", name=op.f("ck_phases_ends_after_it_starts")),
        sa.CheckConstraint("execution_time_limit > 0", name=op.f("ck_phases_execution_time_limit_is_positive")),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_phases_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["public_data_id"], ["datasets.id"], name=op.f("fk_phases_public_data_id_datasets"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["starting_kit_id"], ["datasets.id"], name=op.f("fk_phases_starting_kit_id_datasets"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phases")),
        sa.UniqueConstraint("competition_id", "position", name=op.f("uq_phases_competition_id_position")),
    )
    op.create_table(
        "solutions",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("task_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_solutions_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_solutions_dataset_id_datasets"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solutions")),
        sa.UniqueConstraint("competition_id", "position", name=op.f("uq_solutions_competition_id_position")),
    )
    op.create_table(
        "tasks",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("scoring_program_id", sa.Uuid(), nullable=False),
        sa.Column("ingestion_program_id", sa.Uuid(), nullable=True),
        sa.Column("input_data_id", sa.Uuid(), nullable=True),
        sa.Column("reference_data_id", sa.Uuid(), nullable=True),
        sa.Column("ingestion_only_during_scoring", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingestion_program_id"],
            ["datasets.id"],
            name=op.f("fk_tasks_ingestion_program_id_datasets"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["input_data_id"], ["datasets.id"], name=op.f("fk_tasks_input_data_id_datasets"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_tasks_owner_id_people"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reference_data_id"],
            ["datasets.id"],
            name=op.f("fk_tasks_reference_data_id_datasets"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["scoring_program_id"],
            ["datasets.id"],
            name=op.f("fk_tasks_scoring_program_id_datasets"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_owner_id"), "tasks", ["owner_id"], unique=False)
    op.create_table(
        "terms_acceptances",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("terms_sha256", sa.String(length=64), nullable=False),
        sa.Column("accepted", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.String(length=400), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_terms_acceptances_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_terms_acceptances_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_acceptances")),
    )
    op.create_index(
        "ix_terms_acceptances_competition_id_person_id",
        "terms_acceptances",
        ["competition_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "columns",
        sa.Column("leaderboard_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=36), nullable=False),
        sa.Column("sorting", sa.Enum("asc", "desc", name="sorting"), nullable=False),
        sa.Column("computation", sa.Enum("avg", "sum", "min", "max", name="computation"), nullable=True),
        sa.Column("computation_indexes", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("precision", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leaderboard_id"],
            ["leaderboards.id"],
            name=op.f("fk_columns_leaderboard_id_leaderboards"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_columns")),
        sa.UniqueConstraint("leaderboard_id", "index", name=op.f("uq_columns_leaderboard_id_index")),
        sa.UniqueConstraint("leaderboard_id", "key", name=op.f("uq_columns_leaderboard_id_key")),
    )
    op.create_table(
        "phase_tasks",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("index", sa.String(length=60), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["phases.id"], name=op.f("fk_phase_tasks_phase_id_phases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_phase_tasks_task_id_tasks"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("phase_id", "position", name=op.f("pk_phase_tasks")),
    )
    op.create_table(
        "submissions",
        sa.Column("competition_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=200), nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("fact_sheet", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "submitted",
                "queued",
                "preparing",
                "running",
                "scoring",
                "finished",
                "failed",
                "cancelled",
                name="submission_status",
            ),
            nullable=False,
        ),
        sa.Column("status_message", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("on_leaderboard", sa.Boolean(), nullable=False),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("queued", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(ended IS NOT NULL) = (status IN ('finished', 'failed', 'cancelled'))",
            name=op.f("ck_submissions_ended_if_over"),
        ),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_submissions_competition_id_competitions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_submissions_person_id_people"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["phases.id"], name=op.f("fk_submissions_phase_id_phases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("competition_id", "number", name=op.f("uq_submissions_competition_id_number")),
    )
    op.create_index(
        "ix_submissions_open",
        "submissions",
        ["status", "queued"],
        unique=False,
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index(op.f("ix_submissions_person_id"), "submissions", ["person_id"], unique=False)
    op.create_index(
        "ix_submissions_phase_id_person_id_created", "submissions", ["phase_id", "person_id", "created"], unique=False
    )
    op.create_table(
        "attempts",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "succeeded", "user_error", "platform_error", "lost", "cancelled", name="attempt_status"),
            nullable=False,
        ),
        sa.Column("stage", sa.Enum("preparing", "running", "scoring", name="stage"), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("lease_expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result_sha256", sa.String(length=64), nullable=True),
        sa.Column("timings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_attempts_agent_id_agents"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_attempts_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("submission_id", "number", name=op.f("uq_attempts_submission_id_number")),
    )
    op.create_index(
        "ix_attempts_lease", "attempts", ["lease_expires"], unique=False, postgresql_where=sa.text("status = 'active'")
    )
    op.create_index(
        "uq_attempts_active", "attempts", ["submission_id"], unique=True, postgresql_where=sa.text("status = 'active'")
    )
    op.create_table(
        "leaderboard_entries",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("scores", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_leaderboard_entries_person_id_people"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["phases.id"], name=op.f("fk_leaderboard_entries_phase_id_phases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_leaderboard_entries_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("phase_id", "submission_id", name=op.f("pk_leaderboard_entries")),
    )
    op.create_index(
        "ix_leaderboard_entries_phase_id_person_id", "leaderboard_entries", ["phase_id", "person_id"], unique=False
    )
    op.create_table(
        "evaluations",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "status", sa.Enum("waiting", "succeeded", "failed", "cancelled", name="evaluation_status"), nullable=False
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "exit_status",
                "time_limit",
                "memory_limit",
                "output_limit",
                "disk_limit",
                "process_limit",
                "no_scores",
                "bad_scores",
                "bad_submission",
                "image_unavailable",
                name="verdict",
            ),
            nullable=True,
        ),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("programs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("timings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("verdict IS NULL OR status = 'failed'", name=op.f("ck_evaluations_verdict_only_if_failed")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_evaluations_attempt_id_attempts"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_evaluations_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_evaluations_task_id_tasks"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("submission_id", "position", name=op.f("uq_evaluations_submission_id_position")),
    )
    op.create_table(
        "tokens",
        sa.Column("kind", sa.Enum("person", "agent", "attempt", name="token_kind"), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hint", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("pool_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'person') = (person_id IS NOT NULL) AND (kind = 'agent') = (pool_id IS NOT NULL) AND (kind = 'attempt') = (attempt_id IS NOT NULL)",
            name=op.f("ck_tokens_kind_has_its_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_tokens_attempt_id_attempts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_tokens_person_id_people"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_tokens_pool_id_pools"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_tokens_secret_sha256")),
    )
    op.create_index(op.f("ix_tokens_attempt_id"), "tokens", ["attempt_id"], unique=False)
    op.create_index(op.f("ix_tokens_person_id"), "tokens", ["person_id"], unique=False)
    op.create_index(op.f("ix_tokens_pool_id"), "tokens", ["pool_id"], unique=False)
    op.create_table(
        "log_texts",
        sa.Column("sequence", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stream",
            sa.Enum(
                "prediction_stdout",
                "prediction_stderr",
                "prediction_ingestion_stdout",
                "prediction_ingestion_stderr",
                "scoring_stdout",
                "scoring_stderr",
                "scoring_ingestion_stdout",
                "scoring_ingestion_stderr",
                name="log_stream",
            ),
            nullable=False,
        ),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_log_texts_attempt_id_attempts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.id"],
            name=op.f("fk_log_texts_evaluation_id_evaluations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_log_texts_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_log_texts")),
        sa.UniqueConstraint(
            "attempt_id",
            "evaluation_id",
            "stream",
            "offset",
            name=op.f("uq_log_texts_attempt_id_evaluation_id_stream_offset"),
        ),
    )
    op.create_index("ix_log_texts_submission_id_sequence", "log_texts", ["submission_id", "sequence"], unique=False)
    op.create_table(
        "outputs",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("prediction_output", "scoring_output", "detailed_results", name="output_kind"),
            nullable=False,
        ),
        sa.Column("content", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_outputs_evaluation_id_evaluations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "kind", name=op.f("pk_outputs")),
    )
    op.create_table(
        "scores",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "value = value AND abs(value) < 'infinity'::float8 AND value <> 'NaN'::float8",
            name=op.f("ck_scores_finite"),
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_scores_evaluation_id_evaluations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "key", name=op.f("pk_scores")),
    )


def downgrade() -> None:
    op.drop_table("scores")
    op.drop_table("outputs")
    op.drop_index("ix_log_texts_submission_id_sequence", table_name="log_texts")
    op.drop_table("log_texts")
    op.drop_index(op.f("ix_tokens_pool_id"), table_name="tokens")
    op.drop_index(op.f("ix_tokens_person_id"), table_name="tokens")
    op.drop_index(op.f("ix_tokens_attempt_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_table("evaluations")
    op.drop_index("ix_leaderboard_entries_phase_id_person_id", table_name="leaderboard_entries")
    op.drop_table("leaderboard_entries")
    op.drop_index("uq_attempts_active", table_name="attempts", postgresql_where=sa.text("status = 'active'"))
    op.drop_index("ix_attempts_lease", table_name="attempts", postgresql_where=sa.text("status = 'active'"))
    op.drop_table("attempts")
    op.drop_index("ix_submissions_phase_id_person_id_created", table_name="submissions")
    op.drop_index(op.f("ix_submissions_person_id"), table_name="submissions")
    op.drop_index("ix_submissions_open", table_name="submissions", postgresql_where=sa.text("ended IS NULL"))
    op.drop_table("submissions")
    op.drop_table("phase_tasks")
    op.drop_table("columns")
    op.drop_index("ix_terms_acceptances_competition_id_person_id", table_name="terms_acceptances")
    op.drop_table("terms_acceptances")
    op.drop_index(op.f("ix_tasks_owner_id"), table_name="tasks")
    op.drop_table("tasks")
    op.drop_table("solutions")
    op.drop_table("phases")
    op.drop_index("ix_participants_person_id", table_name="participants")
    op.drop_table("participants")
    op.drop_table("pages")
    op.drop_table("leaderboards")
    op.drop_index(op.f("ix_bundles_owner_id"), table_name="bundles")
    op.drop_table("bundles")
    op.drop_table("datasets")
    op.drop_index(op.f("ix_competitions_organizer_id"), table_name="competitions")
    op.drop_table("competitions")
    op.drop_table("agents")
    op.drop_table("pools")
    op.drop_index("uq_people_username_lower", table_name="people")
    op.drop_index("uq_people_email_lower", table_name="people")
    op.drop_table("people")
    op.drop_index("ix_events_subject_id_id", table_name="events")
    op.drop_table("events")
    for name in (
        "attempt_status",
        "bundle_status",
        "competition_type",
        "computation",
        "evaluation_status",
        "log_stream",
        "output_kind",
        "participant_status",
        "sorting",
        "stage",
        "submission_rule",
        "submission_status",
        "token_kind",
        "verdict",
    ):
        op.execute(sa.text(f"DROP TYPE {name}"))
