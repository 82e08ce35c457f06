"""`podium allowance`: whether one may submit now, and what is left."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.listings import show_json, shown_time
from podium.platform.cli.options import TAKING_PART, CompetitionArgument, JsonOption, PhaseOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import printable, say
from podium.platform.records.people import Allowance, ExtraAllowanceRecord


def allowance(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    phase: PhaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whether you may submit now, and what is left. Exit status 6 where you may not."""
    with open_client(context) as client:
        competition = competition_slug(slug)
        found = client.allowance(competition, phase)
    if as_json:
        show_json(found)
    else:
        for line in _described(found, competition):
            say(line)
    raise typer.Exit(ExitCode.OK if found.can else ExitCode.CONFLICT)


def _described(found: Allowance, competition: str) -> Iterator[str]:
    where = f"{competition}, phase {found.phase}" if found.phase else competition
    yield printable(f"You may submit to {where}." if found.can else f"You can't submit to {where}: {found.reason}")
    counts = ((found.left_in_window, found.window), (found.left_total, "in all"), (found.left_at_once, "at a time"))
    left = [f"{count} {span}" for count, span in counts if count is not None]
    if left or found.can:
        yield printable(f"  left     {', '.join(left) or 'no limit'}")
    if found.changes:
        yield f"  {'changes ' if found.can else 'again   '} {shown_time(found.changes)}"
    if found.extra and (more := extra_text(found.extra, found.window)):
        yield printable(f"  extra    {more}: {found.extra.reason}")


def extra_text(extra: ExtraAllowanceRecord, window: str) -> str:
    """What somebody was allowed on top, in a few words; empty where it is nothing any more.

    Args:
        window: What the phase counts in, in words such as `a day (UTC)`.
    """
    counts = ((extra.per_window, window), (extra.total, "in all"), (extra.concurrent, "at a time"))
    return ", ".join(f"{count} more {span}" for count, span in counts if count)


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("allowance", rich_help_panel=TAKING_PART)(allowance)
