"""`podium collaborator`: who organizes a competition with its owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_list, shown_actor
from podium.platform.cli.options import ORGANIZING, CompetitionArgument, CsvOption, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable
from podium.platform.records.access import CollaboratorRecord

_FIELDS: Sequence[Field[CollaboratorRecord]] = (
    Field("username", lambda one: one.username),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("added by", lambda one: shown_actor(one.added_by)),
    Field("since", lambda one: one.since, may_wrap=True),
)
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The competition.")]
Usernames = Annotated[list[str], typer.Argument(metavar="USERNAME...", help="Whom.")]


def list_collaborators(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List who organizes a competition with its owner."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.collaborators(competition_slug(slug))
    show_list(found, _FIELDS, form, empty="Its owner organizes it alone.")


def add(context: typer.Context, slug: Slug, usernames: Usernames) -> None:
    """Let people organize a competition too. For its owner."""
    with open_client(context) as client:
        for username in usernames:
            added = client.add_collaborator(slug, username)
            note(printable(f"{added.username} organizes {slug} with its owner"))


def remove(context: typer.Context, slug: Slug, usernames: Usernames) -> None:
    """Let people organize a competition no more. For its owner."""
    with open_client(context) as client:
        for username in usernames:
            client.remove_collaborator(slug, username)
            note(printable(f"{username} organizes {slug} no more"))


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="Share the organizing of a competition.")
    for name, command in (("add", add), ("remove", remove), ("list", list_collaborators)):
        group.command(name)(command)
    app.add_typer(group, name="collaborator", no_args_is_help=True, rich_help_panel=ORGANIZING)
