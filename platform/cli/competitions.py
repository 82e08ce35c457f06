"""`podium competitions` and `podium competition`: find them, look at them, make and publish them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.bundles.report import problems_text
from podium.platform.cli.competition_text import described
from podium.platform.cli.editing import edit
from podium.platform.cli.exports import export, export_submissions
from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.options import (
    ORGANIZING,
    TAKING_PART,
    CompetitionArgument,
    CsvOption,
    JsonOption,
    TimeoutOption,
)
from podium.platform.cli.session import competition_and, competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.cli.transfers import shown_progress
from podium.platform.cli.windows import windows
from podium.platform.lifecycle import BundleStatus, CompetitionStatus
from podium.platform.records.competitions import BundleRecord, CompetitionSummary

_SUMMARY_FIELDS: Sequence[Field[CompetitionSummary]] = (
    Field("slug", lambda one: one.slug),
    Field("title", lambda one: one.title, may_wrap=True),
    Field("phase", lambda one: one.phase),
    Field("deadline", lambda one: one.deadline, may_wrap=True),
    Field("participants", lambda one: one.participants, is_number=True),
    Field("submissions", lambda one: one.submissions, is_number=True),
    Field("reward", lambda one: one.reward, may_wrap=True),
    Field("published", lambda one: one.published),
)


def competitions(
    context: typer.Context,
    *,
    search: Annotated[
        str | None, typer.Option("--search", "-s", help="Only those with these words.", show_default=False)
    ] = None,
    status: Annotated[
        CompetitionStatus | None, typer.Option("--status", help="Only those that are so now.", show_default=False)
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you take part in or organize.")] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the competitions that you may see."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.competitions(search, status=status, mine=mine or None)
    show_list(found, _SUMMARY_FIELDS, form, empty="There are no competitions.")


def show(context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False) -> None:
    """Show a competition: its phases, limits, columns and questions."""
    with open_client(context) as client:
        record = client.competition(competition_slug(slug))
    if as_json:
        show_json(record)
    else:
        say(described(record))


def create(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A bundle: a folder or a zip.")],
    *,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="WHEN",
            help="Move all dates so that the first phase starts then: 'now', or a date such as 2026-05-31T12:00Z.",
        ),
    ] = None,
    slug: Annotated[
        str | None,
        typer.Option("--slug", help="Its name in addresses; by default made from the title.", show_default=False),
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Leave it unpublished.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return when the bundle is uploaded.")] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a competition from a bundle. Its slug is written to stdout."""
    with open_client(context) as client:
        with shown_progress() as on_progress:
            bundle = client.create_competition(
                path,
                start=start,
                slug=slug,
                draft=draft or None,
                wait=False,
                on_progress=on_progress,
            )
        if not no_wait:
            _show_status(bundle)
            bundle = client.wait_for_bundle(bundle, timeout=timeout, on_change=_show_status)
    if as_json:
        show_json(bundle)
        return
    if bundle.problems:
        note(printable(problems_text(bundle.problems)))
    say(bundle.competition or str(bundle.id))


def publish(context: typer.Context, slug: CompetitionArgument = None) -> None:
    """Show a competition to everyone."""
    with open_client(context) as client:
        record = client.publish(competition_slug(slug))
    note(f"{record.summary.slug} is published")


def unpublish(context: typer.Context, slug: CompetitionArgument = None) -> None:
    """Hide a competition from everyone but its organizers."""
    with open_client(context) as client:
        record = client.unpublish(competition_slug(slug))
    note(f"{record.summary.slug} is hidden")


def relax(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="HOST:PORT",
            help="Let programs connect there, and nowhere else; once for each.",
            show_default=False,
        ),
    ] = None,
    root: Annotated[
        bool | None,
        typer.Option("--root/--no-root", help="Run programs as root of their container.", show_default=False),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Relax nothing: have every rule hold again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Do without rules of the sandbox, where operators allow it. Everyone sees it."""
    if none and (network or root is not None):
        raise typer.BadParameter("--none can't be had together with others.")
    if not none and not network and root is None:
        raise typer.BadParameter("Say what to relax: --network HOST:PORT, --root, --no-root, or --none.")
    with open_client(context) as client:
        record = client.relax(
            competition_slug(slug), network=[] if none else network or None, root=False if none else root
        )
    if as_json:
        show_json(record)
        return
    words = " ".join(record.relaxations.in_words()) or "Every rule of the sandbox holds."
    note(printable(f"{record.summary.slug}: {words}"))


def choose_pool(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="[SLUG] POOL", help="A pool that you may use: `podium pools`.")],
) -> None:
    """Have a competition scored in another pool, with all that is queued."""
    slug, pool = competition_and(words, "POOL")
    with open_client(context) as client:
        record = client.choose_pool(slug, pool)
    note(printable(f"{record.summary.slug} is scored in {pool}"))


def _show_status(bundle: BundleRecord) -> None:
    if bundle.status is not BundleStatus.CREATED:
        note(f"The bundle is {bundle.status.value}. {printable(bundle.message)}".rstrip())


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("competitions", rich_help_panel=TAKING_PART)(competitions)
    group = typer.Typer(help="Look at a competition, make one from a bundle, publish it, take it out.")
    commands = (
        ("show", show),
        ("create", create),
        ("edit", edit),
        ("publish", publish),
        ("unpublish", unpublish),
        ("windows", windows),
        ("relax", relax),
        ("pool", choose_pool),
        ("export", export),
        ("export-submissions", export_submissions),
    )
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="competition", no_args_is_help=True, rich_help_panel=ORGANIZING)
