"""People, tokens and who is calling.

A token is `pod_` and 32 random bytes in URL-safe base64; the database keeps its SHA-256 alone. The secret has 256
bits of entropy, so a plain hash is enough and a lookup by it leaks nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from podium.platform.database import violated_constraint
from podium.platform.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from podium.platform.models import Person, Pool, Token, TokenKind, now

TOKEN_PREFIX = "pod_"  # noqa: S105  # the public beginning of every token, so that scanners find leaked ones
USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,58}[A-Za-z0-9])?")
EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+")
LAST_USED_STEP = timedelta(minutes=1)
"""`last_used` is written at most this often, so that a token's use is not a write each time."""


class UnknownToken(NotAuthenticated):
    """A token that nobody ever had, or that is gone with its owner: perhaps a guess."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: exactly one of the three ids is set.

    Attributes:
        pool: For an agent, the name of the pool that its token is bound to.
    """

    kind: TokenKind
    token_id: UUID
    person_id: UUID | None = None
    username: str = ""
    is_administrator: bool = False
    may_organize: bool = False
    pool_id: UUID | None = None
    pool: str = ""
    attempt_id: UUID | None = None
    token_name: str = ""

    @property
    def actor(self) -> str:
        """How events name this caller."""
        if self.kind is TokenKind.PERSON:
            return f"person:{self.username}"
        return f"agent:{self.pool}" if self.kind is TokenKind.AGENT else f"attempt:{self.attempt_id}"


def hash_secret(secret: str) -> bytes:
    """The SHA-256 by which a token is stored and found."""
    return hashlib.sha256(secret.encode()).digest()


def add_person(
    session: Session,
    *,
    username: str,
    email: str,
    name: str = "",
    is_administrator: bool = False,
    may_organize: bool = False,
    email_confirmed: bool = True,
) -> Person:
    """Register a person.

    Args:
        email_confirmed: Whether whoever registers them stands for the address: it is theirs, and takes mail.

    Raises:
        InvalidInput: The name or address has a form that is not accepted.
        Conflict: The name or the address is taken, in whatever case.
    """
    if not USERNAME.fullmatch(username):
        raise InvalidInput(
            f"'{username[:80]}' is not a username.",
            remedy="Use 1 to 60 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends.",
        )
    if len(email) > 320 or not EMAIL.fullmatch(email):
        raise InvalidInput(f"'{email[:80]}' is not an e-mail address.", remedy="Give one like name@example.org.")
    person = Person(
        username=username,
        email=email,
        email_confirmed=now() if email_confirmed else None,
        name=name,
        is_administrator=is_administrator,
        may_organize=may_organize,
    )
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError as error:
        what = "e-mail address" if "email" in violated_constraint(error) else "username"
        raise Conflict(f"This {what} is taken.", remedy="Choose another.") from None
    return person


def find_person(session: Session, username: str) -> Person:
    """The person of that name, in whatever case.

    Raises:
        NotFound: There is none.
    """
    person = session.scalar(select(Person).where(func.lower(Person.username) == username.lower()))
    if person is None:
        raise NotFound(f"There is no person named '{username}'.")
    return person


def issue_token(
    session: Session,
    subject: Person | Pool,
    *,
    name: str,
    days: int | None = None,
    lifetime: timedelta | None = None,
) -> tuple[str, Token]:
    """Make a token for a person or for a pool's agents, and return its secret with it.

    Args:
        days: How long it is good; without it and a `lifetime`, it does not expire by itself.
    """
    good_for = timedelta(days=days) if days is not None else lifetime
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        kind=_KINDS[type(subject)],
        secret_sha256=hash_secret(secret),
        hint=secret[:10],
        name=name,
        expires=now() + good_for if good_for is not None else None,
    )
    match subject:
        case Person():
            token.person_id = subject.id
        case Pool():
            token.pool_id = subject.id
    session.add(token)
    session.flush()
    return secret, token


def issue_attempt_tokens(session: Session, names: Mapping[UUID, str], *, days: int) -> dict[UUID, str]:
    """Make a token for each of several attempts; return the secrets by attempt.

    Args:
        names: Name of the token by attempt.
    """
    issued = {attempt_id: TOKEN_PREFIX + secrets.token_urlsafe(32) for attempt_id in names}
    expires = now() + timedelta(days=days)
    session.execute(
        insert(Token),
        [
            {
                "kind": TokenKind.ATTEMPT,
                "secret_sha256": hash_secret(secret),
                "hint": secret[:10],
                "name": names[attempt_id],
                "attempt_id": attempt_id,
                "expires": expires,
            }
            for attempt_id, secret in issued.items()
        ],
    )
    return issued


def attempts_of_tokens(session: Session, sent: Iterable[str]) -> dict[str, UUID]:
    """For which attempts these tokens are good now; those that are good for none are left out."""
    by_hash = {hash_secret(secret): secret for secret in sent}
    good = session.execute(
        select(Token.secret_sha256, Token.attempt_id).where(
            Token.secret_sha256.in_(by_hash),
            Token.kind == TokenKind.ATTEMPT,
            Token.revoked.is_(None),
            or_(Token.expires.is_(None), Token.expires > now()),
        )
    )
    return {by_hash[digest]: attempt_id for digest, attempt_id in good if attempt_id is not None}


_KINDS: dict[type, TokenKind] = {
    Person: TokenKind.PERSON,
    Pool: TokenKind.AGENT,
}


_ANOTHER: dict[TokenKind, str] = {
    TokenKind.PERSON: "Ask for a new one and sign in with `podium login`.",
    TokenKind.AGENT: "Ask the pool's owner for another, and write it into the agent's token file.",
    TokenKind.ATTEMPT: "The attempt is over.",
}


def authenticate(session: Session, secret: str) -> Caller:
    """Who holds this secret.

    Raises:
        NotAuthenticated: Nobody does, or the token has expired or was revoked.
    """
    token = session.scalar(
        select(Token)
        .where(Token.secret_sha256 == hash_secret(secret))
        .options(joinedload(Token.person), joinedload(Token.pool))
    )
    if token is None:
        raise UnknownToken("This token is not known here.", remedy="Sign in with `podium login`.")
    if token.revoked is not None:
        raise NotAuthenticated("This token was revoked.", remedy=_ANOTHER[token.kind])
    moment = now()
    if token.expires is not None and token.expires <= moment:
        raise NotAuthenticated(
            f"This token expired on {token.expires:%Y-%m-%d at %H:%M} UTC.",
            remedy=_ANOTHER[token.kind],
        )
    _note_use(session, token, moment)
    return Caller(
        kind=token.kind,
        token_id=token.id,
        person_id=token.person_id,
        username=token.person.username if token.person else "",
        is_administrator=bool(token.person and token.person.is_administrator),
        may_organize=bool(token.person and (token.person.may_organize or token.person.is_administrator)),
        pool_id=token.pool_id,
        pool=token.pool.name if token.pool else "",
        attempt_id=token.attempt_id,
        token_name=token.name,
    )


def _note_use(session: Session, token: Token, moment: datetime) -> None:
    if token.last_used is None or moment - token.last_used > LAST_USED_STEP:
        session.execute(update(Token).where(Token.id == token.id).values(last_used=moment))


def revoke_token(session: Session, token_id: UUID, *, owner_id: UUID | None) -> Token:
    """Make a token useless from now on; `owner_id` is the person whose it must be, `None` for anybody's.

    Raises:
        NotFound: There is none of that id that the owner has.
    """
    token = session.get(Token, token_id)
    if token is None or (owner_id is not None and token.person_id != owner_id):
        raise NotFound("You have no token of that id.", remedy="List yours with `podium token list`.")
    if token.revoked is None:
        token.revoked = now()
    return token
