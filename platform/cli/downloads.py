"""`podium download`: what was submitted, and what came of it."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from podium.platform.cli.options import TAKING_PART, CompetitionOption, SubmissionArgument
from podium.platform.cli.session import find_submission, open_client
from podium.platform.cli.terminal import printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.client.progress import OnProgress
from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES
from podium.platform.records.submissions import EvaluationRecord, OutputFileRecord, SubmissionRecord

if TYPE_CHECKING:
    from podium.platform.client import Client


class What(StrEnum):
    """What there is to download."""

    FILE = "file"
    PREDICTION_OUTPUT = "prediction_output"
    SCORING_OUTPUT = "scoring_output"
    DETAILED_RESULTS = "detailed_results"


def download(
    context: typer.Context,
    submission: SubmissionArgument,
    *,
    what: Annotated[
        What, typer.Option("--what", help="The submitted file, or an output of its evaluation.")
    ] = What.FILE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="The file to write, or a folder.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    competition: CompetitionOption = None,
) -> None:
    """Download what was submitted, or an output. The paths that were written are shown on stdout."""
    with open_client(context) as client:
        record = find_submission(client, submission, competition)
        with shown_progress() as on_progress:
            if what is What.FILE:
                target = _target(output, safe_name(record.filename))
                written = [client.download_submission(record.id, target, overwrite=overwrite, on_progress=on_progress)]
            elif what is What.DETAILED_RESULTS and record.status not in TERMINAL_SUBMISSION_STATUSES:
                written = _download_pages(client, record, output, overwrite=overwrite)
            else:
                written = _download_outputs(client, record, what, output, overwrite=overwrite, on_progress=on_progress)
    for path in written:
        say(str(path))


def _download_outputs(
    client: Client,
    record: SubmissionRecord,
    what: What,
    output: Path | None,
    *,
    overwrite: bool,
    on_progress: OnProgress,
) -> list[Path]:
    found = _outputs(record, what)
    _require_folder_for(len(found), output)
    return [
        client.download_output(
            record.id,
            evaluation.id,
            file,
            _target(output, _output_name(record, evaluation, what, is_only=len(found) == 1)),
            overwrite=overwrite,
            on_progress=on_progress,
        )
        for evaluation, file in found
    ]


def _download_pages(client: Client, record: SubmissionRecord, output: Path | None, *, overwrite: bool) -> list[Path]:
    """Detailed results of a submission that is being scored, as they are now."""
    pages = client.detailed_results(record.id).pages
    if not pages:
        raise NotFound(
            f"Submission {record.number} has no {What.DETAILED_RESULTS.value} yet.",
            remedy=f"It is {record.status.value}; the scoring program may write them later.",
        )
    _require_folder_for(len(pages), output)
    tasks = {evaluation.id: evaluation for evaluation in record.evaluations}
    written = []
    for page in pages:
        name = _output_name(record, tasks[page.evaluation_id], What.DETAILED_RESULTS, is_only=len(pages) == 1)
        target = _target(output, name)
        content = client.detailed_result_page(record.id, page.evaluation_id)
        try:
            with target.open("wb" if overwrite else "xb") as file:
                file.write(content)
        except FileExistsError:
            raise Conflict(f"{target} is there already.", remedy="Choose another name, or --overwrite.") from None
        except OSError as error:
            raise InvalidInput(
                f"{target} can't be written: {error.strerror}.", remedy="Choose another place."
            ) from error
        written.append(target)
    return written


def _require_folder_for(files: int, output: Path | None) -> None:
    if files > 1 and output is not None and not output.is_dir():
        raise Conflict(
            f"The submission was evaluated by {files} tasks, and {output} is not a folder.",
            remedy="Name a folder with -o.",
        )


def _outputs(record: SubmissionRecord, what: What) -> list[tuple[EvaluationRecord, OutputFileRecord]]:
    everything = [(evaluation, file) for evaluation in record.evaluations for file in evaluation.outputs]
    found = [(evaluation, file) for evaluation, file in everything if file.kind == what.value]
    if not found:
        kinds = ", ".join(sorted({file.kind for _, file in everything}))
        raise NotFound(
            f"Submission {record.number} has no {what.value}.",
            remedy=f"It has: {kinds}."
            if kinds
            else f"It is {record.status.value} and has no outputs that you may see.",
        )
    return found


def _output_name(record: SubmissionRecord, evaluation: EvaluationRecord, what: What, *, is_only: bool) -> str:
    suffix = "html" if what is What.DETAILED_RESULTS else "zip"
    task = "" if is_only else f"-{re.sub(r'[^A-Za-z0-9]+', '-', evaluation.task).strip('-') or evaluation.id}"
    return safe_name(f"{record.competition}-{record.number}{task}-{what.value}.{suffix}")


def safe_name(name: str) -> str:
    """A file name that somebody else chose, as one that stays in its folder and is seen there."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return printable(last).replace("\n", "_").lstrip(".") or "submission.zip"


def _target(output: Path | None, name: str) -> Path:
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("download", rich_help_panel=TAKING_PART)(download)
