"""To whom a campaign goes, as options; and a message as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from podium.platform.cli.session import competition_and
from podium.platform.errors import InvalidInput
from podium.platform.records.mail import AudienceRecord

CampaignWords = Annotated[
    list[str],
    typer.Argument(
        metavar="[SLUG] NUMBER",
        help="A campaign's number; before it the competition, where it is not the one of `podium config`.",
    ),
]
SubjectOption = Annotated[
    str | None,
    typer.Option(
        "--subject", metavar="TEXT", help="By default the file's first line, `Subject: ...`.", show_default=False
    ),
]
PhaseOption = Annotated[
    str | None,
    typer.Option(
        "--phase", metavar="PHASE", help="Who submitted in this phase, by its number or name.", show_default=False
    ),
]
WithOption = Annotated[
    bool | None,
    typer.Option("--with-submission/--without-submission", help="Who has submitted, or has not.", show_default=False),
]
FailedOption = Annotated[bool, typer.Option("--failed", help="Whose latest submission has failed.")]
TopOption = Annotated[
    int | None,
    typer.Option("--top", metavar="NUMBER", min=1, help="At one of the first ranks.", show_default=False),
]
StatusOption = Annotated[
    str,
    typer.Option("--participants", metavar="STATUS", help="Participants who are `approved`, `pending`, or `all`."),
]
OtherStatusOption = Annotated[
    str | None,
    typer.Option(
        "--participants",
        metavar="STATUS",
        help="Participants who are `approved`, `pending`, or `all`.",
        show_default=False,
    ),
]
OrganizersOption = Annotated[bool, typer.Option("--organizers", help="The organizers instead.")]
PersonOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="USERNAME", help="This person instead; may be repeated.", show_default=False),
]
_STATUSES = {"approved": "approved", "pending": "pending", "all": None}


def audience_from(
    *,
    phase: str | None,
    submitted: bool | None,
    failed: bool,
    top: int | None,
    status: str,
    organizers: bool,
    people: list[str] | None,
) -> AudienceRecord:
    """To whom it goes, as the options say.

    Raises:
        BadParameter: They say it in two ways.
    """
    if status not in _STATUSES:
        raise typer.BadParameter(f"{status!r} is none of: {', '.join(_STATUSES)}.", param_hint="--participants")
    if organizers and people:
        raise typer.BadParameter("--organizers and --to can't be had together.")
    who = "organizers" if organizers else "people" if people else "participants"
    return AudienceRecord(
        who=who,
        status=_STATUSES[status],
        phase=phase,
        submitted=submitted,
        failed=failed,
        top=top,
        usernames=tuple(people or ()),
    )


def campaign_number(words: list[str]) -> tuple[str, int]:
    """The competition and the campaign in it that `[SLUG] NUMBER` names.

    Raises:
        BadParameter: The last word is no number; or as for `competition_and`.
    """
    if not words[-1].removeprefix("#").isdecimal():
        raise typer.BadParameter(f"{words[-1]!r} is not a campaign's number: `podium mail list` has them.")
    slug, number = competition_and(words, "NUMBER")
    return slug, int(number.removeprefix("#"))


def read_message(file: Path, subject: str | None) -> tuple[str, str]:
    """Subject and text of a message in a file; `-` is what is written to the command.

    Raises:
        InvalidInput: The file can't be read, or nothing says what the subject is.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"The message's file {file} can't be read: {reason}.") from error
    first, _, rest = text.lstrip("\ufeff").partition("\n")
    if first.lower().startswith("subject:"):
        return subject or first.partition(":")[2].strip(), rest.lstrip("\n")
    if not subject:
        raise InvalidInput(
            "The message has no subject.", remedy="Begin the file with a line `Subject: ...`, or give --subject."
        )
    return subject, text
