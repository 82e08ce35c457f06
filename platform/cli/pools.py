"""`podium pools` and `podium pool`: whose hosts run submissions, who uses them, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from podium.platform.cli.agents import AGENT_FIELDS, wait_until_idle
from podium.platform.cli.listings import Field, Form, form_of, show_json, show_list
from podium.platform.cli.moments import span_text
from podium.platform.cli.options import ORGANIZING, CsvOption, JsonOption, TimeoutOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.records.pools import PastAttempt, PoolRecord, PoolView

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The pool.")]
UserArgument = Annotated[str, typer.Argument(metavar="USERNAME", help="An organizer.")]

_FIELDS: Sequence[Field[PoolRecord]] = (
    Field("name", lambda one: one.name),
    Field("owner", lambda one: one.owner or "the platform"),
    Field("public", lambda one: one.public or one.owner is None),
    Field("state", lambda one: "cordoned" if one.cordoned else "open"),
    Field("runtime", lambda one: one.runtime),
    Field("agents", lambda one: one.agents, is_number=True),
    Field("queued", lambda one: one.queued, is_number=True),
)
_ATTEMPT_FIELDS: Sequence[Field[PastAttempt]] = (
    Field("started", lambda one: one.started, may_wrap=True),
    Field("submission", lambda one: f"{one.competition} #{one.number}"),
    Field("attempt", lambda one: one.attempt, is_number=True),
    Field("agent", lambda one: one.agent, may_wrap=True),
    Field("outcome", lambda one: one.status),
    Field("took", lambda one: "" if one.seconds is None else span_text(one.seconds)),
    Field("message", lambda one: one.message, may_wrap=True),
)


def pools(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List the pools that you may use, their live agents and their queues; all of them for administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.pools()
    show_list(found, _FIELDS, form, empty="There are no pools.")


def create_pool(
    context: typer.Context,
    name: NameArgument,
    *,
    public: Annotated[bool, typer.Option("--public", help="Let any organizer use it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a pool for hosts of your own."""
    with open_client(context) as client:
        pool = client.create_pool(name, public=public)
    if as_json:
        show_json(pool)
        return
    say(printable(pool.name))
    note(f"Its agents need a token: podium agent token create --pool {printable(pool.name)} --name HOST")


def show_pool(context: typer.Context, name: NameArgument, *, as_json: JsonOption = False) -> None:
    """Show a pool of yours: its agents, its queue, and what its agents did lately."""
    with open_client(context) as client:
        view = client.pool(name)
    if as_json:
        show_json(view)
        return
    for line in _described(view):
        say(printable(line))
    say("")
    show_list(view.agents, AGENT_FIELDS, Form.TABLE, empty="No agent has been seen.")
    say("")
    show_list(view.attempts, _ATTEMPT_FIELDS, Form.TABLE, empty="Its agents have scored nothing yet.")


def _described(view: PoolView) -> Iterator[str]:
    pool = view.pool
    alive = [one for one in view.agents if one.alive]
    held, slots = sum(len(one.runs) for one in alive), sum(one.slots for one in alive)
    yield f"{pool.name}, {'open to any organizer' if pool.public else 'private'}"
    if pool.cordoned:
        yield f"  cordoned      since {pool.cordoned:%Y-%m-%d %H:%M} UTC: its agents take nothing new"
    yield f"  owner         {pool.owner or 'the platform'}"
    yield f"  shared with   {', '.join(view.users) or 'nobody'}"
    yield f"  competitions  {', '.join(view.competitions) or 'none'}"
    yield f"  queued        {pool.queued}"
    if view.oldest_seconds is not None:
        yield f"  oldest        waits for {span_text(view.oldest_seconds)}"
    yield f"  under way     {held} of {slots} at the same time"
    ended = ", ".join(f"{count} {status}" for status, count in view.outcomes.items())
    yield f"  last 24 hours {ended or 'nothing ended'}"
    if view.median_seconds is not None:
        yield f"  takes         {span_text(view.median_seconds)} in the middle"


def set_pool(
    context: typer.Context,
    name: NameArgument,
    *,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime",
            metavar="NAME",
            help="The engine's runtime, such as runsc; '' for each host's default.",
            show_default=False,
        ),
    ] = None,
    public: Annotated[
        bool | None,
        typer.Option("--public/--private", help="Let any organizer use it, or not.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which runtime of the engine a pool's containers run with, and who may use it."""
    if runtime is None and public is None:
        raise typer.BadParameter("Say what to set: --runtime NAME, --public, or --private.")
    with open_client(context) as client:
        pool = client.change_pool(name, runtime=runtime, public=public)
    if as_json:
        show_json(pool)
        return
    if runtime is not None:
        words = f"with the runtime {pool.runtime}" if pool.runtime else "with each host's default runtime"
        note(printable(f"Containers of pool {pool.name} run {words}"))
    if public is not None:
        note(printable(f"Pool {pool.name} is {'open to any organizer' if pool.public else 'private'}"))


def share(context: typer.Context, name: NameArgument, username: UserArgument) -> None:
    """Let another organizer use a pool of yours, and see its agents."""
    with open_client(context) as client:
        client.share_pool(name, username)
    note(printable(f"{username} may use {name}"))


def unshare(context: typer.Context, name: NameArgument, username: UserArgument) -> None:
    """Take a pool back. Competitions that use it go on until they are moved."""
    with open_client(context) as client:
        client.unshare_pool(name, username)
    note(printable(f"{username} may not use {name} any more"))


def cordon(context: typer.Context, name: NameArgument) -> None:
    """Have a pool's agents take nothing new. What they run goes on."""
    with open_client(context) as client:
        client.change_pool(name, cordoned=True)
    note(printable(f"Agents of {name} take nothing new"))


def uncordon(context: typer.Context, name: NameArgument) -> None:
    """Have a pool's agents take work again."""
    with open_client(context) as client:
        client.change_pool(name, cordoned=False)
    note(printable(f"Agents of {name} take work"))


def drain(context: typer.Context, name: NameArgument, *, timeout: TimeoutOption = None) -> None:
    """Have a pool's agents take nothing new, and wait until what they run has ended."""
    with open_client(context) as client:
        client.change_pool(name, cordoned=True)
        wait_until_idle(client, name, None, timeout)
    note(printable(f"Agents of {name} run nothing, and take nothing new"))


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("pools", rich_help_panel=ORGANIZING)(pools)
    group = typer.Typer(help="Make pools for hosts of your own, share and steer them.")
    for name, command in (
        ("create", create_pool),
        ("show", show_pool),
        ("set", set_pool),
        ("share", share),
        ("unshare", unshare),
        ("cordon", cordon),
        ("uncordon", uncordon),
        ("drain", drain),
    ):
        group.command(name)(command)
    app.add_typer(group, name="pool", no_args_is_help=True, rich_help_panel=ORGANIZING)
