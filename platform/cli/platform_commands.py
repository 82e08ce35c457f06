"""`podium up`, `podium down` and `podium status` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[
    Path | None,
    typer.Option(
        help="Folder for everything that Podium keeps; by default $PODIUM_STATE, or /var/lib/podium for root.",
        show_default=False,
    ),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default=False)]


def up(
    *,
    state: State = None,
    host: Annotated[str, typer.Option(help="Address that the gateway and the pages listen on.")] = "127.0.0.1",
    gateway_port: Port = None,
    dashboards_port: Port = None,
    prefect_port: Port = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is up.")] = False,
    without: Annotated[
        list[str] | None, typer.Option(metavar="PART", help="Leave a part out; may be repeated.", show_default=False)
    ] = None,
) -> None:
    """Start Podium on this machine: database, Prefect, gateway, agents and pages, all together."""
    # Imported here: the rest of the command line works where no server is installed, and starts quickly.
    from podium.platform.supervisor.commands import up as start  # noqa: PLC0415
    from podium.platform.supervisor.options import UpOptions  # noqa: PLC0415

    options = UpOptions(
        state=state,
        host=host,
        gateway_port=gateway_port,
        dashboards_port=dashboards_port,
        prefect_port=prefect_port,
        detach=detach,
        without=tuple(without or ()),
    )
    raise typer.Exit(start(options))


def down(*, state: State = None) -> None:
    """Stop what `podium up` has started, in order, and wait for it."""
    from podium.platform.supervisor.commands import down as stop  # noqa: PLC0415

    raise typer.Exit(stop(state))


def status(
    *, state: State = None, json: Annotated[bool, typer.Option("--json", help="Write JSON for programs.")] = False
) -> None:
    """Show how each part is. Exit status: 0 all well, 1 something is not, 3 not running."""
    from podium.platform.supervisor.commands import status as show  # noqa: PLC0415

    raise typer.Exit(show(state, as_json=json))


def register(app: typer.Typer) -> None:
    """Add the three commands to an application; it catches `PodiumError` and shows it."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


app = typer.Typer(help="Podium on this machine.", no_args_is_help=True)
register(app)
