"""`podium person` and `podium token`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from podium.platform.cli import identities
from podium.platform.cli.listings import Field, form_of, show_json, show_list, shown_time
from podium.platform.cli.options import OPERATING, SIGNING_IN, CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.storage import set_quota
from podium.platform.cli.terminal import note, printable, say
from podium.platform.records.people import PersonRecord, TokenRecord

_PERSON_FIELDS: Sequence[Field[PersonRecord]] = (
    Field("username", lambda one: one.username),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("email", lambda one: one.email),
    Field("administrator", lambda one: one.is_administrator),
    Field("organizer", lambda one: one.may_organize),
    Field("created", lambda one: one.created, may_wrap=True),
)
TOKEN_FIELDS: Sequence[Field[TokenRecord]] = (
    Field("id", lambda one: one.id),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("begins", lambda one: one.hint),
    Field("created", lambda one: one.created, may_wrap=True),
    Field("expires", lambda one: one.expires, may_wrap=True),
    Field("last used", lambda one: one.last_used, may_wrap=True),
    Field("revoked", lambda one: one.revoked, may_wrap=True),
)


def add_person(
    context: typer.Context,
    username: Annotated[str, typer.Argument(metavar="USERNAME")],
    *,
    email: Annotated[str, typer.Option("--email", help="Where mail reaches them.")],
    name: Annotated[str | None, typer.Option("--name", help="As others see them.", show_default=False)] = None,
    organizer: Annotated[bool, typer.Option("--organizer", help="They may make competitions.")] = False,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Ask them by mail whether the address is theirs, and send no other.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make an account. For administrators."""
    with open_client(context) as client:
        person = client.add_person(
            username,
            email,
            name=name,
            may_organize=organizer or None,
            email_confirmed=False if unconfirmed else None,
        )
    if as_json:
        show_json(person)
        return
    say(printable(person.username))
    note(f"Give them a token: podium token create {printable(person.username)} --name NAME")


def list_people(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List everyone who has an account. For administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.people()
    show_list(found, _PERSON_FIELDS, form, empty="There is nobody.")


def create_token(
    context: typer.Context,
    username: Annotated[
        str | None, typer.Argument(metavar="[USERNAME]", help="Whose; by default yours.", show_default=False)
    ] = None,
    *,
    name: Annotated[str, typer.Option("--name", help="What it is for, to tell it from others.")],
    days: Annotated[int | None, typer.Option("--days", min=1, help="How long it holds.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token. It is written to stdout, this once."""
    with open_client(context) as client:
        issued = client.issue_token(username or client.me().username, name, days=days)
    if as_json:
        show_json(issued)
        return
    say(issued.secret)
    until = f"until {shown_time(issued.token.expires)}" if issued.token.expires else "until it is revoked"
    note(f"It holds {until}, and is shown this once. Sign in with it: podium login GATEWAY --token -")


def list_tokens(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List your tokens, without their secrets."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.tokens()
    show_list(found, TOKEN_FIELDS, form, empty="You have no tokens.")


def revoke_token(context: typer.Context, token_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """End a token at once."""
    with open_client(context) as client:
        token = client.revoke_token(token_id)
    note(f"The token {printable(token.name)} is revoked")


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    person = typer.Typer(help="Make accounts. For administrators.")
    person.command("add")(add_person)
    person.command("list")(list_people)
    person.command("set-storage-quota")(set_quota)
    identities.register(person)
    app.add_typer(person, name="person", no_args_is_help=True, rich_help_panel=OPERATING)
    token = typer.Typer(help="Make, list and revoke tokens.")
    token.command("create")(create_token)
    token.command("list")(list_tokens)
    token.command("revoke")(revoke_token)
    app.add_typer(token, name="token", no_args_is_help=True, rich_help_panel=SIGNING_IN)
