"""Health, people and their tokens."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select, text

from podium.platform import audit, identity, pool_tokens
from podium.platform.competitions import organizes_any
from podium.platform.errors import NotAllowed, PodiumError
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewPerson, NewToken
from podium.platform.gateway.services import WithServices
from podium.platform.identity import add_person, find_person, issue_token
from podium.platform.mail import confirming
from podium.platform.mail.configuration import read_mail
from podium.platform.mail.driving import links_of
from podium.platform.models import Person, Token
from podium.platform.records.people import IssuedToken, PersonRecord, TokenRecord
from podium.platform.records.service import HealthRecord
from podium.platform.version import VERSION

router = APIRouter(tags=["people"])


@router.get("/health")
def health(services: WithServices) -> HealthRecord:
    """Whether the gateway, its database and Prefect answer."""
    parts = {"database": "ok", "prefect": "ok" if services.orchestration.healthy() else "does not answer"}
    try:
        with services.database.session() as session:
            session.execute(text("SELECT 1"))
    except PodiumError as error:
        parts["database"] = error.detail
    status = "ok" if all(part == "ok" for part in parts.values()) else "degraded"
    return HealthRecord(status=status, version=VERSION, parts=parts)


@router.get("/me")
def me(services: WithServices, caller: WithCaller) -> PersonRecord:
    """The person whose token this is."""
    with services.database.session() as session:
        record = person_record(session.get_one(Person, caller.person_id))
        return replace(record, organizes=organizes_any(session, caller.person_id))


@router.get("/people")
def list_people(services: WithServices) -> list[PersonRecord]:
    """Everyone who has an account."""
    with services.database.session() as session:
        return [person_record(person) for person in session.scalars(select(Person).order_by(Person.username))]


@router.post("/people", status_code=201)
def create_person(services: WithServices, body: NewPerson) -> PersonRecord:
    """Register a person."""
    with services.database.session() as session:
        person = add_person(
            session,
            username=body.username,
            email=body.email,
            name=body.name,
            may_organize=body.may_organize,
            email_confirmed=body.email_confirmed,
        )
        if not body.email_confirmed and read_mail(services.settings) is not None:
            session.flush()
            confirming.ask(session, person, links_of(services.settings))
        after = "with an account, may make competitions" if person.may_organize else "with an account"
        audit.note(session, "person", name=person.username, after=after)
        return person_record(person)


@router.post("/people/{username}/tokens", status_code=201)
def create_token(username: str, services: WithServices, caller: WithCaller, body: NewToken) -> IssuedToken:
    """Issue a token: for oneself, or by an administrator for anybody. Its secret is shown this once."""
    if not caller.is_administrator and username.lower() != caller.username.lower():
        raise NotAllowed("Only administrators issue tokens for others.")
    with services.database.session() as session:
        person = find_person(session, username)
        secret, token = issue_token(session, person, name=body.name, days=body.days)
        until = f"good until {token.expires:%Y-%m-%d %H:%M} UTC" if token.expires else "good until it is revoked"
        audit.note(session, "token", name=f"'{token.name}' of {person.username}", after=until)
        return IssuedToken(secret=secret, token=token_record(token))


@router.get("/tokens")
def list_tokens(services: WithServices, caller: WithCaller) -> list[TokenRecord]:
    """One's own tokens."""
    with services.database.session() as session:
        query = select(Token).where(Token.person_id == caller.person_id).order_by(Token.created)
        return [token_record(token) for token in session.scalars(query)]


@router.delete("/tokens/{token_id}")
def revoke_token(token_id: UUID, services: WithServices, caller: WithCaller) -> TokenRecord:
    """Make a token useless from now on; administrators may any."""
    with services.database.session() as session:
        owner_id = None if caller.is_administrator else caller.person_id
        token = identity.revoke_token(session, token_id, owner_id=owner_id)
        whose = token.person.username if token.person else "no person"
        audit.note(session, "token", name=f"'{token.name}' of {whose}", before="good", after="revoked")
        if token.pool is not None:
            pool_tokens.end_claims(session, token.pool, token)
        return token_record(token)


def person_record(person: Person) -> PersonRecord:
    """A person as the API shows them."""
    return PersonRecord(
        username=person.username,
        name=person.name,
        email=person.email,
        is_administrator=person.is_administrator,
        may_organize=person.may_organize or person.is_administrator,
        created=person.created,
    )


def token_record(token: Token) -> TokenRecord:
    """A token as the API shows it: never its secret."""
    return TokenRecord(
        id=token.id,
        name=token.name,
        hint=token.hint,
        created=token.created,
        expires=token.expires,
        last_used=token.last_used,
        revoked=token.revoked,
    )
