"""`podium scaling`: how many agents a pool has, why, and who starts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from podium.platform.cli.listings import show_json
from podium.platform.cli.moments import span_text
from podium.platform.cli.options import OPERATING, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.records.scaling import ScalingDecisionRecord, ScalingRecord

PoolArgument = Annotated[str, typer.Argument(metavar="POOL", help="The pool.")]
Seconds = typer.Option(metavar="SECONDS", min=0, show_default=False)


def show(context: typer.Context, pool: PoolArgument, *, as_json: JsonOption = False) -> None:
    """Show how a pool is scaled: its agents, what was decided, and why."""
    with open_client(context) as client:
        found = client.scaling(pool)
    if as_json:
        show_json(found)
        return
    for line in described(found):
        say(printable(line))


def set_rules(
    context: typer.Context,
    pool: PoolArgument,
    *,
    minimum: Annotated[
        int | None, typer.Option("--min", min=0, help="Agents that there are always.", show_default=False)
    ] = None,
    maximum: Annotated[
        int | None, typer.Option("--max", min=0, help="Agents that there are at most.", show_default=False)
    ] = None,
    target_wait: Annotated[
        float | None,
        typer.Option(
            "--target-wait", metavar="SECONDS", min=1, help="How long one should wait at most.", show_default=False
        ),
    ] = None,
    cool_down: Annotated[
        float | None,
        typer.Option(
            "--cool-down",
            metavar="SECONDS",
            min=0,
            help="For how long fewer must have been enough before any agent goes.",
            show_default=False,
        ),
    ] = None,
    cool_down_up: Annotated[
        float | None,
        typer.Option(
            "--cool-down-up", metavar="SECONDS", min=0, help="The least time between two starts.", show_default=False
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option("--slots", min=1, help="Submissions at the same time, for a new agent.", show_default=False),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            "--patience",
            metavar="SECONDS",
            min=30,
            help="After how long an agent that is silent, in trouble or starting is replaced.",
            show_default=False,
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            "--provider", metavar="NAME", help="Who starts agents, of those in the settings.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Scale a pool from now on. What is not given stays as it is."""
    with open_client(context) as client:
        found = client.set_scaling(
            pool,
            provider=provider,
            minimum=minimum,
            maximum=maximum,
            target_wait=target_wait,
            cool_down_up=cool_down_up,
            cool_down_down=cool_down,
            slots=slots,
            patience=patience,
        )
    if as_json:
        show_json(found)
        return
    note(printable(_rules(found)))


def off(context: typer.Context, pool: PoolArgument, *, as_json: JsonOption = False) -> None:
    """Start no more agents in a pool. Those that were started go as soon as they hold nothing."""
    with open_client(context) as client:
        found = client.switch_scaling_off(pool)
    if as_json:
        show_json(found)
        return
    left = f"; {len(found.agents)} that were started go when they hold nothing" if found.agents else ""
    note(printable(f"Pool {found.pool} is not scaled any more{left}"))


def described(found: ScalingRecord) -> Iterator[str]:
    """The scaling of a pool, line by line."""
    yield _rules(found)
    yield f"  more       {span_text(found.cool_down_up)} after the last were started at the earliest"
    yield f"  fewer      when fewer have been enough for {span_text(found.cool_down_down)}"
    if found.looked is not None:
        yield f"  looked     {found.looked:%Y-%m-%d %H:%M:%S} UTC"
    for reason in found.reasons:
        yield f"  now        {reason}"
    if found.failure:
        yield f"  trouble    {found.failure}"
    if found.put_off_until is not None:
        yield f"  again      {found.put_off_until:%H:%M:%S} UTC, after {found.failures} in a row"
    for agent in found.agents:
        how = "leaving" if agent.status == "leaving" else agent.condition
        draining = ", takes nothing new" if agent.draining and how != "leaving" else ""
        yield f"  agent      {agent.name}: {how}{draining}, runs {agent.running} of {agent.slots}"
    for decision in found.decisions:
        yield f"{decision.moment:%Y-%m-%d %H:%M:%S} UTC  {_change(decision)}"
        for reason in decision.reasons:
            yield f"  {reason}"


def _rules(found: ScalingRecord) -> str:
    if not found.enabled:
        return f"Pool {found.pool} is not scaled any more"
    return (
        f"Pool {found.pool} has {found.minimum} to {found.maximum} agents of {found.slots} slots by "
        f"{found.provider}, so that nobody waits longer than {span_text(found.target_wait)}"
    )


def _change(decision: ScalingDecisionRecord) -> str:
    parts = (
        (decision.started, "started"),
        (decision.taken_back, "taken back"),
        (decision.drained, "told to take nothing new"),
        (decision.removed, "taken"),
    )
    return f"{decision.action}: {', '.join(f'{len(names)} {what}' for names, what in parts if names)}"


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="How many agents a pool has, and why. For administrators.")
    group.command("show")(show)
    group.command("set")(set_rules)
    group.command("off")(off)
    app.add_typer(group, name="scaling", no_args_is_help=True, rich_help_panel=OPERATING)
