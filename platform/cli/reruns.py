"""`podium rerun`: score submissions again, and follow that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.moments import span_text
from podium.platform.cli.options import (
    ORGANIZING,
    CompetitionArgument,
    CsvOption,
    JsonOption,
    RerunWords,
    TimeoutOption,
    YesOption,
)
from podium.platform.cli.rerun_decisions import adopt, cancel, pause, resume
from podium.platform.cli.rerun_progress import follow
from podium.platform.cli.rerun_report import report
from podium.platform.cli.rerun_text import counted, exit_code_for, preview_text, rerun_text
from podium.platform.cli.session import competition_and_number, competition_slug, open_client
from podium.platform.cli.terminal import note, printable, require_yes, say
from podium.platform.errors import Conflict
from podium.platform.records.reruns import RerunPreview, RerunRecord

_FIELDS: Sequence[Field[RerunRecord]] = (
    Field("number", lambda one: one.number, is_number=True),
    Field("created", lambda one: one.created, may_wrap=True),
    Field("status", lambda one: one.status.value),
    Field("submissions", lambda one: one.selection, may_wrap=True),
    Field("reason", lambda one: one.reason, may_wrap=True),
    Field("by", lambda one: one.requested_by),
    Field("total", lambda one: one.total, is_number=True),
    Field("finished", lambda one: one.finished, is_number=True),
    Field("failed", lambda one: one.failed, is_number=True),
    Field("given up", lambda one: one.given_up, is_number=True),
    Field("left", lambda one: None if one.remaining_seconds is None else span_text(one.remaining_seconds)),
    Field("held back", lambda one: one.held_back, may_wrap=True),
)


def start(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why, for all who see the results.", show_default=False),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(
            "--phase", metavar="PHASE", help="All of a phase, by its number from 1 or its name.", show_default=False
        ),
    ] = None,
    submission: Annotated[
        list[int] | None,
        typer.Option(
            "--submission", metavar="NUMBER", min=1, help="This submission; may be repeated.", show_default=False
        ),
    ] = None,
    platform_failures: Annotated[
        bool, typer.Option("--platform-failures", help="Those that Podium itself failed, in --phase or everywhere.")
    ] = False,
    parallel: Annotated[
        int | None,
        typer.Option("--parallel", metavar="NUMBER", min=1, help="At most so many at a time.", show_default=False),
    ] = None,
    no_adopt: Annotated[
        bool, typer.Option("--no-adopt", help="Keep the old results until `podium rerun adopt`.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    yes: YesOption = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it until its results count, or wait.")] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score submissions again, after showing what that means. The rerun's number is the first line on stdout."""
    _require_one_selection(phase, submission, platform_failures=platform_failures)
    if not reason and not dry_run:
        raise typer.BadParameter("Say why, for all who see the results: --reason TEXT.")
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait.")
    with open_client(context) as client:
        competition = competition_slug(slug)
        preview = client.preview_rerun(
            competition,
            phase=phase,
            submissions=submission,
            platform_failures=platform_failures or None,
            parallel=parallel,
        )
        if dry_run:
            _show_preview(preview, as_json=as_json)
            return
        for line in preview_text(preview):
            note(line)
        if not preview.total:
            raise Conflict("There is nothing to score again.", remedy="Select others.")
        require_yes(f"Score {counted(preview.total)} again?", yes=yes)
        rerun = client.start_rerun(
            competition,
            reason=reason or "",
            phase=phase,
            submissions=submission,
            platform_failures=platform_failures or None,
            parallel=parallel,
            adopt=not no_adopt,
        )
        _show_started(rerun, as_json=as_json)
        if as_json and not wait:
            show_json(rerun)
        if wait:
            _show_end(follow(client, competition, rerun.number, timeout), as_json=as_json)


def _require_one_selection(phase: str | None, submissions: Sequence[int] | None, *, platform_failures: bool) -> None:
    if submissions and (phase is not None or platform_failures):
        other = "--platform-failures" if platform_failures else "--phase"
        raise typer.BadParameter(f"--submission and {other} can't be had together: each selects by itself.")
    if not submissions and phase is None and not platform_failures:
        raise typer.BadParameter(
            "Say what to score again: --phase PHASE, --submission NUMBER (once for each), or --platform-failures."
        )


def _show_preview(preview: RerunPreview, *, as_json: bool) -> None:
    if as_json:
        show_json(preview)
        return
    for line in preview_text(preview):
        say(line)


def _show_started(rerun: RerunRecord, *, as_json: bool) -> None:
    if not as_json:
        say(str(rerun.number))
    which = f"{rerun.competition} {rerun.number}"
    note(printable(f"Rerun {rerun.number} of {rerun.competition}. Follow it: podium rerun show {which} --watch"))


def list_reruns(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the reruns of a competition, the latest first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.reruns(competition_slug(slug))
    show_list(found, _FIELDS, form, empty="Nothing was scored again.")


def show(
    context: typer.Context,
    number: RerunWords,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "--wait", "-w", help="Follow it until its results count, or wait.")
    ] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a rerun is."""
    if timeout is not None and not watch:
        raise typer.BadParameter("--timeout is for --watch.")
    competition, which = competition_and_number(number)
    with open_client(context) as client:
        if watch:
            _show_end(follow(client, competition, which, timeout), as_json=as_json)
        rerun = client.rerun(competition, which)
    _show(rerun, as_json=as_json)


def _show(rerun: RerunRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(rerun)
        return
    for line in rerun_text(rerun):
        say(line)


def _show_end(rerun: RerunRecord, *, as_json: bool) -> None:
    _show(rerun, as_json=as_json)
    raise typer.Exit(exit_code_for(rerun))


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="Score submissions again; the old results stay until the new ones are adopted.")
    commands = (
        ("start", start),
        ("list", list_reruns),
        ("show", show),
        ("report", report),
        ("adopt", adopt),
        ("pause", pause),
        ("resume", resume),
        ("cancel", cancel),
    )
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="rerun", no_args_is_help=True, rich_help_panel=ORGANIZING)
