"""What an organizer changes about a phase: only that goes to the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from podium.platform.records.competitions import PhaseRecord


class Changes(TypedDict, total=False):
    """The arguments of `change_phase`."""

    end: datetime
    without_end: bool
    max_submissions_per_day: int
    max_submissions: int
    max_concurrent_submissions: int
    without_limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """A phase as a form has it: `None` is no end, or no limit."""

    end: datetime | None
    per_window: int | None
    total: int | None
    at_once: int | None


def as_edited(phase: PhaseRecord) -> Edited:
    """A phase as the form first shows it, its end to the minute."""
    return Edited(
        end=None if phase.end is None else phase.end.astimezone(UTC).replace(second=0, microsecond=0),
        per_window=phase.max_submissions_per_day,
        total=phase.max_submissions,
        at_once=phase.max_concurrent_submissions,
    )


def changes_of(phase: PhaseRecord, edited: Edited) -> Changes:
    """What differs from the phase; empty where nothing does."""
    before, changes = as_edited(phase), Changes()
    if edited.end != before.end:
        if edited.end is None:
            changes["without_end"] = True
        else:
            changes["end"] = edited.end
    if edited.per_window is not None and edited.per_window != before.per_window:
        changes["max_submissions_per_day"] = edited.per_window
    if edited.total is not None and edited.total != before.total:
        changes["max_submissions"] = edited.total
    if edited.at_once is not None and edited.at_once != before.at_once:
        changes["max_concurrent_submissions"] = edited.at_once
    lifted = (
        ("max_submissions_per_day", before.per_window, edited.per_window),
        ("max_submissions", before.total, edited.total),
        ("max_concurrent_submissions", before.at_once, edited.at_once),
    )
    without = tuple(name for name, old, new in lifted if old is not None and new is None)
    if without:
        changes["without_limits"] = without
    return changes
