"""What organizers should look at, from the figures of their competition: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podium.platform.quantities import Unit, shown_amount
from podium.platform.records.organizing import Blame, FailureCount, HealthWarning, RepeatedError
from podium.platform.records.submissions import QueueRecord

LONG_WAIT_SECONDS = 1800.0
NEARLY_FULL = 0.9
REPEATED = 3
"""From so many failures with the same words on it is told."""
_MANY_FAIL = 0.5
_MANY_OF = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to judge. Times are in seconds, room in bytes; counts are of the last day."""

    queue: QueueRecord
    failures: tuple[FailureCount, ...]
    repeated: tuple[RepeatedError, ...]
    ended: int
    lost_attempts: int
    pending_participants: int
    used_bytes: int
    quota_bytes: int
    paused_phases: tuple[str, ...]
    published: bool


def warnings_of(figures: Figures) -> Iterator[HealthWarning]:
    """What to look at, the gravest first, each with what to do."""
    yield from _of_queue(figures.queue)
    yield from _of_failures(figures)
    yield from _of_room(figures)
    if figures.pending_participants:
        count = figures.pending_participants
        yield HealthWarning(
            f"{_people(count)} for your approval.", "They can't submit until you decide.", "participants"
        )
    for name in figures.paused_phases:
        yield HealthWarning(f"{name} is paused: nobody can submit to it.", "Resume it when it may go on.", "phases")
    if not figures.published:
        yield HealthWarning("Only organizers see this competition: it is a draft.", "Publish it.", "edit")


def _of_queue(queue: QueueRecord) -> Iterator[HealthWarning]:
    waiting = queue.queued + queue.queued_reruns
    if queue.reason:
        remedy = "Start an agent, or ask the operator of the pool." if not queue.agents else "See the pool's agents."
        words = f"{waiting} wait and none is taken. {queue.reason}" if waiting else queue.reason
        yield HealthWarning(words, remedy, "queue")
    elif queue.oldest_seconds is not None and queue.oldest_seconds > LONG_WAIT_SECONDS:
        yield HealthWarning(
            f"The first in the queue has waited for {int(queue.oldest_seconds // 60)} minutes.",
            f"The pool '{queue.pool}' has {queue.slots} slots and {queue.queued_in_pool} queued: it needs more agents.",
            "queue",
        )


def _of_failures(figures: Figures) -> Iterator[HealthWarning]:
    for one in figures.repeated:
        named = ", ".join(f"#{number}" for number in one.numbers)
        words = f"{one.count} submissions of {_many(one.participants)} failed with the same words: “{one.message}”"
        yield HealthWarning(
            words,
            f"Open one ({named}): the scoring program or the description of the format may be at fault. "
            "A new version of the task and a rerun mend it for all.",
            "submissions",
        )
    platform = sum(one.count for one in figures.failures if one.blame is Blame.PLATFORM)
    if platform:
        its = "1 submission failed through no fault of its own."
        theirs = f"{platform} submissions failed through no fault of their own."
        yield HealthWarning(
            its if platform == 1 else theirs,
            "Score again what the platform failed; participants lost nothing of their limits.",
            "reruns",
        )
    own = sum(one.count for one in figures.failures if one.blame is Blame.SUBMISSION)
    if figures.ended >= _MANY_OF and own > _MANY_FAIL * figures.ended:
        yield HealthWarning(
            f"{own} of {figures.ended} submissions of the last day failed.",
            "Perhaps the pages don't say clearly what to submit, or a limit is too tight.",
            "edit",
        )
    if figures.lost_attempts >= REPEATED:
        yield HealthWarning(
            f"{figures.lost_attempts} tries of the last day were lost and made again.",
            "An agent may be short of memory or disk: see the pool's agents.",
            "queue",
        )


def _of_room(figures: Figures) -> Iterator[HealthWarning]:
    used, quota = figures.used_bytes, figures.quota_bytes
    if used <= NEARLY_FULL * quota:
        return
    said = f"{shown_amount(used, Unit.BYTES)} of {shown_amount(quota, Unit.BYTES)}"
    what = "are used up: new results can't be kept" if used > quota else "are taken"
    yield HealthWarning(
        f"{said} of the owner's room {what}.",
        "`podium storage files` lists what can be removed; or ask the operator for more.",
        "tasks",
    )


def _people(count: int) -> str:
    return "1 person waits" if count == 1 else f"{count} people wait"


def _many(participants: int) -> str:
    return "1 participant" if participants == 1 else f"{participants} participants"
