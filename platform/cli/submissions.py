"""`podium submissions`, `podium submission show`, `logs`, `cancel` and `download`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli import offers
from podium.platform.cli.listings import Field, Form, form_of, show_json, show_list
from podium.platform.cli.log_view import LogView
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
from podium.platform.cli.verdicts import outcome_lines, scores_text, status_text
from podium.platform.client.conversion import record_to_json
from podium.platform.errors import PodiumError
from podium.platform.records.submissions import LogPiece, SubmissionRecord

_NUMBER: Field[SubmissionRecord] = Field("number", lambda one: one.number, is_number=True)
_PARTICIPANT: Field[SubmissionRecord] = Field("participant", lambda one: one.participant)
_ABOUT: Sequence[Field[SubmissionRecord]] = (
    Field("id", lambda one: one.id),
    Field("date", lambda one: one.created, may_wrap=True),
    Field("phase", lambda one: one.phase),
    Field("file", lambda one: one.filename, may_wrap=True),
    Field("description", lambda one: one.message, may_wrap=True),
)
_SCORES: Field[SubmissionRecord] = Field("scores", lambda one: scores_text(one.scores), may_wrap=True)
# A person reads in one place what a program wants in two.
_FOR_PEOPLE: Sequence[Field[SubmissionRecord]] = (
    Field("status", lambda one: f"{one.status.value}, kept off" if one.excluded else one.status.value, may_wrap=True),
    _SCORES,
)
_FOR_PROGRAMS: Sequence[Field[SubmissionRecord]] = (
    Field("status", lambda one: one.status.value),
    _SCORES,
    Field("excluded", lambda one: one.excluded),
)


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
    whose = (_PARTICIPANT,) if everyone else ()
    ends = _FOR_PROGRAMS if form is Form.CSV else _FOR_PEOPLE
    show_list(found, (_NUMBER, *whose, *_ABOUT, *ends), form, empty="There are no submissions.")
    if form is Form.TABLE and any(one.excluded for one in found):
        note("Kept off the leaderboard by an organizer: podium submission show NUMBER says what that means.")


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
        lines = () if as_json else tuple(outcome_lines(client, record))
    if as_json:
        show_json(record)
    for line in lines:
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
    after: Annotated[
        int, typer.Option("--after", metavar="SEQUENCE", min=0, help="Go on after this piece of the log.")
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object per line for each piece, with its sequence and its raw text.")
    ] = False,
    competition: CompetitionOption = None,
) -> None:
    """Show what the programs wrote, while they write it. Interrupted, it says how to go on from there."""
    with open_client(context) as client:
        found = submission_id(client, submission, competition)
        log = _Log(stream, as_json=as_json, after=after)
        try:
            for piece in client.follow_logs(found, after=after, follow=follow):
                log.add(piece)
        except (KeyboardInterrupt, PodiumError):
            if log.sequence:
                note(f"To go on from here: podium logs {found} --follow --after {log.sequence}")
            raise
        finally:
            log.end()
    log.explain_nothing()


class _Log:
    """Shows log pieces as they come.

    Attributes:
        sequence: Of the last piece that came, 0 for none.
    """

    def __init__(self, stream: str | None, *, as_json: bool, after: int) -> None:
        self.sequence = after
        self._stream = stream
        self._as_json = as_json
        self._seen: set[str] = set()
        self._view = LogView(with_heads=stream is None)

    def add(self, piece: LogPiece) -> None:
        self.sequence = piece.sequence
        self._seen.add(piece.stream)
        if self._stream is not None and piece.stream != self._stream:
            return
        if self._as_json:
            say(json.dumps(record_to_json(piece), ensure_ascii=True))
        else:
            self._view.add(piece)

    def end(self) -> None:
        if not self._as_json:
            self._view.end()

    def explain_nothing(self) -> None:
        if self._stream is not None and self._stream not in self._seen:
            there = f" There is {', '.join(sorted(self._seen))}." if self._seen else ""
            note(f"Nothing was written to {self._stream}.{there}")
        elif not self._seen:
            note("Nothing was written so far.")


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("submissions", rich_help_panel=TAKING_PART)(submissions)
    group = typer.Typer(help="Look at a submission, and decide what becomes of it.")
    group.command("show")(show)
    group.command("choose")(offers.choose)
    group.command("share")(offers.share)
    app.add_typer(group, name="submission", no_args_is_help=True, rich_help_panel=TAKING_PART)
    app.command("logs", rich_help_panel=TAKING_PART)(logs)
    app.command("cancel", rich_help_panel=TAKING_PART)(cancel)
