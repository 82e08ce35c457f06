"""`podium participant allow` and `allowances`: what single participants may do on top of a phase's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.allowances import extra_text
from podium.platform.cli.listings import Field, form_of, show_json, show_list, shown_actor
from podium.platform.cli.options import CompetitionArgument, CsvOption, JsonOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable
from podium.platform.records.people import ExtraAllowanceRecord

_FIELDS: Sequence[Field[ExtraAllowanceRecord]] = (
    Field("username", lambda one: one.participant),
    Field("phase", lambda one: one.phase),
    Field("per day", lambda one: one.per_window, is_number=True),
    Field("in all", lambda one: one.total, is_number=True),
    Field("at once", lambda one: one.concurrent, is_number=True),
    Field("reason", lambda one: one.reason, may_wrap=True),
    Field("by", lambda one: shown_actor(one.granted_by)),
    Field("since", lambda one: one.created, may_wrap=True),
)


def allow(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The competition.")],
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="Whom.")],
    *,
    phase: Annotated[
        str, typer.Option("--phase", metavar="PHASE", help="In which phase, by its number from 1 or its name.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for organizers and the participant.")],
    per_day: Annotated[
        int | None,
        typer.Option("--per-day", min=0, help="So many more a day, or in the phase's window.", show_default=False),
    ] = None,
    total: Annotated[
        int | None, typer.Option("--total", min=0, help="So many more in all.", show_default=False)
    ] = None,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=0, help="So many more at the same time.", show_default=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take back what was allowed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Allow a participant more than the phase does, instead of what they were allowed before."""
    given = any(count is not None for count in (per_day, total, at_once))
    if none and given:
        raise typer.BadParameter("--none can't be had together with others.")
    if not none and not given:
        raise typer.BadParameter("Say how many more: --per-day, --total, --at-once, or --none.")
    with open_client(context) as client:
        record = client.allow_extra(
            slug,
            phase,
            username,
            reason=reason,
            per_window=per_day or 0,
            total=total or 0,
            concurrent=at_once or 0,
        )
    if as_json:
        show_json(record)
        return
    words = extra_text(record, "a day or in its window") or "no more than the others"
    note(printable(f"{record.participant} may submit {words} in phase {record.phase} of {slug}"))


def allowances(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    phase: Annotated[
        str | None,
        typer.Option("--phase", metavar="PHASE", help="Of this phase; by default of all.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List who was allowed more than the phases do."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        competition = competition_slug(slug)
        phases = [phase] if phase else [one.number for one in client.competition(competition).phases]
        found = [record for one in phases for record in client.extra_allowances(competition, one)]
    show_list(found, _FIELDS, form, empty="Nobody is allowed more than the others.")
