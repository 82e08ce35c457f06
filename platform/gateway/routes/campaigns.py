"""Campaigns: written, approved, sent and followed by a competition's organizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from podium.platform import competitions
from podium.platform.driven import CAMPAIGNS
from podium.platform.errors import NotFound
from podium.platform.events import campaign_topic
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.mail_requests import (
    Approval,
    CampaignChange,
    Counted,
    NewCampaign,
    Previewed,
    Scheduled,
    Settlement,
)
from podium.platform.gateway.requests import Wait
from podium.platform.gateway.routes.competitions import Limit, Offset
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller, find_person
from podium.platform.lifecycle import MailStatus
from podium.platform.mail import campaigns, recipients, views
from podium.platform.mail.configuration import mail_trouble, require_mail
from podium.platform.mail.driving import links_of
from podium.platform.models import Competition, MailCampaign, Person
from podium.platform.records.mail import CampaignRecord, MessagePreview, OutboxPage, RecipientCount

router = APIRouter(tags=["mail"])
_BASE = "/competitions/{slug}/campaigns"
Words = Annotated[str, Query(max_length=200)]


@router.post(_BASE, status_code=201)
def draft_campaign(slug: str, services: WithServices, caller: WithCaller, body: NewCampaign) -> CampaignRecord:
    """Begin a campaign; nothing is sent, and nobody is chosen yet."""
    assert caller.person_id is not None
    with services.database.session() as session:
        campaign = campaigns.draft_campaign(
            session,
            _organized(session, slug, caller),
            caller.person_id,
            audience=body.audience.asked(),
            subject=body.subject,
            body=body.body,
            actor=caller.actor,
        )
        return _record(session, services, campaign)


@router.post(f"{_BASE}/count")
def count_recipients(slug: str, services: WithServices, caller: WithCaller, body: Counted) -> RecipientCount:
    """How many people a campaign would go to now; nothing is changed."""
    with services.database.session() as session:
        found = recipients.count_recipients(session, _organized(session, slug, caller), body.audience.asked())
        return RecipientCount(found.total, found.left_out, mail_trouble(services.settings))


@router.get(_BASE)
def list_campaigns(slug: str, services: WithServices, caller: WithCaller) -> list[CampaignRecord]:
    """All campaigns, the latest first."""
    with services.database.session() as session:
        competition = _organized(session, slug, caller)
        return views.campaign_records(session, competition, needs_second=services.settings.mail_second_organizer)


@router.get(f"{_BASE}/{{number}}")
async def read_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, seen: int = 0, wait: Wait = 0
) -> CampaignRecord:
    """One campaign; with `wait`, when something of it has changed since the version that was `seen`."""
    record = await run_in_threadpool(_read, services, slug, number, caller)
    if wait and record.version == seen:
        topic = campaign_topic(record.id)
        count = services.notices.count(topic)
        # Once more: what has changed before the notices were counted, no notice will tell.
        record = await run_in_threadpool(_read, services, slug, number, caller)
        if record.version == seen and await services.notices.wait(topic, count, wait):
            record = await run_in_threadpool(_read, services, slug, number, caller)
    return record


@router.patch(f"{_BASE}/{{number}}")
def change_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, body: CampaignChange
) -> CampaignRecord:
    """Write something else; whoever does so is its author from now on."""
    assert caller.person_id is not None
    with services.database.session() as session:
        campaign = _locked(session, slug, number, caller)
        campaigns.change_campaign(
            session,
            campaign,
            caller.person_id,
            audience=body.audience.asked() if body.audience is not None else None,
            subject=body.subject,
            body=body.body,
            seen=body.version,
            actor=caller.actor,
        )
        return _record(session, services, campaign)


@router.post(f"{_BASE}/{{number}}/preview")
def preview_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, body: Previewed
) -> MessagePreview:
    """The message as one recipient gets it; nothing is sent."""
    configuration = require_mail(services.settings)
    with services.database.session() as session:
        campaign = campaigns.find_campaign(session, _organized(session, slug, caller), number)
        person = _shown_for(session, campaign, body.username)
        is_known = caller.is_administrator or person.id == caller.person_id
        links = links_of(services.settings)
        return views.preview(session, campaign, person, configuration, links, show_address=is_known)


@router.post(f"{_BASE}/{{number}}/test")
def test_campaign(slug: str, number: int, services: WithServices, caller: WithCaller) -> CampaignRecord:
    """Send the message to oneself alone."""
    require_mail(services.settings)
    with services.database.session() as session:
        campaign = campaigns.find_campaign(session, _organized(session, slug, caller), number)
        person = session.get_one(Person, caller.person_id)
        views.queue_test(session, campaign, person, links_of(services.settings))
        return _record(session, services, campaign)


@router.post(f"{_BASE}/{{number}}/approve")
def approve_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, body: Approval
) -> CampaignRecord:
    """Approve it as it was read; with the last approval that it needs, its recipients are fixed."""
    assert caller.person_id is not None
    with services.database.session() as session:
        campaign = _locked(session, slug, number, caller)
        campaigns.approve_campaign(
            session,
            campaign,
            caller.person_id,
            seen=body.version,
            needs_second=services.settings.mail_second_organizer,
            actor=caller.actor,
        )
        return _record(session, services, campaign)


@router.post(f"{_BASE}/{{number}}/withdraw")
def withdraw_campaign(slug: str, number: int, services: WithServices, caller: WithCaller) -> CampaignRecord:
    """Make it a draft again, before the first message."""
    return _tell(services, slug, number, caller, campaigns.withdraw_campaign)


@router.put(f"{_BASE}/{{number}}/schedule")
def schedule_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, body: Scheduled
) -> CampaignRecord:
    """Send it at some time, or take that back."""
    require_mail(services.settings)
    with services.database.session() as session:
        campaign = _locked(session, slug, number, caller)
        campaigns.schedule_campaign(session, campaign, body.when, actor=caller.actor)
        return _record(session, services, campaign)


@router.post(f"{_BASE}/{{number}}/send")
def send_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> CampaignRecord:
    """Send it now."""
    require_mail(services.settings)
    record = _tell(services, slug, number, caller, campaigns.send_campaign)
    background.add_task(services.dispatcher.drive, CAMPAIGNS, record.id)
    return record


@router.post(f"{_BASE}/{{number}}/pause")
def pause_campaign(slug: str, number: int, services: WithServices, caller: WithCaller) -> CampaignRecord:
    """Send nothing more until it is resumed."""
    return _tell(services, slug, number, caller, campaigns.pause_campaign)


@router.post(f"{_BASE}/{{number}}/resume")
def resume_campaign(
    slug: str, number: int, services: WithServices, caller: WithCaller, background: BackgroundTasks
) -> CampaignRecord:
    """Go on with one that is paused."""
    require_mail(services.settings)
    record = _tell(services, slug, number, caller, campaigns.resume_campaign)
    background.add_task(services.dispatcher.drive, CAMPAIGNS, record.id)
    return record


@router.post(f"{_BASE}/{{number}}/cancel")
def cancel_campaign(slug: str, number: int, services: WithServices, caller: WithCaller) -> CampaignRecord:
    """Send nothing more of it, ever."""
    return _tell(services, slug, number, caller, campaigns.cancel_campaign)


@router.post(f"{_BASE}/{{number}}/settle")
def settle_campaign(
    slug: str,
    number: int,
    services: WithServices,
    caller: WithCaller,
    body: Settlement,
    background: BackgroundTasks,
) -> CampaignRecord:
    """Decide about messages that may have arrived or not."""
    with services.database.session() as session:
        campaign = _locked(session, slug, number, caller)
        names = tuple(body.usernames)
        campaigns.settle_campaign(session, campaign, names, send_again=body.send_again, actor=caller.actor)
        background.add_task(services.dispatcher.drive, CAMPAIGNS, campaign.id)
        return _record(session, services, campaign)


@router.get(f"{_BASE}/{{number}}/outbox")
def list_outbox(
    slug: str,
    number: int,
    services: WithServices,
    caller: WithCaller,
    status: MailStatus | None = None,
    search: Words = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> OutboxPage:
    """The messages of a campaign, one for each recipient."""
    with services.database.session() as session:
        campaign = campaigns.find_campaign(session, _organized(session, slug, caller), number)
        return views.outbox_page(
            session,
            campaign,
            status=status,
            search=search,
            limit=limit,
            offset=offset,
            show_addresses=caller.is_administrator,
        )


def _organized(session: Session, slug: str, caller: Caller) -> Competition:
    competition = competitions.find_competition(session, slug, caller)
    competitions.require_organizer(competition, caller)
    return competition


def _locked(session: Session, slug: str, number: int, caller: Caller) -> MailCampaign:
    return campaigns.find_campaign(session, _organized(session, slug, caller), number, lock=True)


def _record(session: Session, services: Services, campaign: MailCampaign) -> CampaignRecord:
    session.flush()
    return views.campaign_record(session, campaign, needs_second=services.settings.mail_second_organizer)


def _read(services: Services, slug: str, number: int, caller: Caller) -> CampaignRecord:
    with services.database.session() as session:
        campaign = campaigns.find_campaign(session, _organized(session, slug, caller), number)
        return _record(session, services, campaign)


def _tell(services: Services, slug: str, number: int, caller: Caller, act: Callable[..., None]) -> CampaignRecord:
    with services.database.session() as session:
        campaign = _locked(session, slug, number, caller)
        act(session, campaign, actor=caller.actor)
        return _record(session, services, campaign)


def _shown_for(session: Session, campaign: MailCampaign, username: str | None) -> Person:
    if username is not None:
        # Only of people who could be its recipients anything is shown.
        found = recipients.somebody_of(session, campaign.competition, username)
        if found is None:
            raise NotFound(f"Nobody takes part in '{campaign.competition.slug}' who is named '{username}'.")
        return found
    return recipients.first_of(session, campaign.competition) or find_person(session, campaign.author.username)
