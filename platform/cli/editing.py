"""`podium competition edit`: changes what a `competition.yaml` or options say, after a look at what that would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from podium.platform.bundles.problems import Severity
from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.listings import show_json
from podium.platform.cli.options import CompetitionArgument, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import can_ask, note, printable, say
from podium.platform.records.content import ContentPreview


def edit(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="PATH", help="A competition.yaml, with its pages beside it."),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="A new title.", show_default=False)] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="What lists say of it.", show_default=False)
    ] = None,
    contact: Annotated[
        str | None, typer.Option("--contact", metavar="ADDRESS", help="Who answers questions.", show_default=False)
    ] = None,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="PATH", help="New terms, which all have to accept again.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what it would do, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before saving.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Change a competition that is there: texts, dates, limits, columns' titles. Whole, or not at all.

    What a file does not have stays as it is; its tasks, programs and data are not touched: see `podium task`.
    """
    given: dict[str, Any] = {"title": title, "description": description, "contact_email": contact}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if terms is not None:
        changes |= {"terms": _text_of(terms), "terms_is_html": terms.suffix.lower() in {".html", ".htm"}}
    if file is None and not changes:
        raise typer.BadParameter("Say what to change: -f PATH, --title, --description, --contact or --terms.")
    with open_client(context) as client:
        name = competition_slug(slug)
        record = client.content(name)
        if file is not None:
            # Imported here: it reads YAML, which most commands don't need.
            from podium.platform.cli.editing_file import changes_in_file  # noqa: PLC0415

            changes = {**changes_in_file(file, record.content), **changes}
        preview = client.preview_content(name, changes)
        if not as_json:
            _show(preview)
        refused = any(problem.severity is Severity.ERROR for problem in preview.problems)
        if as_json:
            show_json(preview)
        if refused:
            raise typer.Exit(ExitCode.JUDGED_BAD)
        if dry_run or not preview.changes:
            return
        if not yes and not as_json:
            _ask()
        client.change_content(name, changes, version=record.version)
    note(f"{printable(name)} is changed")


def _show(preview: ContentPreview) -> None:
    for change in preview.changes:
        say(printable(f"{change.field}: {change.before} → {change.after}"))
    if not preview.changes:
        note("Nothing would change.")
    for words in preview.consequences:
        note(printable(words))
    for problem in preview.problems:
        note(printable(f"{problem.severity.value}: {problem}"))


def _ask() -> None:
    if not can_ask():
        raise typer.BadParameter("Save this with --yes; there is no terminal to ask at.")
    if not typer.confirm("Save this?", err=True):
        note("Nothing was changed.")
        raise typer.Exit(ExitCode.JUDGED_BAD)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} can't be read: {error}") from None
