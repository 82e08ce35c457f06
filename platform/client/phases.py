"""The calls about phases and queues: dates, limits, pauses, extra allowances, and what waits for agents."""

from __future__ import annotations

from datetime import datetime

from podium.platform.client.connection import Calls, segment
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.people import ExtraAllowanceRecord
from podium.platform.records.submissions import QueueRecord


class PhaseCalls(Calls):
    """Phases and queues, for organizers. A `phase` is a phase's number, from 1, or its name."""

    def pause_phase(self, slug: str, phase: str | int, message: str) -> CompetitionRecord:
        """Take no submissions until the phase is resumed; participants are told why. What is queued is scored."""
        return self._change(slug, phase, {"paused": True, "pause_message": message})

    def resume_phase(self, slug: str, phase: str | int) -> CompetitionRecord:
        """Take submissions again."""
        return self._change(slug, phase, {"paused": False})

    def change_phase(
        self,
        slug: str,
        phase: str | int,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        without_end: bool | None = None,
        max_submissions_per_day: int | None = None,
        max_submissions: int | None = None,
        max_concurrent_submissions: int | None = None,
        without_limits: tuple[str, ...] = (),
    ) -> CompetitionRecord:
        """Change a phase; what is not given stays as it is. It holds for submissions from now on.

        Args:
            slug: The competition.
            phase: The phase.
            start: When it begins, aware.
            end: When it ends, aware.
            without_end: Let it have no end, which only the last may.
            max_submissions_per_day: For each participant, and the phase's window.
            max_submissions: For each participant in all.
            max_concurrent_submissions: For each participant at the same time.
            without_limits: Names of the three that are not to be limited.

        Raises:
            InvalidInput: Phases would overlap, or one would end before it begins; every problem is named.
        """
        body: dict[str, object] = {
            "start": None if start is None else start.isoformat(),
            "end": None if end is None else end.isoformat(),
            "without_end": without_end,
            "max_submissions_per_day": max_submissions_per_day,
            "max_submissions": max_submissions,
            "max_concurrent_submissions": max_concurrent_submissions,
            "without_limits": list(without_limits) or None,
        }
        return self._change(slug, phase, body)

    def change_windows(
        self,
        slug: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        registration_start: datetime | None = None,
        registration_end: datetime | None = None,
        unbounded: tuple[str, ...] = (),
    ) -> CompetitionRecord:
        """Change when a competition takes submissions and participants; what is not given stays as it is.

        Args:
            slug: The competition.
            start: Before it nothing may be submitted.
            end: From then on nothing may be submitted.
            registration_start: Before it nobody may join.
            registration_end: From then on nobody may join.
            unbounded: Names of those that are not to bound anything.

        Raises:
            InvalidInput: One would end before it begins.
        """
        given = {
            "start": start,
            "end": end,
            "registration_start": registration_start,
            "registration_end": registration_end,
        }
        body: dict[str, object] = {name: moment.isoformat() for name, moment in given.items() if moment is not None}
        body["unbounded"] = list(unbounded) or None
        return self._record(CompetitionRecord, "PATCH", f"/competitions/{segment(slug)}/windows", body=body)

    def extra_allowances(self, slug: str, phase: str | int) -> tuple[ExtraAllowanceRecord, ...]:
        """What participants of a phase were allowed on top of its limits."""
        return self._records(ExtraAllowanceRecord, f"{_path(slug, phase)}/extra-allowances")

    def allow_extra(
        self,
        slug: str,
        phase: str | int,
        username: str,
        *,
        reason: str,
        per_window: int = 0,
        total: int = 0,
        concurrent: int = 0,
    ) -> ExtraAllowanceRecord:
        """Allow a participant more than the phase does; it takes the place of what they were allowed before.

        Args:
            slug: The competition.
            phase: The phase.
            username: The participant.
            reason: Why, for the organizers and the participant.
            per_window: More within the phase's window, such as a day.
            total: More in all.
            concurrent: More at the same time.

        Raises:
            NotFound: They don't take part.
        """
        body = {"per_window": per_window, "total": total, "concurrent": concurrent, "reason": reason}
        path = f"{_path(slug, phase)}/extra-allowances/{segment(username)}"
        return self._record(ExtraAllowanceRecord, "PUT", path, body=body, is_repeatable=True)

    def queue(self, slug: str) -> QueueRecord:
        """How a competition's submissions stand in the queue of its pool."""
        return self._record(QueueRecord, "GET", f"/competitions/{segment(slug)}/queue")

    def _change(self, slug: str, phase: str | int, body: dict[str, object]) -> CompetitionRecord:
        return self._record(CompetitionRecord, "PATCH", _path(slug, phase), body=body)


def _path(slug: str, phase: str | int) -> str:
    return f"/competitions/{segment(slug)}/phases/{segment(phase)}"
