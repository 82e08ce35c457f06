"""Who is who: identities at providers, and the people that they belong to.

An identity is found by issuer and subject, and by nothing else. An e-mail address makes nobody somebody who is there
already: only they themselves, signed in, and administrators link an identity to a person.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.identity import add_person, issue_token
from podium.platform.models import Identity, Person, Token, now
from podium.platform.sign_in.admission import free_username, require_admitted, usernames
from podium.platform.sign_in.configuration import ProviderConfiguration
from podium.platform.sign_in.id_tokens import Claims

_TRIES = 5
_MOST_IDENTITIES = 20


def identity_for(session: Session, claims: Claims, provider: ProviderConfiguration) -> tuple[Identity, bool]:
    """The identity that signs in, and whether its person was made just now.

    Raises:
        NotAllowed: Nobody has it yet, and it gets no account.
        Conflict: Nobody has it yet, and somebody else has its e-mail address.
    """
    for _ in range(_TRIES):
        found = _find(session, claims.issuer, claims.subject)
        if found is not None:
            found.last_used, found.email = now(), claims.email
            return found, False
        require_admitted(claims, provider)
        try:
            with session.begin_nested():
                person = _new_person(session, claims, provider)
                return _add(session, person, claims.issuer, claims.subject, claims.email, used=True), True
        except (Conflict, IntegrityError):
            # Somebody took the name, or the same identity signed in beside this: what is there by now decides.
            _require_address_free(session, claims, provider)
    raise Conflict("Others sign in with the same name at the same moment.", remedy="Sign in again.")


def sign_in_token(session: Session, identity: Identity, provider: ProviderConfiguration) -> tuple[str, Token]:
    """Make a token for whoever has signed in, and return its secret with it; those that are over are removed."""
    session.execute(delete(Token).where(Token.identity_id == identity.id, Token.expires <= now()))
    secret, token = issue_token(session, identity.person, name="sign-in", lifetime=provider.lifetime)
    token.identity_id = identity.id
    return secret, token


def link(session: Session, person: Person, *, issuer: str, subject: str, email: str = "") -> Identity:
    """Let an identity sign in as a person. That it is theirs is known already.

    Raises:
        Conflict: It belongs to somebody already, or they have very many.
        InvalidInput: It can't be one.
    """
    if not 0 < len(subject) <= 255 or not subject.isprintable():
        raise InvalidInput("This is not the subject of an identity.", remedy="Take the `sub` that the provider tells.")
    found = _find(session, issuer, subject)
    if found is not None:
        whose = "you" if found.person_id == person.id else "somebody else"
        raise Conflict(f"This sign-in belongs to {whose} already.")
    if len(identities_of(session, person.id)) >= _MOST_IDENTITIES:
        raise Conflict("That would be too many sign-ins.", remedy="Remove one first.")
    try:
        with session.begin_nested():
            return _add(session, person, issuer, subject, email, used=False)
    except IntegrityError:
        raise Conflict("This sign-in belongs to somebody already.") from None


def identities_of(session: Session, person_id: UUID) -> list[Identity]:
    """The identities of a person, the oldest first."""
    return list(session.scalars(select(Identity).where(Identity.person_id == person_id).order_by(Identity.created)))


def unlink(session: Session, identity_id: UUID, *, owner_id: UUID | None) -> Identity:
    """Let an identity sign in no more; where it is signed in, it is signed out. `owner_id` as for tokens.

    Raises:
        NotFound: There is none of that id that the owner has.
    """
    found = session.scalar(select(Identity).where(Identity.id == identity_id).options(joinedload(Identity.person)))
    if found is None or (owner_id is not None and found.person_id != owner_id):
        raise NotFound("You have no sign-in of that id.")
    session.delete(found)
    session.flush()
    return found


def _find(session: Session, issuer: str, subject: str) -> Identity | None:
    query = select(Identity).where(Identity.issuer == issuer, Identity.subject == subject)
    return session.scalar(query.options(joinedload(Identity.person)))


def _add(session: Session, person: Person, issuer: str, subject: str, email: str, *, used: bool) -> Identity:
    identity = Identity(person=person, issuer=issuer, subject=subject, email=email, last_used=now() if used else None)
    session.add(identity)
    session.flush()
    return identity


def _new_person(session: Session, claims: Claims, provider: ProviderConfiguration) -> Person:
    _require_address_free(session, claims, provider)
    tried = [username.lower() for username in usernames(claims)]
    taken = frozenset(
        session.scalars(select(func.lower(Person.username)).where(func.lower(Person.username).in_(tried)))
    )
    return add_person(session, username=free_username(claims, taken), email=claims.email, name=claims.name)


def _require_address_free(session: Session, claims: Claims, provider: ProviderConfiguration) -> None:
    """Go on only if nobody has this address, unless by this very identity.

    Raises:
        Conflict: Somebody has: they must link the identity themselves.
    """
    owner = session.scalar(select(Person.id).where(func.lower(Person.email) == claims.email.lower()))
    if owner is None or _find(session, claims.issuer, claims.subject) is not None:
        return
    raise Conflict(
        "There is an account with your e-mail address already.",
        remedy=f"Sign in with its token, and link {provider.name} to it on the page of your account; "
        "or ask the operators to.",
    )
