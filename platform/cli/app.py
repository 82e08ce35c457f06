"""The command line `podium`, put together from its groups of commands.

Nothing heavy is imported before a command needs it: `podium --help` must be quick, and a participant's installation
has neither a server's libraries nor an agent's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
import typer.main

from podium.platform.cli import (
    agents,
    allowances,
    audit,
    bundles,
    collaborators,
    competitions,
    downloads,
    images,
    leaderboards,
    mail,
    offers,
    participants,
    people,
    phases,
    pools,
    queues,
    reruns,
    scaling,
    settings_commands,
    signing_in,
    storage,
    submissions,
    submitting,
    tasks,
    teams,
)
from podium.platform.cli.exit_codes import ExitCode, exit_code_table
from podium.platform.cli.failures import show_error, show_unexpected
from podium.platform.cli.options import OPERATING
from podium.platform.cli.session import Chosen
from podium.platform.cli.terminal import forgive_encoding, note, say
from podium.platform.errors import PodiumError

# In the order of `podium --help`.
_GROUPS = (
    competitions,
    collaborators,
    phases,
    participants,
    queues,
    tasks,
    reruns,
    mail,
    audit,
    teams,
    submitting,
    allowances,
    submissions,
    downloads,
    offers,
    leaderboards,
    storage,
    signing_in,
    settings_commands,
    bundles,
    people,
    pools,
    agents,
    scaling,
    images,
)
# Of the platform and of agents; each has a `register` too, and imports what it needs when it is run.
_ELSEWHERE = ("podium.platform.cli.platform_commands", "podium.agents.command")


def _show_version(*, value: bool) -> None:
    if value:
        say(f"podium {version('podium')}")
        raise typer.Exit


def _root(
    context: typer.Context,
    *,
    gateway: Annotated[
        str | None,
        typer.Option("--gateway", metavar="URL", help="The gateway; else $PODIUM_GATEWAY, else where you signed in."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="A file with your token; else $PODIUM_TOKEN, else saved."),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Data-science competitions: join, submit, follow, and organize your own."""
    context.obj = Chosen(gateway, token_file)


@cache
def create_app() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="podium",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=exit_code_table(),
    )
    app.callback(epilog=exit_code_table())(_root)
    for group in _GROUPS:
        group.register(app)
    for name in _ELSEWHERE:
        if _is_there(name):
            import_module(name).register(app)
    for command in app.registered_commands:
        command.rich_help_panel = _panel(command.rich_help_panel)
    for subcommands in app.registered_groups:
        subcommands.rich_help_panel = _panel(subcommands.rich_help_panel)
    return app


@cache
def create_command() -> Callable[..., object]:
    """The whole command line, ready to be called with `args` and `prog_name`; putting it together takes 0.1 s."""
    return typer.main.get_command(create_app())


def _panel(chosen: str | None) -> str:
    """The heading for a command; what says none belongs to the platform."""
    return chosen if isinstance(chosen, str) else OPERATING


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status; nothing is raised but what ends Python itself."""
    as_json = "--json" in arguments
    try:
        create_command()(args=list(arguments), prog_name="podium")
    except PodiumError as error:
        return show_error(error, as_json=as_json)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        note("Interrupted.")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # a person should never see a traceback they did not ask for
        return show_unexpected(error)
    return ExitCode.OK


def main() -> None:
    """The console script."""
    forgive_encoding()
    sys.exit(run(sys.argv[1:]))
