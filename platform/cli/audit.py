"""`podium audit`: what organizers and administrators did."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_list
from podium.platform.cli.moments import moment_from
from podium.platform.cli.options import ORGANIZING, CsvOption, JsonOption
from podium.platform.cli.session import open_client
from podium.platform.records.access import AuditRecord

_FIELDS: Sequence[Field[AuditRecord]] = (
    Field("time", lambda one: one.time, may_wrap=True),
    Field("by", lambda one: one.username),
    Field("as", lambda one: one.role),
    Field("act", lambda one: one.act, may_wrap=True),
    Field("competition", lambda one: one.competition),
    Field("what", lambda one: one.object, may_wrap=True),
    Field("before", lambda one: one.before, may_wrap=True),
    Field("after", lambda one: one.after, may_wrap=True),
    Field("reason", lambda one: one.reason, may_wrap=True),
)
# A terminal is too narrow for what a program may want.
_ALL_FIELDS: Sequence[Field[AuditRecord]] = (
    *_FIELDS,
    Field("token", lambda one: one.token),
    Field("address", lambda one: one.address),
    Field("route", lambda one: one.route),
    Field("request", lambda one: one.request_id),
    Field("id", lambda one: one.id),
)


def audit(
    context: typer.Context,
    slug: Annotated[
        str | None, typer.Argument(metavar="[SLUG]", help="The competition; without, everything.", show_default=False)
    ] = None,
    *,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="From then on.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Before then.", show_default=False)
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--actor", metavar="USERNAME", help="By this person.", show_default=False)
    ] = None,
    act: Annotated[
        str | None, typer.Option("--act", metavar="WORDS", help="Acts with these words.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many lines at most.")] = 100,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show what organizers did to a competition, the latest first; for administrators, all that was done."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        lines = client.each_audit_entry(
            slug,
            since=moment_from(since, "--since") if since else None,
            until=moment_from(until, "--until") if until else None,
            actor=actor,
            act=act,
        )
        found = tuple(islice(lines, limit))
    show_list(found, _ALL_FIELDS if as_csv else _FIELDS, form, empty="Nothing was done.")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("audit", rich_help_panel=ORGANIZING)(audit)
