"""How people want mail, the way out of it that needs no sign-in, and what is told of mail that came back."""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from podium.platform import audit, competitions
from podium.platform.errors import InvalidInput, NotAuthenticated, NotFound
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.mail_page import POLICY, confirm_page, stop_page
from podium.platform.gateway.mail_requests import FrequencyChoice, StopChoice, ToldNotice
from podium.platform.gateway.services import Services, WithServices
from podium.platform.mail import confirming, preferences, returned, suppressions
from podium.platform.mail.configuration import read_secret, require_mail
from podium.platform.mail.driving import links_of
from podium.platform.mail.links import CONFIRM_PATH, UNSUBSCRIBE_PATH, Subscription
from podium.platform.models import Competition, MailKind, Person, now
from podium.platform.records.mail import MailPreferences, SuppressionRecord

router = APIRouter(tags=["mail"])
_HEADERS = {"Content-Security-Policy": POLICY}
_SHOWN = 1000
Signature = Annotated[str, Header(alias=returned.SIGNATURE, max_length=200)]


@router.get("/me/mail")
def read_own_mail(services: WithServices, caller: WithCaller) -> MailPreferences:
    """How one wants mail, and whether any reaches one."""
    assert caller.person_id is not None
    with services.database.session() as session:
        return preferences.preferences_of(session, caller.person_id)


@router.put("/me/mail/kinds/{kind}")
def choose_own_mail(
    kind: MailKind, services: WithServices, caller: WithCaller, body: FrequencyChoice
) -> MailPreferences:
    """Choose how one wants mail of a kind."""
    assert caller.person_id is not None
    with services.database.session() as session:
        preferences.set_frequency(session, caller.person_id, kind, body.frequency)
        session.flush()
        return preferences.preferences_of(session, caller.person_id)


@router.put("/me/mail/competitions/{slug}")
def stop_own_mail(slug: str, services: WithServices, caller: WithCaller, body: StopChoice) -> MailPreferences:
    """Stop the announcements of a competition, or have them again."""
    assert caller.person_id is not None
    with services.database.session() as session:
        competition = competitions.find_competition(session, slug, caller)
        subscription = Subscription(caller.person_id, MailKind.ANNOUNCEMENT, competition.id)
        (preferences.stop if body.stopped else preferences.allow)(session, subscription)
        return preferences.preferences_of(session, caller.person_id)


@router.get(f"{UNSUBSCRIBE_PATH}/{{token}}", response_class=HTMLResponse)
def read_unsubscribe(token: str, services: WithServices) -> HTMLResponse:
    """The page behind the link in a message. Mail programs open links by themselves: this one changes nothing."""
    with services.database.session() as session:
        try:
            subscription = links_of(services.settings).subscription(token)
        except NotFound as error:
            return HTMLResponse(f"<!DOCTYPE html><title>Podium</title><p>{escape(str(error))}", 404, _HEADERS)
        return _page(session, subscription)


@router.post(f"{UNSUBSCRIBE_PATH}/{{token}}", response_class=HTMLResponse)
async def unsubscribe(token: str, services: WithServices, request: Request) -> HTMLResponse:
    """Stop the messages of a link: by its page, or in one click from a mail program (RFC 8058)."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    return await run_in_threadpool(_unsubscribe, services, token, form.get("act", ["stop"])[0])


def _unsubscribe(services: Services, token: str, act: str) -> HTMLResponse:
    subscription = links_of(services.settings).subscription(token)
    with services.database.session() as session:
        if act == "again":
            preferences.allow(session, subscription)
            everything = Subscription(subscription.person_id, subscription.kind)
            if preferences.is_stopped(session, everything):
                preferences.allow(session, everything)
        elif act == "all":
            preferences.stop(session, Subscription(subscription.person_id, subscription.kind))
        else:
            preferences.stop(session, subscription)
        return _page(session, subscription)


def _page(session: Session, subscription: Subscription) -> HTMLResponse:
    of = subscription.competition_id
    everything = Subscription(subscription.person_id, subscription.kind)
    is_all_stopped = preferences.is_stopped(session, everything)
    if of is None:
        page = stop_page(_KINDS.get(subscription.kind, "such messages"), is_stopped=is_all_stopped)
    else:
        competition = session.get(Competition, of)
        title = competition.title if competition is not None else "a competition"
        if is_all_stopped:
            page = stop_page("announcements of any competition", is_stopped=True)
        else:
            is_stopped = preferences.is_stopped(session, subscription)
            page = stop_page(f"announcements of {title}", is_stopped=is_stopped, wider="those of all competitions")
    return HTMLResponse(page, headers=_HEADERS)


_KINDS = {
    MailKind.ANNOUNCEMENT: "announcements of competitions",
    MailKind.SUBMISSION: "messages about your submissions",
    MailKind.REGISTRATION: "messages about your registrations",
    MailKind.PHASE: "messages about phases",
    MailKind.RANK: "messages about your rank",
    MailKind.AGENT: "messages about agents",
    MailKind.DIGEST: "the daily summary",
}


@router.post("/me/mail/confirmation")
def ask_for_confirmation(services: WithServices, caller: WithCaller) -> MailPreferences:
    """Be asked, by a message, whether one's address is one's own."""
    require_mail(services.settings)
    assert caller.person_id is not None
    with services.database.session() as session:
        confirming.ask(session, session.get_one(Person, caller.person_id), links_of(services.settings))
        return preferences.preferences_of(session, caller.person_id)


@router.get(f"{CONFIRM_PATH}/{{token}}", response_class=HTMLResponse)
def read_confirmation(token: str, services: WithServices) -> HTMLResponse:
    """The page behind the link in that message. It changes nothing."""
    with services.database.session() as session:
        try:
            person = confirming.read(session, token, links_of(services.settings))
        except NotFound as error:
            return HTMLResponse(f"<!DOCTYPE html><title>Podium</title><p>{escape(str(error))}", 404, _HEADERS)
        page = confirm_page(person.email, is_confirmed=person.email_confirmed is not None)
        return HTMLResponse(page, headers=_HEADERS)


@router.post(f"{CONFIRM_PATH}/{{token}}", response_class=HTMLResponse)
def confirm_address(token: str, services: WithServices) -> HTMLResponse:
    """Say that an address is one's own: whoever has the link gets mail there."""
    with services.database.session() as session:
        person = confirming.read(session, token, links_of(services.settings))
        confirming.confirm(person)
        return HTMLResponse(confirm_page(person.email, is_confirmed=True), headers=_HEADERS)


@router.post("/mail/notices", status_code=204, response_class=Response)
async def tell_of_mail(services: WithServices, request: Request, signature: Signature = "") -> None:
    """What a service that sends mail tells of a message, signed: that it came back, or that somebody complained."""
    body = await _signed_body(services, request, signature)
    try:
        told = ToldNotice.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInput("; ".join(f"{one['loc']}: {one['msg']}" for one in error.errors())) from None
    notice = returned.told_notice(told.message_id, told.event, told.status, told.detail)
    await run_in_threadpool(_take, services, notice)


@router.post("/mail/returned", status_code=204, response_class=Response)
async def return_mail(services: WithServices, request: Request, signature: Signature = "") -> None:
    """A message that a mail server sent back, as it came, signed."""
    body = await _signed_body(services, request, signature)
    notice = await run_in_threadpool(returned.read_notice, body)
    if notice is None:
        raise InvalidInput("This tells of no message of ours.", remedy="Throw it away.")
    await run_in_threadpool(_take, services, notice)


async def _signed_body(services: Services, request: Request, signature: str) -> bytes:
    body = await request.body()
    faults: list[str] = []
    settings = services.settings
    secret = read_secret("MAIL_SECRET_FILE", settings.mail_secret, settings.mail_secret_file, faults)
    if faults or not secret:
        raise NotAuthenticated(
            "Nothing is taken here: there is no secret to sign it with.", remedy="Set PODIUM_MAIL_SECRET."
        )
    returned.require_signed(secret, signature, body, now())
    return body


def _take(services: Services, notice: returned.Notice) -> None:
    with services.database.session() as session:
        if not returned.take_notice(session, notice):
            raise InvalidInput("This tells of no message of ours.", remedy="Throw it away.")


@router.get("/mail/suppressions")
def list_suppressions(services: WithServices) -> list[SuppressionRecord]:
    """Addresses to which nothing is sent any more, the latest first."""
    with services.database.session() as session:
        return [
            SuppressionRecord(one.address, str(one.cause), one.detail, one.created)
            for one in suppressions.list_suppressions(session, limit=_SHOWN)
        ]


@router.delete("/mail/suppressions/{address}", status_code=204)
def allow_address(address: str, services: WithServices) -> None:
    """Send to an address again."""
    with services.database.session() as session:
        suppressions.allow_address(session, address)
        audit.note(session, "address", name=address.lower(), before="nothing is sent there", after="is sent to")
