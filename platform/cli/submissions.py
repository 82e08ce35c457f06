"""`podium submissions`, `podium submission show`, `logs`, `cancel` and `download`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.options import (
    TAKING_PART,
    CompetitionArgument,
    CompetitionOption,
    CsvOption,
    JsonOption,
    PhaseOption,
    SubmissionArgument,
)
from podium.platform.cli.session import competition_slug, find_submission, open_client, submission_id
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.verdicts import described, place_of, place_text, scores_text, status_text
from podium.platform.records import LogPiece, SubmissionRecord

_FIELDS: Sequence[Field[SubmissionRecord]] = (
    Field("number", lambda one: one.number, is_number=True),
    Field("id", lambda one: one.id),
    Field("date", lambda one: one.created, may_wrap=True),
    Field("phase", lambda one: one.phase),
    Field("file", lambda one: one.filename, may_wrap=True),
    Field("description", lambda one: one.message, may_wrap=True),
    Field("status", lambda one: one.status.value),
    Field("scores", lambda one: scores_text(one.scores), may_wrap=True),
)
_PARTICIPANT: Field[SubmissionRecord] = Field("participant", lambda one: one.participant)


def submissions(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    everyone: Annotated[bool, typer.Option("--everyone", help="Everyone's; for the organizers.")] = False,
    phase: PhaseOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The latest so many.")] = 100,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List your submissions, the latest first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.submissions(competition_slug(slug), phase, everyone=everyone or None, limit=limit)
    fields = (_FIELDS[0], _PARTICIPANT, *_FIELDS[1:]) if everyone else _FIELDS
    show_list(found, fields, form, empty="There are no submissions.")


def show(
    context: typer.Context,
    submission: SubmissionArgument,
    *,
    competition: CompetitionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a submission: where it is, its scores, its verdict, what was measured."""
    with open_client(context) as client:
        record = find_submission(client, submission, competition)
        row = None if as_json else place_of(client, record)
    if as_json:
        show_json(record)
        return
    for line in (*described(record), place_text(record, row)):
        if line:
            say(line)


def cancel(context: typer.Context, submission: SubmissionArgument, *, competition: CompetitionOption = None) -> None:
    """Cancel a submission that has not ended."""
    with open_client(context) as client:
        record = client.cancel(submission_id(client, submission, competition))
    note(f"Submission {record.number} of {printable(record.competition)} is {status_text(record)}")


def logs(
    context: typer.Context,
    submission: SubmissionArgument,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the submission has ended.")] = False,
    stream: Annotated[
        str | None,
        typer.Option("--stream", metavar="NAME", help="One stream, such as scoring_stderr.", show_default=False),
    ] = None,
    competition: CompetitionOption = None,
) -> None:
    """Show what the programs wrote."""
    with open_client(context) as client:
        pieces = client.follow_logs(submission_id(client, submission, competition), follow=follow)
        seen: set[str] = set()
        shown = _LogView(with_heads=stream is None)
        for piece in pieces:
            seen.add(piece.stream)
            if stream is None or piece.stream == stream:
                shown.add(piece)
    if stream is not None and stream not in seen:
        note(f"Nothing was written to {stream}." + (f" There is {', '.join(sorted(seen))}." if seen else ""))
    elif not seen:
        note("Nothing was written so far.")


class _LogView:
    """Writes log pieces to stdout, with a line that names the stream wherever another one goes on."""

    def __init__(self, *, with_heads: bool) -> None:
        self._with_heads = with_heads
        self._source: tuple[int, str, str] | None = None
        self._at_line_start = True

    def add(self, piece: LogPiece) -> None:
        source = (piece.attempt, piece.task, piece.stream)
        if self._with_heads and source != self._source:
            head = printable(f"==> {piece.stream} (task {piece.task}, attempt {piece.attempt}) <==")
            typer.echo(f"{'' if self._at_line_start else chr(10)}{head}")
        self._source = source
        text = printable(piece.text)
        typer.echo(text, nl=False)
        self._at_line_start = text.endswith("\n")


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("submissions", rich_help_panel=TAKING_PART)(submissions)
    group = typer.Typer(help="Look at a submission.")
    # A callback keeps `show` a command of its own while it is the only one.
    group.callback()(lambda: None)
    group.command("show")(show)
    app.add_typer(group, name="submission", no_args_is_help=True, rich_help_panel=TAKING_PART)
    app.command("logs", rich_help_panel=TAKING_PART)(logs)
    app.command("cancel", rich_help_panel=TAKING_PART)(cancel)
