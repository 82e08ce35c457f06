"""`podium login`, `logout` and `whoami`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.listings import show_json
from podium.platform.cli.options import SIGNING_IN, JsonOption
from podium.platform.cli.session import Chosen, checked_token, open_client, token_from
from podium.platform.cli.terminal import can_ask, note, printable, say
from podium.platform.client import saved_login
from podium.platform.client.addresses import is_local, normalized_gateway


def login(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY", help="Its address, such as https://podium.example.org.")],
    *,
    token: Annotated[
        str | None, typer.Option("--token", help="Your token; `-` reads it from stdin.", show_default=False)
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A file with your token.", show_default=False)
    ] = None,
) -> None:
    """Sign in to a gateway: check a token and keep it for the commands to come."""
    # Imported here, with the HTTP library: see `open_client`.
    from podium.platform.client import Client  # noqa: PLC0415

    address = normalized_gateway(gateway)
    if address.startswith("http://") and not is_local(address):
        note(f"Warning: {address} is not encrypted; others on the way can read your token.")
    secret = _secret(token, token_file)
    with Client(address, secret) as client:
        person = client.me()
    settings = saved_login.load_settings().with_token(address, secret)
    path = saved_login.save_settings(replace(settings, gateway=address))
    note(f"Signed in to {address} as {printable(person.username)}. Your token is kept in {path}.")


def logout(context: typer.Context) -> None:
    """Forget the token for the gateway. It stays valid: `podium token revoke` ends it."""
    chosen: Chosen = context.find_root().obj or Chosen()
    gateway = saved_login.load_login(gateway=chosen.gateway).require_gateway()
    settings = saved_login.load_settings()
    if gateway not in settings.tokens:
        note(f"You are not signed in to {gateway}.")
        return
    saved_login.save_settings(settings.with_token(gateway, None))
    note(f"The token for {gateway} is forgotten here.")


def whoami(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show who you are to the gateway."""
    with open_client(context) as client:
        person = client.me()
        gateway = client.gateway
    if as_json:
        show_json(person)
        return
    rights = [
        name for name, has in (("administrator", person.is_administrator), ("may organize", person.may_organize)) if has
    ]
    say(printable(f"{person.username} ({person.name}, {person.email})" + (f": {', '.join(rights)}" if rights else "")))
    note(f"at {gateway}")


def _secret(token: str | None, token_file: Path | None) -> str:
    if token is not None and token_file is not None:
        raise typer.BadParameter("--token and --token-file can't be given together.")
    if token_file is not None:
        return token_from(token_file)
    if token == "-":  # noqa: S105  # means stdin
        return checked_token(sys.stdin.read())
    if token is None:
        if not can_ask():
            raise typer.BadParameter("There is no terminal to ask for the token: give --token-file, or --token -.")
        token = typer.prompt("Token", hide_input=True, err=True)
    return checked_token(token)


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("login", rich_help_panel=SIGNING_IN)(login)
    app.command("logout", rich_help_panel=SIGNING_IN)(logout)
    app.command("whoami", rich_help_panel=SIGNING_IN)(whoami)
