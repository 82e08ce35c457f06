"""What organizers change of phases and of a competition's windows while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.errors import InvalidInput
from podium.platform.events import record_event
from podium.platform.models import Competition, Phase, now

LIMITS = ("max_submissions_per_day", "max_submissions", "max_concurrent_submissions")
WINDOWS = {
    "start": "starts",
    "end": "ends",
    "registration_start": "registration_starts",
    "registration_end": "registration_ends",
}
"""Names of a competition's windows, and of the columns that hold them."""
_TIME = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of a phase; `None` leaves a thing as it is.

    Attributes:
        limits: New values by their names in `LIMITS`; a value of `None` is no limit.
        pause_message: Why it is paused, for participants.
    """

    start: datetime | None = None
    end: datetime | None = None
    without_end: bool = False
    limits: Mapping[str, int | None] = field(default_factory=dict)
    paused: bool | None = None
    pause_message: str = ""


def change_phase(session: Session, phase: Phase, change: Change, *, actor: str) -> None:
    """Change a phase, whole or not at all. It holds for what is submitted from now on.

    Raises:
        InvalidInput: Phases would overlap, one would end before it begins, or a pause has no reason; all are named.
    """
    starts = change.start or phase.starts
    ends = None if change.without_end else change.end or phase.ends
    problems = list(_date_problems(phase, starts, ends))
    if change.without_end and change.end is not None:
        problems.append("a phase that has an end is not without one")
    if change.paused and not change.pause_message.strip():
        problems.append("a pause needs a message, which participants are shown")
    if change.pause_message.strip() and not change.paused:
        problems.append("a `pause_message` is shown in a pause alone, and `paused` was not asked for")
    if problems:
        raise InvalidInput(f"Phase '{phase.name}' can't be changed like that: {'; '.join(problems)}.")
    before, was_paused = _described(phase), phase.paused is not None
    phase.starts, phase.ends = starts, ends
    for name, limit in change.limits.items():
        setattr(phase, name, limit)
    if change.paused is not None:
        phase.paused = (phase.paused or now()) if change.paused else None
        phase.pause_message = change.pause_message.strip() if change.paused else ""
    session.flush()
    after = _described(phase)
    if names := [name for name in after if before[name] != after[name]]:
        changed = [f"{name}: {before[name]} → {after[name]}" for name in names]
        audit.note(session, "phase", before=_in_words(before, names), after=_in_words(after, names))
        record_event(
            session,
            subject="phase",
            subject_id=phase.id,
            before=None,
            after="paused" if change.paused else "resumed" if was_paused and change.paused is False else "changed",
            actor=actor,
            reason="; ".join(changed),
        )


def _date_problems(phase: Phase, starts: datetime, ends: datetime | None) -> Sequence[str]:
    """What is wrong with these dates: the phases of a competition follow one another.

    One may begin when the one before ends, as all of CodaLab's do: at that moment the first is over.
    """
    problems = []
    phases = phase.competition.phases
    before = phases[phase.position - 1] if phase.position > 0 else None
    after = phases[phase.position + 1] if phase.position + 1 < len(phases) else None
    if ends is not None and ends <= starts:
        problems.append(f"it would end on {ends:{_TIME}}, and begin on {starts:{_TIME}}")
    if before is not None and before.ends is not None and starts < before.ends:
        problems.append(f"it would begin on {starts:{_TIME}}, and '{before.name}' ends on {before.ends:{_TIME}}")
    if after is not None and ends is None:
        problems.append(f"only the last phase may have no end, and '{after.name}' follows")
    if after is not None and ends is not None and ends > after.starts:
        problems.append(f"it would end on {ends:{_TIME}}, and '{after.name}' begins on {after.starts:{_TIME}}")
    return problems


def _in_words(values: Mapping[str, object], names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {'none' if values[name] is None else values[name]}" for name in names)


def _described(phase: Phase) -> dict[str, Any]:
    dates = {"start": phase.starts, "end": phase.ends}
    return {
        **{name: moment and moment.strftime(_TIME) for name, moment in dates.items()},
        **{name: getattr(phase, name) for name in LIMITS},
        "pause": phase.pause_message if phase.paused else None,
    }


def change_windows(
    session: Session,
    competition: Competition,
    given: Mapping[str, datetime | None],
    *,
    actor: str,
) -> None:
    """Change when a competition takes submissions and participants, whole or not at all.

    Args:
        given: New moments by their names in `WINDOWS`; `None` for one that bounds nothing any more.

    Raises:
        InvalidInput: One would end before it begins; both are named.
    """
    before = {name: getattr(competition, column) for name, column in WINDOWS.items()}
    after = {**before, **given}
    problems = []
    for start, end in (("start", "end"), ("registration_start", "registration_end")):
        begins, ends = after[start], after[end]
        if begins is not None and ends is not None and ends <= begins:
            problems.append(f"`{end}` ({ends:{_TIME}}) is not after `{start}` ({begins:{_TIME}})")
    if problems:
        raise InvalidInput(f"The windows can't be like that: {'; '.join(problems)}.")
    for name, moment in given.items():
        setattr(competition, WINDOWS[name], moment)
    if names := [name for name, moment in after.items() if moment != before[name]]:
        was, is_now = (
            _in_words({name: moment and moment.strftime(_TIME) for name, moment in one.items()}, names)
            for one in (before, after)
        )
        note_competition_change(session, competition, before=was, after=is_now, actor=actor)


def hold_phases(session: Session, competition: Competition) -> None:
    """Let others who move dates at once wait, so that each is checked against the one before; read them as they are."""
    session.execute(
        select(Phase)
        .where(Phase.competition_id == competition.id)
        .order_by(Phase.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def note_competition_change(session: Session, competition: Competition, *, before: str, after: str, actor: str) -> None:
    """Write down what was changed of a competition: for its organizers, and in its history."""
    audit.note(session, "competition", before=before, after=after)
    record_event(
        session,
        subject="competition",
        subject_id=competition.id,
        before=None,
        after="changed",
        actor=actor,
        reason=after[:2000],
    )
