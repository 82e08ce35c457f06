"""`podium images import`, `list`, `show` and what else is done with medical images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from podium.platform.cli.downloads import safe_name
from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.image_reports import (
    FILE_FIELDS,
    IMAGE_FIELDS,
    REJECTION_FIELDS,
    SESSION_FIELDS,
    image_lines,
    next_lines,
    rejections,
    session_lines,
    status_text,
)
from podium.platform.cli.listings import Form, form_of, show_json, show_list, show_table
from podium.platform.cli.options import CompetitionOption, CsvOption, JsonOption, TimeoutOption, YesOption
from podium.platform.cli.session import default_competition, open_client, submission_id
from podium.platform.cli.terminal import is_shown_live, note, printable, require_yes, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.lifecycle import ImportOutcome, ImportStatus
from podium.platform.records.images import ImageRecord, ImportSessionRecord

if TYPE_CHECKING:
    from podium.platform.client import Client

MEDICAL = "Medical images, of datasets and submissions"
_SHOWN = 50
_PAGE = 1000
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", "-d", metavar="ID", help="The dataset that they belong to, by its id or name.", show_default=False
    ),
]
SubmissionOption = Annotated[
    str | None,
    typer.Option(
        "--submission",
        "-s",
        metavar="ID",
        help="Or the submission, by its id or its number in the competition.",
        show_default=False,
    ),
]
SessionArgument = Annotated[UUID, typer.Argument(metavar="SESSION", help="The import session's id.")]
PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Files and folders to send before that.", show_default=False),
]
AcceptOption = Annotated[
    bool, typer.Option("--accept", help="Accept the report if every file was imported or ignored.")
]
WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the report.")]


def import_images(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, folders and archives.")],
    *,
    dataset: DatasetOption = None,
    submission: SubmissionOption = None,
    competition: CompetitionOption = None,
    accept: AcceptOption = False,
    wait: WaitOption = True,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import medical images: send files, and see what became of each.

    What belongs together is found by Podium, in whatever folders and archives it lies. The report is written to stdout;
    what was uploaded is kept until it is accepted.
    """
    with open_client(context) as client:
        of_dataset, of_submission = _target(client, dataset, submission, competition)
        session = client.begin_import(dataset=of_dataset, submission=of_submission)
        _send(client, session, paths)
        client.start_import(session.id)
        _follow(client, session.id, accept=accept, wait=wait, timeout=timeout, as_json=as_json)


def retry(
    context: typer.Context,
    session_id: SessionArgument,
    paths: PathsArgument = None,
    *,
    accept: AcceptOption = False,
    wait: WaitOption = True,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import again what was rejected, together with more files. The images that there are stay.

    It also goes on with a session whose files were not all sent: name the same files again.
    """
    with open_client(context) as client:
        session = client.import_session(session_id)
        if paths:
            _send(client, session, paths)
        if session.status is ImportStatus.UPLOADING:
            client.start_import(session_id)
        else:
            client.retry_import(session_id)
        _follow(client, session_id, accept=accept, wait=wait, timeout=timeout, as_json=as_json)


def _send(client: Client, session: ImportSessionRecord, paths: Sequence[Path]) -> None:
    try:
        with shown_progress() as on_progress:
            client.send_images(session.id, paths, on_progress=on_progress)
    except BaseException:
        words = " ".join(str(path) for path in paths)
        note(f"What has arrived is kept. To go on: podium images retry {session.id} {printable(words)}")
        raise


def _follow(
    client: Client, session_id: UUID, *, accept: bool, wait: bool, timeout: float | None, as_json: bool
) -> None:
    if wait:
        with _progress() as on_change:
            session = client.wait_for_import(session_id, timeout=timeout, on_change=on_change)
        if accept and session.status is ImportStatus.IMPORTED and session.images and not session.rejected:
            session = client.accept_import(session_id)
    else:
        session = client.import_session(session_id)
    if as_json:
        show_json(session)
    else:
        _show_session(client, session)
    if session.status is ImportStatus.FAILED:
        raise typer.Exit(ExitCode.FAULT)
    if wait and not session.images:
        raise typer.Exit(ExitCode.JUDGED_BAD)


@contextmanager
def _progress() -> Iterator[Callable[[ImportSessionRecord], None]]:
    if not is_shown_live():
        said: list[str] = []

        def tell(session: ImportSessionRecord) -> None:
            # How many are done changes all the time; the step and why it waits are news.
            news = session.message or session.step or session.status.value
            if said != [news]:
                said[:] = [news]
                note(status_text(session))

        yield tell
        return
    # Imported here: only a watched terminal needs them.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(session: ImportSessionRecord) -> None:
            bars.update(
                task, description=escape(status_text(session)), completed=session.done, total=session.total or None
            )

        yield show


def _show_session(client: Client, session: ImportSessionRecord) -> None:
    for line in session_lines(session):
        say(line)
    if session.images:
        found, _ = _images_of_session(client, session)
        say(f"\n{len(found)} image{'' if len(found) == 1 else 's'}:")
        show_table(found[:_SHOWN], IMAGE_FIELDS)
        if left := len(found[_SHOWN:]):
            note(f"and {left} more: podium images list")
    if session.rejected:
        say(f"\n{session.rejected} file{'' if session.rejected == 1 else 's'} rejected:")
        told = rejections(client.all_imported_files(session.id, outcome=ImportOutcome.REJECTED))
        show_table(told[:_SHOWN], REJECTION_FIELDS)
        if told[_SHOWN:]:
            note(f"and more: podium images show {session.id} --csv")
    if session.ignored:
        say(f"\n{session.ignored} ignored, such as what a system left behind, and archives for what was in them")
    for line in next_lines(session):
        note(line)


def _images_of_session(client: Client, session: ImportSessionRecord) -> tuple[list[ImageRecord], int]:
    found = _all_images(client, session.dataset, session.submission)
    return [image for image in found if image.session == session.id], len(found)


def _all_images(client: Client, dataset: UUID | None, submission: UUID | None) -> list[ImageRecord]:
    found: list[ImageRecord] = []
    while True:
        page = client.images(dataset=dataset, submission=submission, limit=_PAGE, offset=len(found))
        found += page.images
        if not page.images or len(found) >= page.total:
            return found


def list_images(
    context: typer.Context,
    *,
    dataset: DatasetOption = None,
    submission: SubmissionOption = None,
    competition: CompetitionOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the images of a dataset or a submission, by name."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = _all_images(client, *_target(client, dataset, submission, competition))
    show_list(found, IMAGE_FIELDS, form, empty="There are no images.")


def list_sessions(
    context: typer.Context,
    *,
    dataset: DatasetOption = None,
    submission: SubmissionOption = None,
    competition: CompetitionOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List what was imported to a dataset or a submission, the latest first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        of_dataset, of_submission = _target(client, dataset, submission, competition)
        found = client.import_sessions(dataset=of_dataset, submission=of_submission)
    show_list(found, SESSION_FIELDS, form, empty="Nothing was imported.")


def show(
    context: typer.Context,
    one: Annotated[UUID, typer.Argument(metavar="ID", help="Of an import session, or of an image.")],
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show the report of an import session, or all that is known of an image.

    As JSON or CSV, the report of a session is what became of each of its files.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        try:
            session = client.import_session(one)
        except NotFound:
            session = None
        if session is None:
            detail = client.image(one)
            if form is Form.JSON:
                show_json(detail)
            elif form is Form.CSV:
                show_list([detail.image], IMAGE_FIELDS, form, empty="")
            else:
                for line in image_lines(detail):
                    say(line)
        elif form is Form.TABLE:
            _show_session(client, session)
        else:
            show_list(tuple(client.all_imported_files(one)), FILE_FIELDS, form, empty="")


def accept(context: typer.Context, session_id: SessionArgument) -> None:
    """Accept the report of a session: its images stay, and what was uploaded is let go."""
    with open_client(context) as client:
        session = client.accept_import(session_id)
    note(f"Accepted: {session.images} images of {printable(session.of)}. What was uploaded for them is let go.")


def download(
    context: typer.Context,
    image_id: Annotated[UUID, typer.Argument(metavar="IMAGE", help="The image's id.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Fetch an image, as MetaImage or TIFF."""
    with open_client(context) as client:
        image = client.image(image_id).image
        suffix = ".mha" if image.type.value == "MHD" else ".tif"
        target = output or Path(f"{Path(safe_name(image.name)).stem}{suffix}")
        with shown_progress() as on_progress:
            say(str(client.download_image(image_id, target, overwrite=overwrite, on_progress=on_progress)))


def remove(context: typer.Context, session_id: SessionArgument, *, yes: YesOption = False) -> None:
    """Remove a session, with its images and all that was uploaded for them."""
    with open_client(context) as client:
        session = client.import_session(session_id)
        require_yes(f"Remove {session.images} images of {printable(session.of)}?", yes=yes)
        client.remove_import(session_id)
    note("Removed.")


def _target(
    client: Client, dataset: str | None, submission: str | None, competition: str | None
) -> tuple[UUID | None, UUID | None]:
    """The ids of the dataset and the submission that were named; one of the two is `None`.

    Raises:
        BadParameter: None was named, or both.
        InvalidInput: No dataset has that name, or several have.
    """
    if (dataset is None) == (submission is None):
        raise typer.BadParameter("Name what they belong to: --dataset ID, or --submission ID.")
    if submission is not None:
        return None, submission_id(client, submission, competition)
    assert dataset is not None
    try:
        return UUID(dataset), None
    except ValueError:
        return _dataset_called(client, dataset, competition or default_competition()), None


def _dataset_called(client: Client, name: str, competition: str | None) -> UUID:
    found = {one.id: one.name.partition(": ")[2] for one in client.storage_files() if one.kind == "dataset"}
    if competition is not None:
        found |= {one.id: one.name for one in client.competition_datasets(competition)}
    named = [one for one, called in found.items() if called == name]
    if len(named) == 1:
        return named[0]
    if not named:
        raise InvalidInput(f"You have no dataset called {name!r}.", remedy="`podium storage files` lists yours.")
    ids = ", ".join(str(one) for one in named)
    raise InvalidInput(f"{len(named)} datasets are called {name!r}.", remedy=f"Say which by its id: {ids}.")


def register(group: typer.Typer) -> None:
    """Add the commands to the group `images`."""
    for name, command in (
        ("import", import_images),
        ("retry", retry),
        ("accept", accept),
        ("list", list_images),
        ("sessions", list_sessions),
        ("show", show),
        ("download", download),
        ("remove", remove),
    ):
        group.command(name, rich_help_panel=MEDICAL)(command)
