"""`podium phase`: list the phases of a competition, pause and resume them, change dates and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import typer

from podium.platform.cli.competition_text import PHASE_FIELDS, limits_text, notices
from podium.platform.cli.listings import Field, Form, form_of, show_json, show_list, shown_time
from podium.platform.cli.moments import NONE, moment_from
from podium.platform.cli.options import ORGANIZING, CompetitionArgument, CsvOption, JsonOption, PhaseWords
from podium.platform.cli.session import competition_and, competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord

# For programs, one number a column instead of words.
_CSV_FIELDS: Sequence[Field[PhaseRecord]] = (
    Field("number", lambda one: one.number),
    Field("phase", lambda one: one.name),
    Field("status", lambda one: one.status),
    Field("paused", lambda one: one.paused),
    Field("start", lambda one: one.start),
    Field("end", lambda one: one.end),
    Field("per window", lambda one: one.max_submissions_per_day),
    Field("window", lambda one: one.submission_window),
    Field("time zone", lambda one: one.time_zone),
    Field("in all", lambda one: one.max_submissions),
    Field("at once", lambda one: one.max_concurrent_submissions),
)
_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "--per-day": "max_submissions_per_day",
        "--total": "max_submissions",
        "--at-once": "max_concurrent_submissions",
    }
)


def list_phases(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the phases of a competition: their dates, limits, and which are paused."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        phases = client.competition(competition_slug(slug)).phases
    show_list(phases, _CSV_FIELDS if form is Form.CSV else PHASE_FIELDS, form, empty="There are no phases.")
    if form is Form.TABLE:
        for line in notices(phases):
            say(printable(line))


def pause(
    context: typer.Context,
    phase: PhaseWords,
    *,
    message: Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="Why, for participants.")],
    as_json: JsonOption = False,
) -> None:
    """Take no submissions until the phase is resumed. What was submitted before is scored."""
    slug, name = competition_and(phase, "PHASE")
    with open_client(context) as client:
        record = client.pause_phase(slug, name, message)
    _show(record, name, as_json=as_json)


def resume(context: typer.Context, phase: PhaseWords, *, as_json: JsonOption = False) -> None:
    """Take submissions again."""
    slug, name = competition_and(phase, "PHASE")
    with open_client(context) as client:
        record = client.resume_phase(slug, name)
    _show(record, name, as_json=as_json)


def change(
    context: typer.Context,
    phase: PhaseWords,
    *,
    start: Annotated[
        str | None, typer.Option("--start", metavar="WHEN", help="When it begins.", show_default=False)
    ] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="WHEN", help="When it ends.", show_default=False)] = None,
    without_end: Annotated[bool, typer.Option("--without-end", help="Let it have no end, as the last may.")] = False,
    per_day: Annotated[
        str | None,
        typer.Option(
            "--per-day", metavar="NUMBER", help="For each participant a day, or in its window.", show_default=False
        ),
    ] = None,
    total: Annotated[
        str | None, typer.Option("--total", metavar="NUMBER", help="For each participant in all.", show_default=False)
    ] = None,
    at_once: Annotated[
        str | None,
        typer.Option("--at-once", metavar="NUMBER", help="For each participant at the same time.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a phase's dates and limits; what is not given stays. It holds for submissions from now on.

    WHEN is a date, in UTC where it has no time zone, or `now`. NUMBER may be `none` for no limit.
    """
    limits = {"--per-day": per_day, "--total": total, "--at-once": at_once}
    texts = {option: text for option, text in limits.items() if text is not None}
    without_end = without_end or end == NONE
    if without_end and end not in (None, NONE):
        raise typer.BadParameter("--end and --without-end can't be had together.")
    if not texts and start is None and end is None and not without_end:
        raise typer.BadParameter("Say what to change: --start, --end, --without-end, --per-day, --total or --at-once.")
    if at_once == "0":
        raise typer.BadParameter("It is 1 at least: `podium phase pause` takes none at all.", param_hint="--at-once")
    numbers = {_LIMITS[option]: limit_from(text, option) for option, text in texts.items() if text != NONE}
    slug, name = competition_and(phase, "PHASE")
    with open_client(context) as client:
        record = client.change_phase(
            slug,
            name,
            start=None if start is None else moment_from(start, "--start"),
            end=None if end is None or without_end else moment_from(end, "--end"),
            without_end=without_end or None,
            **numbers,
            without_limits=tuple(_LIMITS[option] for option, text in texts.items() if text == NONE),
        )
    _show(record, name, as_json=as_json)


def limit_from(text: str, option: str) -> int:
    """A limit as it was typed.

    Raises:
        BadParameter: It is no whole number.
    """
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a whole number nor `none`.", param_hint=option)
    return int(text)


def _show(record: CompetitionRecord, name: str, *, as_json: bool) -> None:
    if as_json:
        show_json(record)
        return
    for phase in record.phases:
        if name == str(phase.number) or name.casefold() == phase.name.casefold():
            note(printable(f"Phase {phase.name} of {record.summary.slug} {_state(phase)}"))


def _state(phase: PhaseRecord) -> str:
    if phase.paused:
        return f"is paused: {phase.pause_message}"
    until = f"until {shown_time(phase.end)}" if phase.end else "without an end"
    return f"is {phase.status}: from {shown_time(phase.start)} {until}; {limits_text(phase)}"


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="See the phases of a competition, pause them, change their dates and limits.")
    for name, command in (("list", list_phases), ("pause", pause), ("resume", resume), ("change", change)):
        group.command(name)(command)
    app.add_typer(group, name="phase", no_args_is_help=True, rich_help_panel=ORGANIZING)
