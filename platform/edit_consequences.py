"""What a change of a competition's content means, for people and for what is under way: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from podium.platform.bundles.content import CompetitionContent, PhaseContent
from podium.platform.bundles.dates import show_date

_LIMITS = ("max_submissions_per_day", "max_submissions", "max_concurrent_submissions")
_RUNS = ("execution_time_limit", "limits")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What there is at the moment of a change.

    Attributes:
        participants: Those who may submit.
        waiting: Submissions that are queued.
        under_way: Submissions that have begun and not ended, and those whose file is on its way.
    """

    moment: datetime
    participants: int
    waiting: int
    under_way: int


def consequences_of(
    before: CompetitionContent, after: CompetitionContent, circumstances: Circumstances
) -> Iterator[str]:
    """What follows from a change, a sentence each; nothing where it only changes words."""
    if before.terms != after.terms:
        yield _of_terms(circumstances.participants)
    for old, new in zip(before.phases, after.phases, strict=True):
        yield from _of_phase(old, new, circumstances.moment)
    runs_differ = before.docker_image != after.docker_image or any(
        getattr(old, name) != getattr(new, name)
        for old, new in zip(before.phases, after.phases, strict=True)
        for name in _RUNS
    )
    if runs_differ:
        yield _of_runs(circumstances)
    if before.registration_auto_approve != after.registration_auto_approve:
        yield (
            "Whoever joins from now on may submit at once; who waits for approval still waits."
            if after.registration_auto_approve
            else "Whoever joins from now on waits for your approval; who takes part already goes on."
        )
    yield from _of_boards(before, after)


def _of_terms(participants: int) -> str:
    if not participants:
        return "Nobody takes part yet, so nobody is asked to accept the new terms again."
    who = "The one participant" if participants == 1 else f"Each of the {participants} participants"
    return f"{who} has to accept the new terms before submitting again. What was submitted is scored all the same."


def _of_phase(old: PhaseContent, new: PhaseContent, moment: datetime) -> Iterator[str]:
    was, is_now = _is_open(old, moment), _is_open(new, moment)
    if was and not is_now:
        yield f"{new.name} takes no submissions any more as soon as this is saved. What was submitted is scored."
    elif is_now and not was:
        until = f", until {show_date(new.end)}" if new.end else ""
        yield f"{new.name} takes submissions as soon as this is saved{until}."
    elif was and old.end != new.end and new.end:
        yield f"{new.name} takes submissions until {show_date(new.end)}."
    if any(getattr(old, name) != getattr(new, name) for name in _LIMITS):
        yield f"The new limits of {new.name} hold for submissions from now on; what was submitted before counts."


def _of_runs(circumstances: Circumstances) -> str:
    waiting, under_way = circumstances.waiting, circumstances.under_way
    if not waiting and not under_way:
        return "The new image and limits hold for what is scored from now on; nothing is scored again."
    return (
        f"The new image and limits hold for the {waiting} that are queued and for what comes after; "
        f"the {under_way} under way go on as they began. Nothing is scored again."
    )


def _of_boards(before: CompetitionContent, after: CompetitionContent) -> Iterator[str]:
    for old, new in zip(before.leaderboards, after.leaderboards, strict=True):
        if old.hidden != new.hidden:
            yield (
                f"Only organizers see the leaderboard “{new.title}” from now on."
                if new.hidden
                else f"Everyone who sees the competition sees the leaderboard “{new.title}” from now on."
            )
        for was, column in zip(old.columns, new.columns, strict=True):
            if was.hidden != column.hidden:
                yield (
                    f"Only organizers see the column “{column.title}” from now on."
                    if column.hidden
                    else f"Everyone who sees the leaderboard sees the column “{column.title}” from now on."
                )


def _is_open(phase: PhaseContent, moment: datetime) -> bool:
    return phase.start <= moment and (phase.end is None or moment < phase.end)
