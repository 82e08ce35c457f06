"""Signing in at a provider, and who is who there."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.errors import NotFound
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.requests import NewIdentity, NewSignIn, ReturnedSignIn
from podium.platform.gateway.routes.people import person_record, token_record
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller, find_person, revoke_token
from podium.platform.models import Identity, Person
from podium.platform.records.people import TokenRecord
from podium.platform.records.sign_in import BegunSignIn, IdentityRecord, SignedIn, SignInRecord
from podium.platform.sign_in import identities, pending
from podium.platform.sign_in.id_tokens import Claims
from podium.platform.sign_in.provider import Provider

router = APIRouter(tags=["sign-in"])


@router.get("/sign-in")
def read_sign_in(services: WithServices) -> SignInRecord:
    """Whether people can sign in at a provider, and what they call it."""
    provider = services.provider
    name = provider.configuration.name if provider is not None else None
    return SignInRecord(provider=name, pages=services.settings.pages_url.rstrip("/"))


@router.post("/sign-in", status_code=201)
def begin_sign_in(services: WithServices, body: NewSignIn) -> BegunSignIn:
    """Begin a sign-in, for the browser that keeps the secret whose hash this is."""
    return _begin(services, body, person_id=None)


@router.post("/sign-in/completion", status_code=201)
def complete_sign_in(services: WithServices, body: ReturnedSignIn) -> SignedIn:
    """Take up a sign-in that has come back from the provider: whoever it is gets a token for some hours."""
    provider = _provider(services)
    claims = _claims(services, body, person_id=None)
    with services.database.session() as session:
        identity, is_new = identities.identity_for(session, claims, provider.configuration)
        secret, token = identities.sign_in_token(session, identity, provider.configuration)
        assert token.expires is not None
        return SignedIn(secret, token.expires, person_record(identity.person), is_new)


@router.delete("/sign-in")
def sign_out(services: WithServices, caller: WithCaller) -> TokenRecord:
    """Make the very token that this is called with useless from now on."""
    with services.database.session() as session:
        return token_record(revoke_token(session, caller.token_id, owner_id=caller.person_id))


@router.get("/identities")
def list_own_identities(services: WithServices, caller: WithCaller) -> list[IdentityRecord]:
    """With what one can sign in at the provider."""
    with services.database.session() as session:
        return _records(session.get_one(Person, caller.person_id), identities.identities_of(session, _id_of(caller)))


@router.post("/identities", status_code=201)
def begin_link(services: WithServices, caller: WithCaller, body: NewSignIn) -> BegunSignIn:
    """Begin a sign-in whose identity will be linked to one's account."""
    return _begin(services, body, person_id=_id_of(caller))


@router.post("/identities/completion", status_code=201)
def complete_link(services: WithServices, caller: WithCaller, body: ReturnedSignIn) -> IdentityRecord:
    """Link the identity of a sign-in that has come back from the provider to one's account."""
    claims = _claims(services, body, person_id=_id_of(caller))
    with services.database.session() as session:
        person = session.get_one(Person, caller.person_id)
        return _linked(session, person, claims)


@router.delete("/identities/{identity_id}")
def remove_identity(identity_id: UUID, services: WithServices, caller: WithCaller) -> IdentityRecord:
    """Let an identity sign in no more, and sign it out; administrators may any."""
    with services.database.session() as session:
        owner_id = None if caller.is_administrator else caller.person_id
        identity = identities.unlink(session, identity_id, owner_id=owner_id)
        audit.note(session, "sign-in", name=_named(identity), before="linked", after="removed")
        return _record(identity.person, identity)


@router.get("/people/{username}/identities")
def list_identities(username: str, services: WithServices) -> list[IdentityRecord]:
    """With what somebody can sign in at the provider."""
    with services.database.session() as session:
        person = find_person(session, username)
        return _records(person, identities.identities_of(session, person.id))


@router.post("/people/{username}/identities", status_code=201)
def add_identity(username: str, services: WithServices, body: NewIdentity) -> IdentityRecord:
    """Link an identity to somebody's account."""
    issuer = _provider(services).configuration.issuer
    with services.database.session() as session:
        return _linked(session, find_person(session, username), Claims(issuer, body.subject))


def _provider(services: Services) -> Provider:
    if services.provider is None:
        raise NotFound("Nobody signs in at a provider here.", remedy="Sign in with a token.")
    return services.provider


def _begin(services: Services, body: NewSignIn, *, person_id: UUID | None) -> BegunSignIn:
    provider, key = _provider(services), services.settings.secret_key.get_secret_value()
    with services.database.session() as session:
        begun = pending.begin(session, binding_sha256=body.binding_sha256, person_id=person_id)
    return BegunSignIn(provider.address_for(state=begun.state, nonce=begun.nonce(key), verifier=begun.verifier(key)))


def _claims(services: Services, body: ReturnedSignIn, *, person_id: UUID | None) -> Claims:
    """Who has come back. What was begun is taken up first, in a transaction of its own: once, whatever comes of it."""
    provider, key = _provider(services), services.settings.secret_key.get_secret_value()
    with services.database.session() as session:
        begun = pending.take_up(session, state=body.state, binding=body.binding, person_id=person_id)
    return provider.redeem(body.code, nonce=begun.nonce(key), verifier=begun.verifier(key))


def _linked(session: Session, person: Person, claims: Claims) -> IdentityRecord:
    identity = identities.link(session, person, issuer=claims.issuer, subject=claims.subject, email=claims.email)
    audit.note(session, "sign-in", name=_named(identity), after="linked")
    return _record(person, identity)


def _named(identity: Identity) -> str:
    return f"'{identity.subject}' of {identity.person.username}"


def _records(person: Person, found: list[Identity]) -> list[IdentityRecord]:
    return [_record(person, identity) for identity in found]


def _record(person: Person, identity: Identity) -> IdentityRecord:
    return IdentityRecord(
        id=identity.id,
        username=person.username,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
        created=identity.created,
        last_used=identity.last_used,
    )


def _id_of(caller: Caller) -> UUID:
    assert caller.person_id is not None
    return caller.person_id
