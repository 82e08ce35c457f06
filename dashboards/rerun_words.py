"""Reruns in words: how far one is, what can be done with it, and what that would mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from podium.dashboards.markup import sentence
from podium.dashboards.waiting import about
from podium.platform.lifecycle import RerunStatus
from podium.platform.records.reruns import RerunPreview, RerunRecord

_NOT_YET = "The old results count until you adopt the new ones."
STATUS_WORDS: Mapping[RerunStatus, str] = MappingProxyType(
    {
        RerunStatus.WAITING: "Begins in a moment.",
        RerunStatus.RUNNING: "Scores, behind all new submissions.",
        RerunStatus.PAUSED: "Paused: what was begun ends, nothing new begins.",
        RerunStatus.READY: f"All are scored. {_NOT_YET}",
        RerunStatus.ADOPTED: "The new results count.",
        RerunStatus.CANCELLED: "Cancelled: nothing of it counts, the old results stay.",
    }
)
MOVING = frozenset({RerunStatus.WAITING, RerunStatus.RUNNING, RerunStatus.PAUSED})
"""Where figures may change by themselves."""


def status_words(rerun: RerunRecord) -> str:
    """Where a rerun is: what the gateway says, else what the status means."""
    if rerun.status is RerunStatus.READY and rerun.status_message:
        return f"{sentence(rerun.status_message)} {_NOT_YET}"
    return rerun.status_message or STATUS_WORDS[rerun.status]


def progress_words(rerun: RerunRecord) -> str:
    """How far it is, such as `40 of 120 done: 38 finished, 2 failed; 4 under way, 26 queued, 50 not begun`."""
    ended = _counted((rerun.finished, "finished"), (rerun.failed, "failed"), (rerun.given_up, "given up"))
    rest = _counted((rerun.under_way, "under way"), (rerun.queued, "queued"), (rerun.waiting, "not begun"))
    done = f"{rerun.ended_ones} of {rerun.total} done"
    return "; ".join(part for part in (f"{done}: {ended}" if ended else done, rest) if part)


def remaining_words(rerun: RerunRecord) -> str:
    """How long it will still take; empty where it takes no more, or nobody can say."""
    if rerun.status not in {RerunStatus.WAITING, RerunStatus.RUNNING} or rerun.remaining_seconds is None:
        return ""
    return f"{about(timedelta(seconds=rerun.remaining_seconds))} left"


def adoption_words(rerun: RerunRecord) -> str:
    """What becomes of its results when all are there."""
    if rerun.status in {RerunStatus.ADOPTED, RerunStatus.CANCELLED}:
        return ""
    return "adopts its results by itself" if rerun.adoption == "automatic" else "waits to be adopted by hand"


def deeds_of(rerun: RerunRecord) -> tuple[str, ...]:
    """What an organizer can do with a rerun now."""
    match rerun.status:
        case RerunStatus.WAITING | RerunStatus.RUNNING:
            return ("pause", "cancel")
        case RerunStatus.PAUSED:
            return ("resume", "cancel")
        case RerunStatus.READY:
            return ("adopt", "cancel")
        case RerunStatus.ADOPTED | RerunStatus.CANCELLED:
            return ()


def adopting_words(rerun: RerunRecord) -> str:
    """What adopting would do."""
    count = rerun.finished + rerun.failed
    kept = f" {rerun.given_up} that could not be scored again keep their old ones." if rerun.given_up else ""
    held_back = f" They were held back: {sentence(rerun.held_back)}" if rerun.held_back else ""
    return (
        f"Adopt rerun {rerun.number}? {_results(count)} {'takes' if count == 1 else 'take'} the place of the old ones, "
        f"all at once, on the leaderboard too.{kept}{held_back} Participants see that they were scored again, and why. "
        "Only another rerun changes them again."
    )


def cancelling_words(rerun: RerunRecord) -> str:
    """What cancelling would throw away."""
    count = rerun.finished + rerun.failed
    lost = "Nothing was scored yet." if not count else f"{_results(count)} {'is' if count == 1 else 'are'} thrown away."
    return f"Cancel rerun {rerun.number}? {lost} The old results stay."


def expected_words(preview: RerunPreview) -> str:
    """How long a rerun would take."""
    if preview.expected_seconds is None:
        return (
            "nobody can say: nothing like it was scored yet" if preview.slots else "nobody can say: no agent is alive"
        )
    return about(timedelta(seconds=preview.expected_seconds))


def slots_words(preview: RerunPreview) -> str:
    """At how many slots a rerun would run."""
    if not preview.slots:
        return "none: no agent is alive"
    if preview.parallel is None or preview.parallel >= preview.slots:
        return f"all {preview.slots} when nothing else waits"
    return f"{preview.parallel} of {preview.slots} at most"


def _results(count: int) -> str:
    return f"{count} new result{'' if count == 1 else 's'}"


def _counted(*counts: tuple[int, str]) -> str:
    return ", ".join(f"{count} {word}" for count, word in counts if count)
