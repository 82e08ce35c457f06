"""`podium task`: what submissions are scored by, and new versions of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list, shown_actor
from podium.platform.cli.options import ORGANIZING, CompetitionArgument, CsvOption, JsonOption
from podium.platform.cli.session import competition_and, competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.records.reruns import DatasetRecord, TaskVersionRecord

TaskWords = Annotated[
    list[str],
    typer.Argument(
        metavar="[SLUG] INDEX",
        help="The task's index in the bundle; before it the competition, where it is not the one of `podium config`.",
    ),
]


def _dataset(dataset: DatasetRecord | None) -> str | None:
    # An old name says little where the new one is the same.
    return None if dataset is None else f"{dataset.name} ({dataset.sha256[:8]})"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A task in a phase."""

    index: str
    name: str
    phase: str
    description: str


_TASK_FIELDS: Sequence[Field[_Listed]] = (
    Field("index", lambda one: one.index),
    Field("name", lambda one: one.name),
    Field("phase", lambda one: one.phase),
    Field("description", lambda one: one.description, may_wrap=True),
)
_VERSION_FIELDS: Sequence[Field[TaskVersionRecord]] = (
    Field("version", lambda one: one.number, is_number=True),
    Field("current", lambda one: one.is_current),
    Field("created", lambda one: one.created, may_wrap=True),
    Field("by", lambda one: shown_actor(one.actor)),
    Field("reason", lambda one: one.reason, may_wrap=True),
    Field("results", lambda one: one.submissions, is_number=True),
    Field("scoring program", lambda one: _dataset(one.scoring_program), may_wrap=True),
    Field("ingestion program", lambda one: _dataset(one.ingestion_program), may_wrap=True),
    Field("input data", lambda one: _dataset(one.input_data), may_wrap=True),
    Field("reference data", lambda one: _dataset(one.reference_data), may_wrap=True),
)


def list_tasks(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the tasks of a competition, by phase, with their indexes."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        phases = client.competition(competition_slug(slug)).phases
    tasks = [_Listed(task.index, task.name, phase.name, task.description) for phase in phases for task in phase.tasks]
    show_list(tasks, _TASK_FIELDS, form, empty="It has no tasks.")


def update(
    context: typer.Context,
    index: TaskWords,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for all who see results of it.")],
    scoring_program: Annotated[
        Path | None,
        typer.Option("--scoring-program", metavar="PATH", help="A folder or zip.", show_default=False),
    ] = None,
    ingestion_program: Annotated[
        Path | None,
        typer.Option("--ingestion-program", metavar="PATH", help="A folder or zip.", show_default=False),
    ] = None,
    input_data: Annotated[
        Path | None, typer.Option("--input-data", metavar="PATH", help="A folder or zip.", show_default=False)
    ] = None,
    reference_data: Annotated[
        Path | None, typer.Option("--reference-data", metavar="PATH", help="A folder or zip.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new version of a task, which scores what comes from now on. Nothing is scored again by it.

    What is not given stays as it is. The number of the new version is written to stdout.
    """
    given = {
        "scoring_program": scoring_program,
        "ingestion_program": ingestion_program,
        "input_data": input_data,
        "reference_data": reference_data,
    }
    paths = {kind: path for kind, path in given.items() if path is not None}
    if not paths:
        raise typer.BadParameter(
            "Say what is new: --scoring-program, --ingestion-program, --input-data or --reference-data."
        )
    slug, task = competition_and(index, "INDEX")
    with open_client(context) as client:
        # Asked first, so that nothing is uploaded for a task that there is not, or that is another's.
        client.task_versions(slug, task)
        with shown_progress() as on_progress:
            datasets = {
                kind: client.store_dataset(kind, path, on_progress=on_progress).id for kind, path in paths.items()
            }
        version = client.change_task(slug, task, reason=reason, datasets=datasets)
    if as_json:
        show_json(version)
        return
    say(str(version.number))
    note(
        printable(
            f"Task {version.task} of {slug} is now version {version.number}: what is scored from now on is scored by"
            " it.\nNothing that was scored is scored again until you say so: podium rerun start"
            f" {slug} --phase PHASE --reason TEXT"
        )
    )


def versions(
    context: typer.Context, index: TaskWords, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the versions of a task, the latest first, and how many results come from each."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    slug, task = competition_and(index, "INDEX")
    with open_client(context) as client:
        found = client.task_versions(slug, task)
    show_list(found, _VERSION_FIELDS, form, empty="There are no versions.")


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="See what submissions are scored by, and change it.")
    for name, command in (("list", list_tasks), ("update", update), ("versions", versions)):
        group.command(name)(command)
    app.add_typer(group, name="task", no_args_is_help=True, rich_help_panel=ORGANIZING)
