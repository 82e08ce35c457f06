"""`podium bundle check`: a bundle's problems, without a gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.bundles.report import problems_json, problems_text
from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.options import ORGANIZING, JsonOption
from podium.platform.cli.terminal import printable, say
from podium.platform.errors import NotFound


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A bundle: a folder or a zip.")],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find everything that is wrong with a bundle, by file and line. Exit status 1 where it would be refused."""
    # Imported here: reading a bundle needs PyYAML, which a participant's installation lacks.
    from podium.platform.bundles.reader import read_bundle  # noqa: PLC0415

    if not path.exists():
        raise NotFound(f"There is no file or folder {path}.", remedy="Check the path.")
    with read_bundle(path) as reading:
        problems = reading.problems
        is_bad = reading.refused or (strict and bool(problems))
    say(json.dumps(problems_json(problems), indent=2) if as_json else printable(problems_text(problems)))
    raise typer.Exit(ExitCode.JUDGED_BAD if is_bad else ExitCode.OK)


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    group = typer.Typer(help="Work on a bundle, without a gateway.")
    # A callback keeps `check` a command of its own while it is the only one.
    group.callback()(lambda: None)
    group.command("check")(check)
    app.add_typer(group, name="bundle", no_args_is_help=True, rich_help_panel=ORGANIZING)
