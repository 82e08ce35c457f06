"""`podium mail`: write to participants, once each; and choose what mail one gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from podium.platform.cli import mail_delivery, mail_own
from podium.platform.cli.listings import Field, form_of, show_json, show_list
from podium.platform.cli.mail_options import (
    CampaignWords,
    FailedOption,
    OrganizersOption,
    OtherStatusOption,
    PersonOption,
    PhaseOption,
    StatusOption,
    SubjectOption,
    TopOption,
    WithOption,
    audience_from,
    campaign_number,
    read_message,
)
from podium.platform.cli.mail_text import campaign_text, count_text, progress_text
from podium.platform.cli.moments import NONE, moment_from
from podium.platform.cli.options import ORGANIZING, CompetitionArgument, CsvOption, JsonOption, YesOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable, require_yes, say
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import CampaignRecord

if TYPE_CHECKING:
    from podium.platform.client import Client

_FIELDS: Sequence[Field[CampaignRecord]] = (
    Field("number", lambda one: one.number, is_number=True),
    Field("created", lambda one: one.created, may_wrap=True),
    Field("status", lambda one: one.status.value),
    Field("subject", lambda one: one.subject, may_wrap=True),
    Field("to", lambda one: one.audience, may_wrap=True),
    Field("by", lambda one: one.author),
    Field("total", lambda one: one.total, is_number=True),
    Field("sent", lambda one: one.count(MailStatus.SENT), is_number=True),
    Field("refused", lambda one: one.count(MailStatus.FAILED), is_number=True),
    Field("unsettled", lambda one: one.count(MailStatus.UNSETTLED), is_number=True),
)
MessageFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The message in Markdown; `-` for what is written to the command.")
]


def draft(
    context: typer.Context,
    file: MessageFile,
    slug: CompetitionArgument = None,
    *,
    subject: SubjectOption = None,
    phase: PhaseOption = None,
    submitted: WithOption = None,
    failed: FailedOption = False,
    top: TopOption = None,
    participants: StatusOption = "approved",
    organizers: OrganizersOption = False,
    to: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a campaign; nothing is sent yet. Its number is the first line on stdout.

    What is written as {{name}} is filled in for each recipient: name, username, rank, score, competition, phase,
    competition_link, leaderboard_link, submit_link, submissions_link and unsubscribe_link.
    """
    audience = audience_from(
        phase=phase, submitted=submitted, failed=failed, top=top, status=participants, organizers=organizers, people=to
    )
    title, body = read_message(file, subject)
    with open_client(context) as client:
        competition = competition_slug(slug)
        campaign = client.draft_campaign(competition, subject=title, body=body, audience=audience)
        count = client.count_recipients(competition, audience)
    if as_json:
        show_json(campaign)
        return
    say(str(campaign.number))
    for line in (*count_text(count), *campaign_text(campaign)):
        note(line)


def edit(
    context: typer.Context,
    number: CampaignWords,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The message in Markdown.", show_default=False)
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="TEXT", help="Another subject.", show_default=False)
    ] = None,
    phase: PhaseOption = None,
    submitted: WithOption = None,
    failed: FailedOption = False,
    top: TopOption = None,
    participants: OtherStatusOption = None,
    organizers: OrganizersOption = False,
    to: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write something else in a campaign that is not approved, or to others.

    With any option about people, these alone say to whom it goes, as for a new one.
    """
    audience = None
    if submitted is not None or any((phase, failed, top, participants, organizers, to)):
        status = participants or "approved"
        audience = audience_from(
            phase=phase, submitted=submitted, failed=failed, top=top, status=status, organizers=organizers, people=to
        )
    if file is None and subject is None and audience is None:
        raise typer.BadParameter("Say what to change: --file FILE, --subject TEXT, or to whom it goes.")
    competition, which = campaign_number(number)
    with open_client(context) as client:
        body = None
        if file is not None:
            subject, body = read_message(file, subject or client.campaign(competition, which).subject)
        campaign = client.change_campaign(competition, which, subject=subject, body=body, audience=audience)
        count = client.count_recipients(competition, audience) if audience is not None else None
    if count is not None:
        for line in count_text(count):
            note(line)
    _show(campaign, as_json=as_json)


def count(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    phase: PhaseOption = None,
    submitted: WithOption = None,
    failed: FailedOption = False,
    top: TopOption = None,
    participants: StatusOption = "approved",
    organizers: OrganizersOption = False,
    to: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count to whom a campaign would go now; nothing is changed."""
    audience = audience_from(
        phase=phase, submitted=submitted, failed=failed, top=top, status=participants, organizers=organizers, people=to
    )
    with open_client(context) as client:
        found = client.count_recipients(competition_slug(slug), audience)
    if as_json:
        show_json(found)
        return
    for line in count_text(found):
        say(line)


def list_campaigns(
    context: typer.Context, slug: CompetitionArgument = None, *, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the campaigns of a competition, the latest first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        found = client.campaigns(competition_slug(slug))
    show_list(found, _FIELDS, form, empty="There is no campaign.")


def preview(
    context: typer.Context,
    number: CampaignWords,
    *,
    username: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="USERNAME", help="By default the participant who joined first.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write its HTML to a file too.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a campaign's message as one recipient gets it; nothing is sent."""
    competition, which = campaign_number(number)
    with open_client(context) as client:
        found = client.preview_campaign(competition, which, username=username)
    if html is not None:
        html.write_text(found.html, encoding="utf-8")
        note(f"Written: {html}")
    if as_json:
        show_json(found)
        return
    for name, value in found.headers.items():
        say(printable(f"{name}: {value}"))
    say()
    say(printable(found.text))
    if found.left_out:
        note(f"This person gets none: {found.left_out}.")


def test(context: typer.Context, number: CampaignWords) -> None:
    """Send a campaign's message to yourself alone."""
    competition, which = campaign_number(number)
    with open_client(context) as client:
        client.test_campaign(competition, which)
    note("It is on its way to your own address.")


def approve(
    context: typer.Context, number: CampaignWords, *, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Approve a campaign as it is, after showing it. With the last approval, its recipients are fixed."""
    competition, which = campaign_number(number)
    with open_client(context) as client:
        campaign = client.campaign(competition, which)
        if campaign.status not in {CampaignStatus.DRAFT, CampaignStatus.PROPOSED}:
            campaign = client.approve_campaign(competition, which, version=campaign.version)  # which says why not
        for line in (*campaign_text(campaign), "", *printable(campaign.body).splitlines(), ""):
            note(line)
        for line in count_text(client.count_recipients(competition, campaign.question)):
            note(line)
        require_yes(f"Approve campaign {which}?", yes=yes)
        campaign = client.approve_campaign(competition, which, version=campaign.version)
    _show(campaign, as_json=as_json)


def withdraw(context: typer.Context, number: CampaignWords, *, as_json: JsonOption = False) -> None:
    """Make an approved campaign a draft again, before its first message."""
    _tell(context, number, lambda client, slug, which: client.withdraw_campaign(slug, which), as_json=as_json)


def schedule(
    context: typer.Context,
    number: CampaignWords,
    *,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When; `none` for when somebody says so.")],
    as_json: JsonOption = False,
) -> None:
    """Send an approved campaign at some time."""
    when = None if at == NONE else moment_from(at, "--at")
    _tell(context, number, lambda client, slug, which: client.schedule_campaign(slug, which, when), as_json=as_json)


def _tell(
    context: typer.Context, number: list[str], call: Callable[[Client, str, int], CampaignRecord], *, as_json: bool
) -> None:
    competition, which = campaign_number(number)
    with open_client(context) as client:
        campaign = call(client, competition, which)
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


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="Write to participants, once each; and choose what mail you get.")
    commands: Sequence[tuple[str, Callable[..., None]]] = (
        ("draft", draft),
        ("edit", edit),
        ("count", count),
        ("list", list_campaigns),
        ("preview", preview),
        ("test", test),
        ("approve", approve),
        ("withdraw", withdraw),
        ("schedule", schedule),
        *mail_delivery.COMMANDS,
        *mail_own.COMMANDS,
    )
    for name, command in commands:
        group.command(name)(command)
    app.add_typer(group, name="mail", no_args_is_help=True, rich_help_panel=ORGANIZING)
