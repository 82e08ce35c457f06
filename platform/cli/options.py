"""Options and arguments that mean the same in every command."""

from __future__ import annotations

from typing import Annotated

import typer

# The headings under which `podium --help` lists its commands.
TAKING_PART = "Taking part"
ORGANIZING = "Organizing"
SIGNING_IN = "Signing in"
OPERATING = "Running the platform"

CompetitionArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[SLUG]", help="The competition; by default the one of `podium config`.", show_default=False
    ),
]
CompetitionOption = Annotated[
    str | None,
    typer.Option(
        "--competition",
        "-c",
        metavar="SLUG",
        help="The competition that a submission's number is from; by default the one of `podium config`.",
        show_default=False,
    ),
]
SubmissionArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The submission's id, or its number in the competition.")
]
PhaseOption = Annotated[
    str | None,
    typer.Option(
        "--phase",
        metavar="PHASE",
        help="A phase, by its number from 1 or its name; by default the one that is open, else the latest.",
        show_default=False,
    ),
]
PhaseWords = Annotated[
    list[str],
    typer.Argument(
        metavar="[SLUG] PHASE",
        help="A phase, by its number from 1 or its name; before it the competition, where it is not the one of"
        " `podium config`.",
    ),
]
RerunWords = Annotated[
    list[str],
    typer.Argument(
        metavar="[SLUG] NUMBER",
        help="A rerun's number; before it the competition, where it is not the one of `podium config`.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Go on without being asked.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for programs; errors too, on stderr.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV, with full precision.")]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait no longer than this.", show_default=False),
]
