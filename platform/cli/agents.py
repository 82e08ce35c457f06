"""`podium agents`, and what owners of pools do with agents and their tokens: `podium agent cordon`, `agent token`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list, shown_time
from podium.platform.cli.options import ORGANIZING, CsvOption, JsonOption, TimeoutOption
from podium.platform.cli.people import TOKEN_FIELDS
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.records.pools import AgentRecord

if TYPE_CHECKING:
    from podium.platform.client import Client

POLL_SECONDS = 1.0
_LONG = frozenset({"images", "image_aliases"})

AgentArgument = Annotated[str, typer.Argument(metavar="NAME", help="The agent.")]
PoolOption = Annotated[
    str | None,
    typer.Option("--pool", help="Its pool; needed where two pools have an agent of that name.", show_default=False),
]
TokenArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The token's, of `podium agent token list`.")]


def state_of(agent: AgentRecord) -> str:
    """How an agent is, in a word."""
    if not agent.alive:
        return "gone"
    if agent.trouble:
        return "trouble"
    return "cordoned" if agent.cordoned else "ready"


def labels_text(agent: AgentRecord, *, whole: bool = False) -> str:
    """An agent's labels; of those that list images, how many there are."""
    shown = []
    for key, value in sorted(agent.labels.items()):
        if key in _LONG and not whole:
            count = len([name for name in value.split(",") if name])
            shown.append(f"{key}={count}{'+' if value.endswith(',') else ''}")
        else:
            shown.append(f"{key}={value}")
    return ", ".join(shown)


AGENT_FIELDS: Sequence[Field[AgentRecord]] = (
    Field("name", lambda one: one.name, may_wrap=True),
    Field("pool", lambda one: one.pool),
    Field("state", state_of),
    Field("last seen", lambda one: one.last_seen, may_wrap=True),
    Field("slots", lambda one: one.slots, is_number=True),
    Field("runs", lambda one: ", ".join(f"{run.competition} #{run.number}" for run in one.runs), may_wrap=True),
    Field("executor", lambda one: one.executor),
    Field("version", lambda one: one.version),
    Field("labels", labels_text, may_wrap=True),
    Field("trouble", lambda one: one.trouble or one.notice, may_wrap=True),
)


def agents(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List the agents of your pools, and what they run; all of them for administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.agents()
    show_list(found, AGENT_FIELDS, form, empty="No agent has been seen.")


def cordon(context: typer.Context, name: AgentArgument, *, pool: PoolOption = None) -> None:
    """Have an agent take nothing new. What it runs goes on."""
    with open_client(context) as client:
        agent = _find(client, name, pool)
        client.set_agent_cordoned(agent.pool, agent.name, cordoned=True)
    note(printable(f"{agent.name} takes nothing new"))


def uncordon(context: typer.Context, name: AgentArgument, *, pool: PoolOption = None) -> None:
    """Have an agent take work again."""
    with open_client(context) as client:
        agent = _find(client, name, pool)
        client.set_agent_cordoned(agent.pool, agent.name, cordoned=False)
    note(printable(f"{agent.name} takes work"))


def drain(
    context: typer.Context, name: AgentArgument, *, pool: PoolOption = None, timeout: TimeoutOption = None
) -> None:
    """Have an agent take nothing new, and wait until what it runs has ended. Then it can be stopped."""
    with open_client(context) as client:
        agent = _find(client, name, pool)
        client.set_agent_cordoned(agent.pool, agent.name, cordoned=True)
        wait_until_idle(client, agent.pool, agent.name, timeout)
    note(printable(f"{agent.name} runs nothing, and takes nothing new"))


def remove(context: typer.Context, name: AgentArgument, *, pool: PoolOption = None) -> None:
    """Forget an agent that is gone."""
    with open_client(context) as client:
        agent = _find(client, name, pool)
        client.remove_agent(agent.pool, agent.name)
    note(printable(f"{agent.name} is removed"))


def create_token(
    context: typer.Context,
    *,
    pool: Annotated[str, typer.Option("--pool", help="The pool that agents with it take work from.")],
    name: Annotated[str, typer.Option("--name", help="What it is for, such as the host's name.")],
    days: Annotated[int | None, typer.Option("--days", min=1, help="How long it holds.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token for agents of a pool of yours. It is written to stdout, this once."""
    with open_client(context) as client:
        issued = client.issue_agent_token(pool, name, days=days)
        gateway = client.gateway
    if as_json:
        show_json(issued)
        return
    say(issued.secret)
    note(
        f"It is shown this once. On the host: pip install 'podium[agent]', keep it in a file, and "
        f"podium agent start --gateway {gateway} --token-file FILE"
    )


def list_tokens(
    context: typer.Context,
    *,
    pool: Annotated[
        str | None, typer.Option("--pool", help="Of this pool alone; by default of all yours.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the tokens of your pools' agents, and when each was last used."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        pools = [pool] if pool is not None else [one.name for one in client.pools() if one.is_yours]
        found = [token for name in pools for token in client.agent_tokens(name)]
    show_list(found, TOKEN_FIELDS, form, empty="There are no tokens.")


def rotate_token(
    context: typer.Context,
    token_id: TokenArgument,
    *,
    hours: Annotated[
        float, typer.Option("--hours", min=0, max=24 * 90, help="How long the old one stays good.")
    ] = 24.0,
    as_json: JsonOption = False,
) -> None:
    """Make a token in the place of another. Write it into the agent's token file: agents read that again."""
    with open_client(context) as client:
        issued = client.rotate_agent_token(token_id, hours=hours)
    if as_json:
        show_json(issued)
        return
    say(issued.secret)
    note(f"It is shown this once. The old one stays good for {hours:g} hours.")


def revoke_token(context: typer.Context, token_id: TokenArgument) -> None:
    """End an agent's token at once: what was claimed with it is refused, and scored by others."""
    with open_client(context) as client:
        token = client.revoke_agent_token(token_id)
    revoked = shown_time(token.revoked) if token.revoked else ""
    note(printable(f"The token {token.name} is revoked since {revoked}"))


def wait_until_idle(client: Client, pool: str, agent: str | None, timeout: float | None) -> None:
    """Wait until an agent, or every agent of a pool, runs nothing.

    Raises:
        Conflict: It still does when the time is over.
    """
    give_up = None if timeout is None else time.monotonic() + timeout
    said = -1
    while True:
        found = [one for one in client.agents() if one.pool == pool and agent in (None, one.name)]
        running = sum(len(one.runs) for one in found)
        if not running:
            return
        if running != said:
            said = running
            note(f"waits for {running} submission{'' if running == 1 else 's'}")
        if give_up is not None and time.monotonic() >= give_up:
            raise Conflict(f"{running} submissions are still scored.", remedy="Wait longer: it takes nothing new.")
        time.sleep(POLL_SECONDS)


def _find(client: Client, name: str, pool: str | None) -> AgentRecord:
    """The agent of that name.

    Raises:
        NotFound: There is none.
        InvalidInput: Two pools have one.
    """
    found = [one for one in client.agents() if one.name == name and pool in (None, one.pool)]
    if not found:
        raise NotFound(f"You have no agent '{name[:100]}'.", remedy="List them with `podium agents`.")
    if len(found) > 1:
        pools = ", ".join(one.pool for one in found)
        raise InvalidInput(f"Several pools have an agent '{name[:100]}': {pools}.", remedy="Name one with --pool.")
    return found[0]


def add_to(group: typer.Typer) -> None:
    """Add the commands of owners to the group `podium agent`."""
    for name, command in (("cordon", cordon), ("uncordon", uncordon), ("drain", drain), ("remove", remove)):
        group.command(name)(command)
    token = typer.Typer(help="Make, list, rotate and revoke the tokens of your pools' agents.")
    for name, token_command in (
        ("create", create_token),
        ("list", list_tokens),
        ("rotate", rotate_token),
        ("revoke", revoke_token),
    ):
        token.command(name)(token_command)
    group.add_typer(token, name="token", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the command to an application; `podium agent` is added with the agent's own."""
    app.command("agents", rich_help_panel=ORGANIZING)(agents)
