"""`podium pools` and `podium pool`: what runs submissions, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.options import OPERATING, CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable
from podium.platform.records import PoolRecord

_FIELDS: Sequence[Field[PoolRecord]] = (
    Field("name", lambda one: one.name),
    Field("runtime", lambda one: one.runtime),
    Field("agents", lambda one: one.agents, is_number=True),
    Field("queued", lambda one: one.queued, is_number=True),
)


def pools(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List the pools, their live agents and their queues. For administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.pools()
    show_list(found, _FIELDS, form, empty="There are no pools.")


def set_pool(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pool.")],
    *,
    runtime: Annotated[
        str,
        typer.Option(
            "--runtime", metavar="NAME", help="The engine's runtime, such as runsc; '' for each host's default."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Say which runtime of the engine a pool's containers run with. For administrators."""
    with open_client(context) as client:
        pool = client.set_runtime(name, runtime)
    if as_json:
        show_json(pool)
        return
    words = f"with the runtime {pool.runtime}" if pool.runtime else "with each host's default runtime"
    note(printable(f"Containers of pool {pool.name} run {words}"))


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("pools", rich_help_panel=OPERATING)(pools)
    group = typer.Typer(help="Set what holds for a pool. For administrators.")
    group.command("set")(set_pool)
    app.add_typer(group, name="pool", no_args_is_help=True, rich_help_panel=OPERATING)
