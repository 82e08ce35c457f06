"""`podium competition windows`: when a competition takes submissions and participants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from podium.platform.cli.competition_text import windows_text
from podium.platform.cli.listings import show_json
from podium.platform.cli.moments import NONE, moment_from
from podium.platform.cli.options import CompetitionArgument, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable


def windows(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="WHEN", help="Take no submissions before it.", show_default=False),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--end", metavar="WHEN", help="Take no submissions from then on.", show_default=False),
    ] = None,
    registration_start: Annotated[
        str | None,
        typer.Option("--registration-start", metavar="WHEN", help="Let nobody join before it.", show_default=False),
    ] = None,
    registration_end: Annotated[
        str | None,
        typer.Option("--registration-end", metavar="WHEN", help="Let nobody join from then on.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change when a competition takes submissions and participants, whatever its phases say.

    WHEN is a date, in UTC where it has no time zone, or `now`; `none` lifts the bound.
    """
    given = {
        "start": start,
        "end": end,
        "registration_start": registration_start,
        "registration_end": registration_end,
    }
    texts = {name: text for name, text in given.items() if text is not None}
    if not texts:
        raise typer.BadParameter("Say what to change: --start, --end, --registration-start or --registration-end.")
    moments: dict[str, datetime] = {
        name: moment_from(text, f"--{name.replace('_', '-')}") for name, text in texts.items() if text != NONE
    }
    unbounded = tuple(name for name, text in texts.items() if text == NONE)
    with open_client(context) as client:
        record = client.change_windows(competition_slug(slug), **moments, unbounded=unbounded)
    if as_json:
        show_json(record)
        return
    words = " ".join(windows_text(record)) or "Nothing but its phases bounds submissions, and anybody may join."
    note(printable(f"{record.summary.slug}: {words}"))
