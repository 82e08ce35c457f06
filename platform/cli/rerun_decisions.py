"""`podium rerun pause`, `resume`, `adopt` and `cancel`; what can't be undone is said and asked before it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from podium.platform.cli.listings import show_json
from podium.platform.cli.options import JsonOption, RerunWords, YesOption
from podium.platform.cli.rerun_report import totals_text
from podium.platform.cli.rerun_text import counted, progress_text
from podium.platform.cli.session import competition_and_number, open_client
from podium.platform.cli.terminal import note, printable, require_yes
from podium.platform.errors import Conflict
from podium.platform.lifecycle import LIVE_RERUN_STATUSES, RerunStatus
from podium.platform.records.reruns import RerunRecord

if TYPE_CHECKING:
    from podium.platform.client import Client

_UNDER_WAY = frozenset({RerunStatus.WAITING, RerunStatus.RUNNING, RerunStatus.PAUSED})


def pause(context: typer.Context, number: RerunWords, *, as_json: JsonOption = False) -> None:
    """Begin nothing new of a rerun; what is under way ends."""
    _tell(context, number, lambda client, slug, which: client.pause_rerun(slug, which), "be paused", as_json=as_json)


def resume(context: typer.Context, number: RerunWords, *, as_json: JsonOption = False) -> None:
    """Go on with a rerun that is paused."""
    _tell(context, number, lambda client, slug, which: client.resume_rerun(slug, which), "go on", as_json=as_json)


def _tell(
    context: typer.Context,
    number: Sequence[str],
    call: Callable[[Client, str, int], RerunRecord],
    what: str,
    *,
    as_json: bool,
) -> None:
    competition, which = competition_and_number(number)
    with open_client(context) as client:
        rerun = client.rerun(competition, which)
        if rerun.status not in _UNDER_WAY:
            raise Conflict(
                f"Rerun {which} is {rerun.status.value}, so it can't {what}: everything of it is scored, or it was"
                " cancelled.",
                remedy=f"See it: podium rerun show {competition} {which}",
            )
        rerun = call(client, competition, which)
    if as_json:
        show_json(rerun)
    else:
        note(printable(f"Rerun {rerun.number} of {rerun.competition} is {progress_text(rerun)}"))


def adopt(context: typer.Context, number: RerunWords, *, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Let the new results of a rerun take the place of the old ones, all at once, after showing what changes."""
    competition, which = competition_and_number(number)
    with open_client(context) as client:
        rerun = client.rerun(competition, which)
        if rerun.status is not RerunStatus.READY:
            raise _not_ready(rerun)
        if rerun.held_back:
            note(printable(f"The new results were held back: {rerun.held_back}"))
        note(totals_text(client.rerun_report(competition, which)))
        require_yes("Let the new results take the place of the old ones?", yes=yes)
        rerun = client.adopt_rerun(competition, which)
    if as_json:
        show_json(rerun)
    else:
        note(printable(f"The results of rerun {rerun.number} of {rerun.competition} are the ones that count now"))


def _not_ready(rerun: RerunRecord) -> Conflict:
    which = f"{rerun.competition} {rerun.number}"
    remedies = {
        RerunStatus.WAITING: f"Wait for it: podium rerun show {which} --watch",
        RerunStatus.RUNNING: f"Wait for it: podium rerun show {which} --watch",
        RerunStatus.PAUSED: f"Go on with it first: podium rerun resume {which}",
        RerunStatus.ADOPTED: "Its results count already.",
        RerunStatus.CANCELLED: "Start another: podium rerun start",
    }
    return Conflict(
        f"Rerun {rerun.number} is {rerun.status.value}, and only one that is ready can be adopted.",
        remedy=remedies.get(rerun.status, ""),
    )


def cancel(context: typer.Context, number: RerunWords, *, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Stop a rerun and throw its results away; the old ones stay."""
    competition, which = competition_and_number(number)
    with open_client(context) as client:
        rerun = client.rerun(competition, which)
        if rerun.status not in LIVE_RERUN_STATUSES:
            raise Conflict(
                f"Rerun {rerun.number} is {rerun.status.value}: there is nothing to cancel.",
                remedy="Its results count; another rerun can replace them."
                if rerun.status is RerunStatus.ADOPTED
                else "",
            )
        for line in _loss(rerun):
            note(line)
        require_yes(f"Cancel rerun {rerun.number}?", yes=yes)
        rerun = client.cancel_rerun(competition, which)
    if as_json:
        show_json(rerun)
    else:
        note(printable(f"Rerun {rerun.number} of {rerun.competition} is {rerun.status.value}; the old results stay"))


def _loss(rerun: RerunRecord) -> Iterator[str]:
    if rerun.ended_ones:
        yield f"The new results of {counted(rerun.ended_ones)} are thrown away."
    if rerun.under_way:
        yield f"{counted(rerun.under_way)} under way {'is' if rerun.under_way == 1 else 'are'} stopped."
    if pending := rerun.waiting + rerun.queued:
        yield f"{counted(pending)} {'is' if pending == 1 else 'are'} not scored again."
