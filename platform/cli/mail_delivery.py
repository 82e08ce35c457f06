"""`podium mail send`, and what one does while it is sent and afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.mail_options import CampaignWords, PersonOption, campaign_number
from podium.platform.cli.mail_text import campaign_text, exit_code_for, progress_text
from podium.platform.cli.options import CsvOption, JsonOption, TimeoutOption, YesOption
from podium.platform.cli.session import open_client
from podium.platform.cli.terminal import is_shown_live, note, printable, require_yes, say
from podium.platform.lifecycle import MailStatus
from podium.platform.records.mail import CampaignRecord, OutboxLine

if TYPE_CHECKING:
    from podium.platform.client import Client

_PAGE = 1000
_FIELDS: Sequence[Field[OutboxLine]] = (
    Field("participant", lambda one: one.username),
    Field("address", lambda one: one.address),
    Field("status", lambda one: one.status.value),
    Field("tries", lambda one: one.attempts, is_number=True),
    Field("again", lambda one: one.due, may_wrap=True),
    Field("ended", lambda one: one.ended, may_wrap=True),
    Field("said", lambda one: one.reply, may_wrap=True),
)


def send(
    context: typer.Context,
    number: CampaignWords,
    *,
    yes: YesOption = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Follow it until everything is sent.")] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a campaign that is approved, now."""
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait.")
    competition, which = campaign_number(number)
    with open_client(context) as client:
        campaign = client.campaign(competition, which)
        note(printable(f"{campaign.subject}: to {campaign.audience}, {campaign.total:,} in all"))
        require_yes(f"Send campaign {which}?", yes=yes)
        campaign = client.send_campaign(competition, which)
        if wait:
            campaign = follow(client, competition, which, timeout)
    _show(campaign, as_json=as_json)
    if wait:
        raise typer.Exit(exit_code_for(campaign))


def show(
    context: typer.Context,
    number: CampaignWords,
    *,
    watch: Annotated[bool, typer.Option("--watch", "--wait", "-w", help="Follow it while it is sent.")] = False,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a campaign is."""
    if timeout is not None and not watch:
        raise typer.BadParameter("--timeout is for --watch.")
    competition, which = campaign_number(number)
    with open_client(context) as client:
        if watch:
            campaign = follow(client, competition, which, timeout)
            _show(campaign, as_json=as_json)
            raise typer.Exit(exit_code_for(campaign))
        campaign = client.campaign(competition, which)
    _show(campaign, as_json=as_json)


def pause(context: typer.Context, number: CampaignWords, *, as_json: JsonOption = False) -> None:
    """Send nothing more of a campaign until it is resumed; what is on the wire arrives."""
    _tell(context, number, lambda client, slug, which: client.pause_campaign(slug, which), as_json=as_json)


def resume(context: typer.Context, number: CampaignWords, *, as_json: JsonOption = False) -> None:
    """Go on with a campaign that is paused."""
    _tell(context, number, lambda client, slug, which: client.resume_campaign(slug, which), as_json=as_json)


def cancel(
    context: typer.Context, number: CampaignWords, *, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Send nothing more of a campaign, ever. Whoever has got it has it."""
    competition, which = campaign_number(number)
    with open_client(context) as client:
        campaign = client.campaign(competition, which)
        note(printable(f"Campaign {which} of {competition} is {progress_text(campaign)}"))
        require_yes(f"Cancel campaign {which}?", yes=yes)
        campaign = client.cancel_campaign(competition, which)
    _said(campaign, as_json=as_json)


def outbox(
    context: typer.Context,
    number: CampaignWords,
    *,
    status: Annotated[
        MailStatus | None, typer.Option("--status", help="Only those of this status.", show_default=False)
    ] = None,
    search: Annotated[
        str, typer.Option("--search", metavar="WORDS", help="In the name or address.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List the messages of a campaign, one for each recipient."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    competition, which = campaign_number(number)
    with open_client(context) as client:
        rows = list[OutboxLine]()
        while True:
            page = client.campaign_outbox(
                competition, which, status=status, search=search, limit=_PAGE, offset=len(rows)
            )
            rows += page.rows
            if not page.rows or len(rows) >= page.total:
                break
    show_list(rows, _FIELDS, form, empty="There is no such message.")


def settle(
    context: typer.Context,
    number: CampaignWords,
    *,
    send_again: Annotated[
        bool | None,
        typer.Option("--send-again/--as-sent", help="Send them again, or take them for sent.", show_default=False),
    ] = None,
    to: PersonOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decide about messages that may have arrived or not, since a sender or a connection died at the wrong moment."""
    if send_again is None:
        raise typer.BadParameter("Say what to do with them: --send-again, or --as-sent.")
    competition, which = campaign_number(number)
    with open_client(context) as client:
        if send_again:
            note("Whoever has got the message already gets it twice.")
            require_yes("Send them again?", yes=yes)
        campaign = client.settle_campaign(competition, which, send_again=send_again, usernames=to or ())
    _said(campaign, as_json=as_json)


def follow(client: Client, slug: str, number: int, timeout: float | None) -> CampaignRecord:
    """Follow a campaign while it is sent.

    Raises:
        WaitedTooLong: The time is over; the campaign goes on.
    """
    with _bar() if is_shown_live() else _lines() as on_change:
        return client.wait_for_campaign(slug, number, timeout=timeout, on_change=on_change)


@contextmanager
def _lines() -> Iterator[Callable[[CampaignRecord], None]]:
    said: list[str] = []

    def tell(campaign: CampaignRecord) -> None:
        line = progress_text(campaign)
        if said != [line]:
            said[:] = [line]
            note(printable(line))

    yield tell


@contextmanager
def _bar() -> Iterator[Callable[[CampaignRecord], None]]:
    # Imported here: only a watched terminal needs them.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def tell(campaign: CampaignRecord) -> None:
            text = escape(printable(progress_text(campaign)))
            waits = campaign.count(MailStatus.QUEUED, MailStatus.SENDING, MailStatus.DEFERRED)
            bars.update(task, description=text, completed=campaign.total - waits, total=campaign.total)

        yield tell


def _tell(
    context: typer.Context, number: list[str], call: Callable[[Client, str, int], CampaignRecord], *, as_json: bool
) -> None:
    competition, which = campaign_number(number)
    with open_client(context) as client:
        _said(call(client, competition, which), as_json=as_json)


def _said(campaign: CampaignRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(campaign)
    else:
        note(printable(f"Campaign {campaign.number} of {campaign.competition} is {progress_text(campaign)}"))


def _show(campaign: CampaignRecord, *, as_json: bool) -> None:
    if as_json:
        show_json(campaign)
        return
    for line in campaign_text(campaign):
        say(line)


COMMANDS: Sequence[tuple[str, Callable[..., None]]] = (
    ("send", send),
    ("show", show),
    ("pause", pause),
    ("resume", resume),
    ("cancel", cancel),
    ("outbox", outbox),
    ("settle", settle),
)
