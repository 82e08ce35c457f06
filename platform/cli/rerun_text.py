"""Reruns in words: what one would do, where one is, and what that means for the exit status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.listings import shown_time
from podium.platform.cli.moments import span_text
from podium.platform.cli.terminal import printable
from podium.platform.lifecycle import LIVE_RERUN_STATUSES, RerunStatus
from podium.platform.records.reruns import LeftOut, RerunPreview, RerunRecord

_NAMED = 10
"""Submissions of one reason that are named; JSON has them all."""


def counted(number: int, what: str = "submission") -> str:
    """So many of a thing."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def preview_text(preview: RerunPreview) -> Iterator[str]:
    """What a rerun would do, in lines."""
    yield printable(f"{counted(preview.total)} of {preview.competition} would be scored again")
    for phase in preview.phases:
        takes = "" if phase.typical_seconds is None else f", about {span_text(phase.typical_seconds)} each"
        yield printable(f"  phase    {phase.phase}: {counted(phase.submissions)}{takes}")
    if preview.total:
        yield f"  takes    {_takes(preview)}"
    yield from (printable(f"  changed  {task}") for task in preview.changed_tasks)
    if preview.total and not preview.changed_tasks:
        yield "  changed  no task: all were scored by the versions that they would be scored by now"
    yield from _left_out_text(preview.left_out, preview.left_out_total)


def _takes(preview: RerunPreview) -> str:
    if not preview.slots:
        return "nobody can say: no agent of the pool is running, so it would wait for one"
    at_once = preview.slots if preview.parallel is None else min(preview.parallel, preview.slots)
    spread = f"{at_once} of {preview.slots} slots" if at_once < preview.slots else counted(at_once, "slot")
    if preview.expected_seconds is None:
        return f"nobody can say yet, on {spread}"
    return f"about {span_text(preview.expected_seconds)} on {spread}, behind what is submitted meanwhile"


def _left_out_text(left_out: Sequence[LeftOut], total: int) -> Iterator[str]:
    reasons: dict[str, list[LeftOut]] = {}
    for one in left_out:
        reasons.setdefault(one.reason, []).append(one)
    for reason, those in reasons.items():
        numbers = ", ".join(str(one.number) for one in those[:_NAMED])
        more = f" and {len(those) - _NAMED} more" if len(those) > _NAMED else ""
        yield printable(f"  not      {numbers}{more}: {reason}")
    if total > len(left_out):
        yield f"  not      {total - len(left_out):,} others"


def rerun_text(rerun: RerunRecord) -> Iterator[str]:
    """A rerun, in lines."""
    yield printable(f"Rerun {rerun.number} of {rerun.competition}, by {rerun.requested_by}: {rerun.selection}")
    yield printable(f"  reason   {rerun.reason}")
    yield f"  status   {printable(progress_text(rerun))}"
    if rerun.held_back:
        yield printable(f"  held     {rerun.held_back}")
    yield f"  created  {shown_time(rerun.created)}"
    if rerun.ended:
        yield f"  ended    {shown_time(rerun.ended)}"
    if rerun.parallel is not None:
        yield f"  limit    {rerun.parallel} at the same time"
    yield from (f"  next     {line}" for line in _next_steps(rerun))


def progress_text(rerun: RerunRecord) -> str:
    """Where a rerun is, in a line."""
    parts = [f"{rerun.status.value}, {rerun.ended_ones:,} of {rerun.total:,} scored"]
    counts = (("failed", rerun.failed), ("given up", rerun.given_up), ("under way", rerun.under_way))
    parts += [f"{number:,} {what}" for what, number in counts if number]
    if rerun.remaining_seconds is not None and rerun.status in (RerunStatus.WAITING, RerunStatus.RUNNING):
        parts.append(f"about {span_text(rerun.remaining_seconds)} left")
    text = ", ".join(parts)
    return f"{text}: {rerun.status_message}" if rerun.status_message else text


def _next_steps(rerun: RerunRecord) -> Iterator[str]:
    which = f"{rerun.competition} {rerun.number}"
    if rerun.status is RerunStatus.READY:
        yield f"compare: podium rerun report {which}"
        yield f"let the new results count: podium rerun adopt {which}"
        yield f"or throw them away: podium rerun cancel {which}"
    elif rerun.status is RerunStatus.PAUSED:
        yield f"go on: podium rerun resume {which}"
    elif rerun.status in LIVE_RERUN_STATUSES:
        yield f"follow: podium rerun show {which} --watch"


def exit_code_for(rerun: RerunRecord) -> ExitCode:
    """How a command that waited for a rerun ends: well where its results count, or wait as was asked for."""
    waits = rerun.status is RerunStatus.READY and rerun.adoption == "manual" and not rerun.held_back
    return ExitCode.OK if rerun.status is RerunStatus.ADOPTED or waits else ExitCode.JUDGED_BAD
