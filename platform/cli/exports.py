"""`podium competition export` and `export-submissions`: a competition, and what was submitted, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.options import CompetitionArgument
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.records.exports import TableForm

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]


def export(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The zip to write; by default SLUG.zip.", show_default=False
        ),
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a competition as a bundle, from which `podium competition create` makes the same again."""
    competition = competition_slug(slug)
    target = output or Path(f"{competition}.zip")
    with open_client(context) as client, shown_progress() as on_progress:
        written = client.export_competition(competition, target, overwrite=overwrite, on_progress=on_progress)
    for warning in written.warnings:
        note(printable(warning))
    say(str(target))


def export_submissions(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="By default SLUG-submissions.csv.", show_default=False),
    ] = None,
    form: Annotated[
        TableForm | None,
        typer.Option("--format", help="By default what the name of the file says, else csv.", show_default=False),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(
            "--phase", metavar="PHASE", help="Of one phase, by its number from 1 or its name.", show_default=False
        ),
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write all submissions with their scores as a table: CSV, or Parquet with types."""
    competition = competition_slug(slug)
    chosen = form or (TableForm.PARQUET if output and output.suffix.lower() == ".parquet" else TableForm.CSV)
    target = output or Path(f"{competition}-submissions.{chosen.value}")
    with open_client(context) as client, shown_progress() as on_progress:
        client.export_submissions(
            competition, target, form=chosen, phase=phase, overwrite=overwrite, on_progress=on_progress
        )
    say(str(target))
