"""`podium files`, `podium submission choose` and `share`: what a competition offers, and what participants decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.downloads import safe_name
from podium.platform.cli.listings import Field, form_of, show_list
from podium.platform.cli.options import (
    TAKING_PART,
    CompetitionArgument,
    CompetitionOption,
    CsvOption,
    JsonOption,
    SubmissionArgument,
)
from podium.platform.cli.session import competition_slug, open_client, submission_id
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.errors import InvalidInput
from podium.platform.records.offers import OfferedFile

_FIELDS: Sequence[Field[OfferedFile]] = (
    Field("name", lambda one: one.name, may_wrap=True),
    Field("kind", lambda one: one.kind),
    Field("phases", lambda one: ", ".join(one.phases)),
    Field("task", lambda one: one.task),
    Field("size", lambda one: one.size, is_number=True),
    Field("id", lambda one: one.id),
)


def files(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--download", metavar="FOLDER", help="Fetch them all into this folder.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the files that a competition offers, or fetch them: starting kits, public data, programs."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        chosen = competition_slug(slug)
        found = client.offered_files(chosen)
        if folder is None:
            show_list(found, _FIELDS, form, empty="This competition offers no files now.")
            return
        if not folder.is_dir():
            raise InvalidInput(f"{folder} is no folder.", remedy="Make it first, or name another.")
        with shown_progress() as on_progress:
            for file in found:
                # Several may have the same name; what they are tells them apart.
                target = folder / f"{file.kind}-{str(file.id)[-6:]}-{safe_name(file.name)}"
                say(
                    str(
                        client.download_offered_file(chosen, file, target, overwrite=overwrite, on_progress=on_progress)
                    )
                )


def choose(
    context: typer.Context,
    submission: SubmissionArgument,
    *,
    off: Annotated[bool, typer.Option("--off", help="Take it off again.")] = False,
    competition: CompetitionOption = None,
) -> None:
    """Put a submission on the leaderboard, where its rule leaves that to you."""
    with open_client(context) as client:
        found = submission_id(client, submission, competition)
        record = client.take_off_leaderboard(found) if off else client.put_on_leaderboard(found)
    stands = "stands on the leaderboard" if record.on_leaderboard else "does not stand on the leaderboard"
    note(f"Submission {record.number} of {printable(record.competition)} {stands}.")


def share(
    context: typer.Context,
    submission: SubmissionArgument,
    *,
    off: Annotated[bool, typer.Option("--off", help="Take that back.")] = False,
    competition: CompetitionOption = None,
) -> None:
    """Let everybody with an account download a submission's file, where the organizers allow it."""
    with open_client(context) as client:
        found = submission_id(client, submission, competition)
        record = client.unshare_submission(found) if off else client.share_submission(found)
    is_now = "is public" if record.shared else "is private"
    note(f"Submission {record.number} of {printable(record.competition)} {is_now}.")


def register(app: typer.Typer) -> None:
    """Add the command to an application; the others belong to the group `submission`."""
    app.command("files", rich_help_panel=TAKING_PART)(files)
