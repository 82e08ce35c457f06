"""`podium team`: taking part with others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list, shown_time
from podium.platform.cli.options import TAKING_PART, CompetitionArgument, CsvOption, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import can_ask, note, printable, say
from podium.platform.records.teams import TeamRecord

_FIELDS: Sequence[Field[TeamRecord]] = (
    Field("name", lambda one: one.name, may_wrap=True),
    Field("captain", lambda one: one.captain),
    Field("members", lambda one: ", ".join(one.members), may_wrap=True),
    Field("created", lambda one: one.created, may_wrap=True),
)
Name = Annotated[str, typer.Option("--name", help="As it stands on the leaderboards.")]


def create(context: typer.Context, slug: CompetitionArgument = None, *, name: Name) -> None:
    """Make a team, whose captain you are. What you have submitted to phases that go on becomes the team's."""
    with open_client(context) as client:
        chosen = competition_slug(slug)
        team = client.create_team(chosen, name)
    note(f"You are the captain of {printable(team.name)}. Let others join: podium team code {chosen}")


def show(context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False) -> None:
    """Show the team that you are in."""
    with open_client(context) as client:
        team = client.team(competition_slug(slug))
    if as_json:
        show_json(team)
        return
    say(printable(team.name))
    for username in team.members:
        say(printable(f"  {username}{' (captain)' if username == team.captain else ''}"))
    until = f", until {shown_time(team.deadline)}" if team.deadline else ""
    note(f"{len(team.members)} of {team.max_members} who may be in it{until}")


def code(context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False) -> None:
    """Make the code by which others join your team; it is written to stdout, this once. For its captain."""
    with open_client(context) as client:
        chosen = competition_slug(slug)
        made = client.create_team_code(chosen)
    if as_json:
        show_json(made)
        return
    say(made.code)
    note(f"Good until {shown_time(made.expires)}; the one before is good no more. They join: podium team join {chosen}")


def join(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    given: Annotated[
        str | None, typer.Option("--code", help="From the team's captain; `-` reads it from stdin.", show_default=False)
    ] = None,
) -> None:
    """Join a team by its code. What you have submitted to phases that go on becomes the team's."""
    if given is None and not can_ask():
        raise typer.BadParameter("There is no terminal to ask for the code: give --code, or --code -.")
    text = sys.stdin.read() if given == "-" else given or typer.prompt("Code", err=True)
    with open_client(context) as client:
        team = client.join_team(competition_slug(slug), text.strip())
    note(f"You are in {printable(team.name)}, with {printable(', '.join(team.members))}.")


def rename(context: typer.Context, slug: CompetitionArgument = None, *, name: Name) -> None:
    """Give your team another name. For its captain."""
    with open_client(context) as client:
        team = client.change_team(competition_slug(slug), name=name)
    note(f"The team is called {printable(team.name)}.")


def captain(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    username: Annotated[str, typer.Option("--username", help="Who leads it from now on.")],
) -> None:
    """Let another member be the captain of your team. For its captain."""
    with open_client(context) as client:
        team = client.change_team(competition_slug(slug), captain=username)
    note(f"{printable(team.captain)} is the captain of {printable(team.name)}.")


def leave(context: typer.Context, slug: CompetitionArgument = None) -> None:
    """Leave your team. What was made for it stays its."""
    with open_client(context) as client:
        client.leave_team(competition_slug(slug), client.me().username)
    note("You take part alone now.")


def remove(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    username: Annotated[str, typer.Option("--username", help="Whom.")],
) -> None:
    """Remove somebody from your team. For its captain."""
    with open_client(context) as client:
        client.leave_team(competition_slug(slug), username)
    note(f"{printable(username)} is in your team no more.")


def list_teams(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the teams of a competition. For its organizers."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.teams(competition_slug(slug))
    show_list(found, _FIELDS, form, empty="There are no teams.")


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="Take part in a competition with others.")
    commands = (
        ("create", create),
        ("show", show),
        ("code", code),
        ("join", join),
        ("rename", rename),
        ("captain", captain),
        ("leave", leave),
        ("remove", remove),
        ("list", list_teams),
    )
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="team", no_args_is_help=True, rich_help_panel=TAKING_PART)
