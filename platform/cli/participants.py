"""`podium join` and `podium participant`: taking part, and deciding who may."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Annotated

import typer

from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.extra_allowances import allow, allowances
from podium.platform.cli.listings import Field, form_of, show_list
from podium.platform.cli.options import ORGANIZING, TAKING_PART, CompetitionArgument, CsvOption, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import can_ask, note, printable, say
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.people import ParticipantRecord

_FIELDS: Sequence[Field[ParticipantRecord]] = (
    Field("username", lambda one: one.username),
    Field("name", lambda one: one.name, may_wrap=True),
    Field("status", lambda one: one.status.value),
    Field("joined", lambda one: one.joined, may_wrap=True),
)
_OUTCOMES = {
    ParticipantStatus.APPROVED: "You take part in {slug}. Submit: podium submit {slug} -f FILE",
    ParticipantStatus.PENDING: "You have asked to take part in {slug}; its organizers will decide.",
    ParticipantStatus.DENIED: "The organizers of {slug} have denied it.",
}

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The competition.")]
Usernames = Annotated[list[str], typer.Argument(metavar="USERNAME...", help="Whom.")]


def join(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="Accept the terms without being asked.")] = False,
) -> None:
    """Take part in a competition, after reading its terms."""
    with open_client(context) as client:
        competition = client.competition(competition_slug(slug))
        if not accept_terms:
            _ask(competition)
        participant = client.join(competition.summary.slug, competition.terms_sha256)
    note(_OUTCOMES[participant.status].format(slug=competition.summary.slug))


def list_participants(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List everyone who asked to take part."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.participants(competition_slug(slug))
    show_list(found, _FIELDS, form, empty="Nobody takes part yet.")


def approve(context: typer.Context, slug: Slug, usernames: Usernames) -> None:
    """Let people take part."""
    _decide(context, slug, usernames, ParticipantStatus.APPROVED)


def deny(context: typer.Context, slug: Slug, usernames: Usernames) -> None:
    """Keep people from taking part."""
    _decide(context, slug, usernames, ParticipantStatus.DENIED)


def _decide(context: typer.Context, slug: str, usernames: Sequence[str], status: ParticipantStatus) -> None:
    with open_client(context) as client:
        for username in usernames:
            participant = client.decide_participant(slug, username, status)
            note(f"{printable(participant.username)} is {participant.status.value}")


def _ask(competition: CompetitionRecord) -> None:
    terms = plain_text(competition.terms) if competition.terms_is_html else competition.terms
    say(f"The terms of {printable(competition.summary.title)}:\n")
    say(printable(terms.strip()) or "(There are none.)")
    say()
    if not can_ask():
        raise typer.BadParameter("Accept these terms with --accept-terms; there is no terminal to ask at.")
    if not typer.confirm("Do you accept these terms?", err=True):
        note("You have not joined.")
        raise typer.Exit(ExitCode.JUDGED_BAD)


class _TextOfHtml(HTMLParser):
    """Gathers the text of a page, a line for each block."""

    _BLOCKS = frozenset({"address", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "pre", "tr"})
    _HIDDEN = frozenset({"script", "style", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # of the base
        if tag in self._BLOCKS:
            self.pieces.append("\n- " if tag == "li" else "\n")
        self._hidden += tag in self._HIDDEN

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN and self._hidden:
            self._hidden -= 1
        if tag in self._BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def plain_text(html: str) -> str:
    """The text of an HTML page for a terminal."""
    parser = _TextOfHtml()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.pieces).split("\n")]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip()


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command("join", rich_help_panel=TAKING_PART)(join)
    group = typer.Typer(help="See who takes part in a competition, decide who may, and who may more.")
    commands = (
        ("list", list_participants),
        ("approve", approve),
        ("deny", deny),
        ("allow", allow),
        ("allowances", allowances),
    )
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="participant", no_args_is_help=True, rich_help_panel=ORGANIZING)
