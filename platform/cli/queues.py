"""`podium queue`: how a competition's submissions stand in the queue of its pool."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from podium.platform.cli.listings import show_json
from podium.platform.cli.moments import span_text
from podium.platform.cli.options import ORGANIZING, CompetitionArgument, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import printable, say
from podium.platform.records.submissions import QueueRecord


def queue(context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False) -> None:
    """Show what waits for agents, how long it takes, and why nothing is taken where that is so. For organizers."""
    with open_client(context) as client:
        found = client.queue(competition_slug(slug))
    if as_json:
        show_json(found)
        return
    for line in _described(found):
        say(printable(line))


def _described(found: QueueRecord) -> Iterator[str]:
    if found.reason:
        what = "Not everything" if found.agents else "Nothing"
        yield f"{what} can be taken: {found.reason}"
    agents = "1 agent" if found.agents == 1 else f"{found.agents} agents"
    yield f"  pool       {found.pool}: {agents}, {found.slots} at the same time"
    yield f"  queued     {found.queued}"
    if found.queued_reruns:
        yield f"  behind     {found.queued_reruns} of reruns and migrations, which wait for all others"
    if found.oldest_seconds is not None:
        yield f"  oldest     waits for {span_text(found.oldest_seconds)}"
    yield f"  under way  {found.under_way}"
    others = found.queued_in_pool - found.queued - found.queued_reruns
    if others > 0:
        yield f"  others     {others} of other competitions are queued in the pool"
    for phase, seconds in found.typical_seconds.items():
        yield f"  takes      {span_text(seconds)} in phase {phase}"


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("queue", rich_help_panel=ORGANIZING)(queue)
