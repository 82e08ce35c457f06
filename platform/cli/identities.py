"""`podium person link`, `sign-ins` and `unlink`: who people are at the provider that they sign in at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from podium.platform.cli.listings import Field, form_of, show_list
from podium.platform.cli.options import CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable
from podium.platform.records.sign_in import IdentityRecord

_FIELDS: Sequence[Field[IdentityRecord]] = (
    Field("id", lambda one: one.id),
    Field("subject", lambda one: one.subject, may_wrap=True),
    Field("email", lambda one: one.email),
    Field("issuer", lambda one: one.issuer, may_wrap=True),
    Field("created", lambda one: one.created, may_wrap=True),
    Field("last used", lambda one: one.last_used, may_wrap=True),
)


def link(
    context: typer.Context,
    username: Annotated[str, typer.Argument(metavar="USERNAME")],
    *,
    subject: Annotated[str, typer.Option("--subject", help="Who they are at the provider: its `sub`.")],
) -> None:
    """Let somebody sign in at the provider as a person. For administrators.

    Make sure that it is them: whoever has this subject there is this person here from then on.
    """
    with open_client(context) as client:
        identity = client.link_identity(username, subject)
    note(f"{printable(identity.subject)} at {printable(identity.issuer)} signs in as {printable(identity.username)}.")


def list_identities(
    context: typer.Context,
    username: Annotated[
        str | None, typer.Argument(metavar="[USERNAME]", help="Whose; by default yours.", show_default=False)
    ] = None,
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List who somebody is at the provider; of others, for administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.identities(username)
    show_list(found, _FIELDS, form, empty="Nobody signs in at the provider as this person.")


def unlink(context: typer.Context, identity_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Let somebody sign in as a person no more, and sign them out at once."""
    with open_client(context) as client:
        identity = client.remove_identity(identity_id)
    note(f"{printable(identity.subject)} does not sign in as {printable(identity.username)} any more.")


def register(person: typer.Typer) -> None:
    """Add the commands to `podium person`."""
    person.command("link")(link)
    person.command("sign-ins")(list_identities)
    person.command("unlink")(unlink)
