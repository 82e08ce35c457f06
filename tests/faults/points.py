"""The points of a submission's life, and waiting for one of them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import psycopg

_LOOK_SECONDS = 0.004
_PATIENCE_SECONDS = 20.0


class Point(StrEnum):
    """Where a submission is when something breaks."""

    SUBMITTED = "submitted"  # created; its file is on the way
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    SCORING = "scoring"
    RESULT = "result"  # scored; outputs and the result are on their way to the gateway


_SPREAD = {
    Point.SUBMITTED: 0.2,
    Point.QUEUED: 0.4,
    Point.PREPARING: 0.05,
    Point.RUNNING: 1.0,
    Point.SCORING: 0.35,
    Point.RESULT: 0.06,
}
"""About how long each lasts: something breaks at a random moment of it."""


def wait_for_point(
    point: Point, connection: psycopg.Connection, attempts: Path, before: set[UUID], chance: random.Random
) -> UUID | None:
    """Wait until a submission, none of those before, is at a point, and then for a random part of it.

    Returns:
        The submission, or nothing where its id could not be told from its files.
    """
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = _in_upload(attempts, connection) if point is Point.RESULT else _in_status(point, connection, before)
        if found:
            break
        assert time.monotonic() < give_up, f"no submission was ever {point}"
        time.sleep(_LOOK_SECONDS)
    time.sleep(chance.uniform(0, _SPREAD[point]))
    return found


def point_at(connection: psycopg.Connection, submission: UUID, moment: float) -> str:
    """Where a submission was at a moment, by its events."""
    row = connection.execute(
        "SELECT after FROM events WHERE subject_id = %s AND time <= %s ORDER BY id DESC LIMIT 1",
        (submission, datetime.fromtimestamp(moment, UTC)),
    ).fetchone()
    return str(row[0]) if row else "unknown"


def _in_status(point: Point, connection: psycopg.Connection, before: set[UUID]) -> UUID | None:
    rows: Sequence[tuple[UUID]] = connection.execute(
        "SELECT id FROM submissions WHERE status::text = %s ORDER BY created", (str(point),)
    ).fetchall()
    return next((row[0] for row in rows if row[0] not in before), None)


def _in_upload(attempts: Path, connection: psycopg.Connection) -> UUID | None:
    for file in attempts.glob("*/*/*.upload"):
        row = connection.execute(
            "SELECT submission_id FROM attempts WHERE id = %s AND status = 'active'", (file.parts[-3],)
        ).fetchone()
        if row:
            return UUID(str(row[0]))
    return None
