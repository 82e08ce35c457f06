"""`podium submit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from podium.platform.cli.listings import json_text
from podium.platform.cli.options import TAKING_PART, CompetitionArgument, JsonOption, PhaseOption, TimeoutOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.cli.verdicts import exit_code_for, outcome_lines, place_of, status_text
from podium.platform.client.conversion import record_to_json
from podium.platform.client.phase_choice import chosen_phase
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.submissions import SubmissionRecord

if TYPE_CHECKING:
    from podium.platform.client import Client


def submit(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    file: Annotated[Path, typer.Option("--file", "-f", help="A zip, a folder, a file, or what `docker save` wrote.")],
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="A note to yourself.", show_default=False)
    ] = None,
    phase: PhaseOption = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="KEY=VALUE", help="An answer to the fact sheet; may be repeated.", show_default=False
        ),
    ] = None,
    resume: Annotated[
        UUID | None,
        typer.Option("--resume", metavar="ID", help="Go on with the upload of this submission.", show_default=False),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it to the end, and show scores and rank.")] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Submit to a competition. The submission's id is the first line on stdout."""
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait.")
    facts = facts_from(fact or ())
    if resume is not None and (message is not None or phase is not None or facts):
        raise typer.BadParameter("The submission has its phase, message and answers already.", param_hint="--resume")
    # Imported here: most commands need none of it.
    from podium.platform.client.expected_files import checked_submission  # noqa: PLC0415
    from podium.platform.client.packing import require_there  # noqa: PLC0415

    require_there(file)
    with open_client(context) as client:
        competition = competition_slug(slug) if resume is None else ""
        chosen = _phase_of(client, competition, phase) if resume is None else _announced_phase(client, resume)
        with checked_submission(file, chosen) as ready, shown_progress() as on_progress:
            if ready.said:
                note(f"Submitting {printable(ready.said)}")
            if resume is not None:
                submission = client.resume_submission(resume, ready.path, on_progress=on_progress)
                _show_created(submission, as_json=as_json)
            else:
                submission = client.submit(
                    competition,
                    ready.path,
                    message=message,
                    phase=chosen.number,
                    fact_sheet=facts or None,
                    on_created=lambda one: _show_created(one, as_json=as_json),
                    on_notice=note,
                    on_progress=on_progress,
                )
        if wait:
            _follow(client, submission, timeout, as_json=as_json)
        elif as_json:
            say(json_text(submission))
        else:
            note(f"It is {status_text(submission).rstrip('.')}. Follow it: podium logs {submission.id} --follow")


def _phase_of(client: Client, slug: str, named: str | None) -> PhaseRecord:
    return chosen_phase(client.competition(slug), named)


def _announced_phase(client: Client, submission_id: UUID) -> PhaseRecord:
    """The phase of a submission whose file has not arrived: it is packed as it was then."""
    announced = client.submission(submission_id)
    return chosen_phase(client.competition(announced.competition), announced.phase)


def facts_from(pairs: Sequence[str]) -> dict[str, str]:
    """Answers of the fact sheet from `KEY=VALUE`.

    Raises:
        BadParameter: One has no key or no equals sign, or a key is there twice.
    """
    facts: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--fact")
        if key in facts:
            raise typer.BadParameter(f"{key} is answered twice.", param_hint="--fact")
        facts[key] = value
    return facts


def _show_created(submission: SubmissionRecord, *, as_json: bool) -> None:
    if as_json:
        note(f"Submission {submission.id}")
        return
    say(str(submission.id))
    note(printable(f"Submission {submission.number} of {submission.competition}, phase {submission.phase}"))


def _follow(client: Client, submission: SubmissionRecord, timeout: float | None, *, as_json: bool) -> None:
    # Once it is under way, it was told already when it is expected.
    ended = client.wait(
        submission.id,
        timeout=timeout,
        on_change=lambda one: note(status_text(one, with_expected=one.status is SubmissionStatus.QUEUED)),
    )
    if as_json:
        row = place_of(client, ended)
        value = record_to_json(ended)
        assert isinstance(value, dict)
        say(json_text({**value, "rank": row.rank if row else None}))
    else:
        for line in outcome_lines(client, ended):
            say(line)
    raise typer.Exit(exit_code_for(ended))


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("submit", rich_help_panel=TAKING_PART)(submit)
