"""`podium mail mine` and what belongs to it; and what operators do with addresses and mail that came back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.options import CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.errors import InvalidInput
from podium.platform.records.mail import KIND_WORDS, MailPreferences, SuppressionRecord

_FIELDS: Sequence[Field[SuppressionRecord]] = (
    Field("address", lambda one: one.address),
    Field("cause", lambda one: one.cause),
    Field("since", lambda one: one.created, may_wrap=True),
    Field("said", lambda one: one.detail, may_wrap=True),
)


def mine(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show what mail you get, and where."""
    with open_client(context) as client:
        _show(client.own_mail(), as_json=as_json)


def choose(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As `podium mail mine` has them.")],
    frequency: Annotated[str, typer.Argument(metavar="FREQUENCY", help="`at_once`, `daily` or `none`.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Choose how you want mail of a kind: at once, in one message a day with all that is new, or not at all."""
    with open_client(context) as client:
        _show(client.choose_mail(kind, frequency), as_json=as_json)


def stop(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The competition.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Have them again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Get no more announcements of a competition."""
    with open_client(context) as client:
        _show(client.stop_mail(slug, stopped=not undo), as_json=as_json)


def confirm(context: typer.Context) -> None:
    """Get a message with a link that says that your address is yours."""
    with open_client(context) as client:
        found = client.ask_for_confirmation()
    note(printable(f"A message is on its way to {found.address}: open the link in it."))


def _show(found: MailPreferences, *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    say(printable(f"To {found.address}" + (f": {found.trouble}" if found.trouble else "")))
    for kind, frequency in found.frequencies.items():
        words = KIND_WORDS.get(kind, "")
        say(f"  {kind:13} {frequency.replace('_', ' '):8} {words[:1].lower()}{words[1:]}".rstrip())
    for slug in found.stopped:
        say(printable(f"  {slug}: no announcements"))


def suppressed(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List addresses to which nothing is sent any more; for administrators."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.suppressed_addresses()
    show_list(found, _FIELDS, form, empty="Mail goes to every address.")


def allow(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="As `podium mail suppressed` has it.")],
) -> None:
    """Send to an address again; for administrators."""
    with open_client(context) as client:
        client.allow_address(address)
    note(printable(f"Mail goes to {address} again."))


def returned(context: typer.Context) -> None:
    """Tell the gateway of a message that came back: for the mail server, which writes it to this command.

    It needs no token, but the secret of the gateway's settings, in $PODIUM_MAIL_SECRET or in a file that
    $PODIUM_MAIL_SECRET_FILE names.
    """
    # Imported here: only this command needs it.
    from podium.platform.client.returned_mail import send_returned  # noqa: PLC0415

    message = sys.stdin.buffer.read()
    with open_client(context) as client:
        send_returned(client.gateway, message, _secret())


def _secret() -> str:
    file = os.environ.get("PODIUM_MAIL_SECRET_FILE")
    try:
        secret = Path(file).read_text(encoding="utf-8").strip() if file else os.environ.get("PODIUM_MAIL_SECRET", "")
    except OSError as error:
        raise InvalidInput(f"The secret in {file} can't be read: {error.strerror}.") from error
    if not secret:
        raise InvalidInput("There is no secret to sign with.", remedy="Set PODIUM_MAIL_SECRET, as for the gateway.")
    return secret


COMMANDS: Sequence[tuple[str, Callable[..., None]]] = (
    ("mine", mine),
    ("choose", choose),
    ("stop", stop),
    ("confirm", confirm),
    ("suppressed", suppressed),
    ("allow", allow),
    ("returned", returned),
)
