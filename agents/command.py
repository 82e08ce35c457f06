"""`podium agent start`: an agent from the command line. Cheap to import: nothing heavy is loaded before it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli import agents as owners

app = typer.Typer(
    help="Take work from a pool on a host that scores; steer the agents of your pools.", no_args_is_help=True
)


def register(parent: typer.Typer) -> None:
    """Add the commands to the command line."""
    owners.add_to(app)
    parent.add_typer(app, name="agent", rich_help_panel="Running the platform")


@app.callback()
def agent() -> None:
    """Take work from a pool on a host that scores; steer the agents of your pools."""


@app.command()
def start(
    *,
    pool: Annotated[
        str | None, typer.Option("--pool", help="The pool to take work from; by default the token's.")
    ] = None,
    gateway: Annotated[str | None, typer.Option("--gateway", help="The gateway's address.")] = None,
    prefect: Annotated[
        str | None, typer.Option("--prefect", help="The address of Prefect's API; by default the gateway's way to it.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option("--token-file", help="A file with the agent's token.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The agent's name; by default the host's.")] = None,
    slots: Annotated[int | None, typer.Option("--slots", min=1, help="Submissions at the same time.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Where it keeps its cache and works.")] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", help="auto, docker, process; none for the platform's own flows.")
    ] = None,
) -> None:
    """Take work until stopped. What is not given here is read from PODIUM_AGENT_... in the environment."""
    if gateway is not None:
        os.environ["PODIUM_GATEWAY"] = gateway
    if prefect is not None:
        os.environ["PREFECT_API_URL"] = prefect
    given = {
        "POOL": pool,
        "TOKEN_FILE": token_file,
        "NAME": name,
        "SLOTS": slots,
        "FOLDER": folder,
        "EXECUTOR": executor,
    }
    os.environ |= {f"PODIUM_AGENT_{key}": str(value) for key, value in given.items() if value is not None}
    from podium.agents.agent import run_agent  # noqa: PLC0415  # pydantic, Docker: only for those who start an agent
    from podium.agents.settings import read_agent_settings  # noqa: PLC0415

    run_agent(read_agent_settings())
