"""Leaderboards keep what stood on them, in the order of an index, and have a version.

Revision 0011, after 0010. What stands on a board now is known from when it came there; what was replaced before is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLE = "leaderboard_entries"
_SCORED = sa.text("status = 'finished' AND rerun_id IS NULL")
_LIVE = sa.text("until IS NULL")


def upgrade() -> None:
    op.drop_constraint("pk_leaderboard_entries", _TABLE)
    op.drop_index("ix_leaderboard_entries_phase_id_person_id", _TABLE)
    op.execute("ALTER TABLE leaderboard_entries ADD COLUMN id BIGSERIAL")
    op.create_primary_key("pk_leaderboard_entries", _TABLE, ["id"])
    op.add_column(_TABLE, sa.Column("sort_key", postgresql.ARRAY(sa.Double()), nullable=True))
    op.add_column(_TABLE, sa.Column("submitted", sa.DateTime(timezone=True), nullable=True))
    op.add_column(_TABLE, sa.Column("number", sa.Integer(), nullable=True))
    op.add_column(_TABLE, sa.Column("is_baseline", sa.Boolean(), nullable=False, server_default="false"))
    op.add_column(_TABLE, sa.Column("rank", sa.Integer(), nullable=True))
    op.alter_column(_TABLE, "updated", new_column_name="since")
    op.add_column(_TABLE, sa.Column("until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(_TABLE, sa.Column("is_withdrawn", sa.Boolean(), nullable=False, server_default="false"))
    op.execute(
        "UPDATE leaderboard_entries e SET submitted = s.created, number = s.number, is_baseline = s.is_baseline "
        "FROM submissions s WHERE s.id = e.submission_id"
    )
    for column in ("submitted", "number"):
        op.alter_column(_TABLE, column, nullable=False)
    for column in ("is_baseline", "is_withdrawn"):
        op.alter_column(_TABLE, column, server_default=None)
    op.create_table(
        "phase_boards",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["phases.id"], name="fk_phase_boards_phase_id_phases", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("phase_id", name="pk_phase_boards"),
    )
    op.execute(
        "INSERT INTO phase_boards (phase_id, version, moment, changed, rows) "
        "SELECT phase_id, 1, max(since), max(since), count(*) FROM leaderboard_entries GROUP BY phase_id"
    )
    _fill_sort_keys()
    _create_indexes()


def _create_indexes() -> None:
    op.create_index(
        "uq_leaderboard_entries_phase_id_submission_id",
        _TABLE,
        ["phase_id", "submission_id"],
        unique=True,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "ix_leaderboard_entries_order",
        _TABLE,
        ["phase_id", "sort_key", "submitted", "number"],
        postgresql_include=["is_baseline", "id"],
        postgresql_where=_LIVE,
    )
    op.create_index("ix_leaderboard_entries_phase_id_person_id_since", _TABLE, ["phase_id", "person_id", "since"])
    op.create_index(
        "ix_leaderboard_entries_period",
        _TABLE,
        [sa.text("tstzrange(since, until)")],
        postgresql_using="gist",
        postgresql_where=sa.text("until IS NOT NULL"),
    )
    op.create_index(
        "ix_leaderboard_entries_firsts", _TABLE, ["phase_id", "since"], postgresql_where=sa.text("rank = 1")
    )
    op.create_check_constraint(op.f("ck_leaderboard_entries_ends_after_it_begins"), _TABLE, "until > since")
    for name, columns in (
        ("ix_submissions_scored_phase_id_person_id_ended", ["phase_id", "person_id", "ended"]),
        ("ix_submissions_scored_phase_id_created", ["phase_id", "created"]),
    ):
        op.create_index(name, "submissions", columns, postgresql_where=_SCORED)


def _fill_sort_keys() -> None:
    """Make the keys of what stands there. As they were made when this was written, whatever Podium does later."""
    connection = op.get_bind()
    boards = connection.execute(
        sa.text(
            "SELECT l.competition_id, l.primary_index, c.* FROM leaderboards l JOIN columns c ON c.leaderboard_id = l.id "
            "WHERE l.position = 0 ORDER BY l.competition_id, c.index"
        )
    ).mappings()
    columns: dict[Any, list[Mapping[str, Any]]] = {}
    for column in boards:
        columns.setdefault(column["competition_id"], []).append(dict(column))
    rows = connection.execute(
        sa.text("SELECT e.id, e.scores, p.competition_id FROM leaderboard_entries e JOIN phases p ON p.id = e.phase_id")
    ).all()
    keys = [{"id": row.id, "key": _sort_key(columns.get(row.competition_id, []), row.scores)} for row in rows]
    if keys:
        connection.execute(
            sa.text("UPDATE leaderboard_entries SET sort_key = CAST(:key AS double precision[]) WHERE id = :id"), keys
        )


def _sort_key(columns: Sequence[Mapping[str, Any]], scores: Sequence[float | None]) -> list[float] | None:
    if not columns:
        return None
    primary = next((at for at, one in enumerate(columns) if one["index"] == one["primary_index"]), 0)
    order = [primary]
    order += [
        at for at, one in enumerate(columns) if at != primary and not one["hidden"] and not one["exclude_from_ranking"]
    ]
    key = []
    for at in order:
        value, column = scores[at], columns[at]
        if value is None or not math.isfinite(value):
            key.append(math.inf)
            continue
        signed = value if column["sorting"] == "asc" else -value
        digits = column["ranking_precision"]
        key.append(signed if digits is None else round(signed, digits))
    return None if key[0] == math.inf else key


def downgrade() -> None:
    for name in ("ix_submissions_scored_phase_id_created", "ix_submissions_scored_phase_id_person_id_ended"):
        op.drop_index(name, "submissions")
    op.execute("DELETE FROM leaderboard_entries WHERE until IS NOT NULL")
    op.drop_table("phase_boards")
    op.drop_constraint("ck_leaderboard_entries_ends_after_it_begins", _TABLE)
    for name in ("order", "phase_id_person_id_since", "period", "firsts"):
        op.drop_index(f"ix_leaderboard_entries_{name}", _TABLE)
    op.drop_index("uq_leaderboard_entries_phase_id_submission_id", _TABLE)
    op.drop_constraint("pk_leaderboard_entries", _TABLE)
    for column in ("id", "sort_key", "submitted", "number", "is_baseline", "rank", "until", "is_withdrawn"):
        op.drop_column(_TABLE, column)
    op.alter_column(_TABLE, "since", new_column_name="updated")
    op.create_primary_key("pk_leaderboard_entries", _TABLE, ["phase_id", "submission_id"])
    op.create_index("ix_leaderboard_entries_phase_id_person_id", _TABLE, ["phase_id", "person_id"])
