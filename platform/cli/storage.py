"""`podium storage` and `podium person set-storage-quota`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.options import OPERATING, CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import size_text
from podium.platform.quantities import InvalidAmount, Unit, read_amount
from podium.platform.records.storage import StorageRecord, StoredFileRecord

_FILE_FIELDS: Sequence[Field[StoredFileRecord]] = (
    Field("kind", lambda one: one.kind),
    Field("id", lambda one: one.id),
    Field("bytes", lambda one: one.size, is_number=True),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("kept because", lambda one: one.in_use, may_wrap=True),
)


class _Kind(StrEnum):
    SUBMISSION = "submission"
    BUNDLE = "bundle"
    DATASET = "dataset"
    IMAGES = "images"


def show_usage(
    context: typer.Context,
    username: Annotated[
        str | None, typer.Argument(metavar="[USERNAME]", help="Whose; by default yours.", show_default=False)
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show how much room your files take, and may take."""
    with open_client(context) as client:
        found = client.storage(username)
    if as_json:
        show_json(found)
        return
    for line in usage_lines(found):
        say(line)


def usage_lines(usage: StorageRecord) -> list[str]:
    """What a person's files take, in words."""
    share = f" ({100 * usage.used / usage.quota:.0f} %)" if usage.quota else ""
    lines = [f"{size_text(usage.used)} of {size_text(usage.quota)} used{share}"]
    taken = sorted(usage.by_kind.items(), key=lambda pair: -pair[1])
    return lines + [f"  {kind:<13}{size_text(size):>10}" for kind, size in taken]


def list_files(context: typer.Context, *, as_json: JsonOption = False, as_csv: CsvOption = False) -> None:
    """List your files, the largest first, with what keeps those that can't be removed."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.storage_files()
    show_list(found, _FILE_FIELDS, form, empty="You have no files here.")


def remove_file(
    context: typer.Context,
    kind: Annotated[_Kind, typer.Argument(metavar="KIND", help="submission, bundle, dataset or images.")],
    file_id: Annotated[UUID, typer.Argument(metavar="ID")],
) -> None:
    """Remove a file that nothing uses. A submission stays in the lists, and counts as before."""
    with open_client(context) as client:
        usage = client.remove_file(kind.value, file_id)
    note(f"Removed. {usage_lines(usage)[0]}")


def set_quota(
    context: typer.Context,
    username: Annotated[str, typer.Argument(metavar="USERNAME")],
    quota: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as `100 GiB`, or `default` for everybody's.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Say how much room somebody's files may take. For administrators."""
    try:
        amount = None if quota == "default" else int(read_amount(quota, Unit.BYTES))
    except InvalidAmount as invalid:
        raise typer.BadParameter(str(invalid), param_hint="AMOUNT") from None
    with open_client(context) as client:
        usage = client.set_storage_quota(username, amount)
    if as_json:
        show_json(usage)
        return
    note(f"{printable(usage.username)}: {usage_lines(usage)[0]}")


def check() -> None:
    """Try the store of the settings: put, get, parts, and what must be refused. On the gateway's machine."""
    # With a server's libraries, which a participant does not have.
    from podium.platform.settings import read_settings  # noqa: PLC0415
    from podium.platform.storage.checking import check_storage  # noqa: PLC0415
    from podium.platform.supervisor.own_settings import settings_of_state  # noqa: PLC0415

    for name, value in settings_of_state(os.environ).items():
        os.environ.setdefault(name, value)
    failed = False
    for finding in check_storage(read_settings()):
        failed = failed or not (finding.ok or finding.is_warning)
        mark = "ok  " if finding.ok else "warn" if finding.is_warning else "FAIL"
        say(f"{mark}  {finding.what}{': ' + finding.detail if finding.detail else ''}")
        if finding.remedy:
            say(f"      {finding.remedy}")
    if failed:
        note("The store can't be used like this.")
        sys.exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    storage = typer.Typer(help="What your files take; and whether the platform's store works.")
    storage.command("usage")(show_usage)
    storage.command("files")(list_files)
    storage.command("remove")(remove_file)
    storage.command("check")(check)
    app.add_typer(storage, name="storage", no_args_is_help=True, rich_help_panel=OPERATING)
