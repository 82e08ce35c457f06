"""Sign-ins that have begun: each is taken up once, within minutes, by the very browser that began it.

Two secrets belong to one. The `state` travels to the provider and back in addresses, and is good for nothing without
the browser's own, which its pages keep in a cookie. The database has the hashes of both alone; the nonce and the PKCE
verifier are made from the state with the gateway's key, and are kept nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from podium.platform.errors import NotAuthenticated
from podium.platform.identity import hash_secret
from podium.platform.models import PendingSignIn, now

LIFETIME = timedelta(minutes=10)
_SWEPT = 100


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun.

    Attributes:
        state: What must come back with the code.
        person_id: To whom an identity is to be linked; `None` for a sign-in.
    """

    state: str
    person_id: UUID | None = None

    def nonce(self, key: str) -> str:
        """What the id token must repeat."""
        return _derived(key, "nonce", self.state)

    def verifier(self, key: str) -> str:
        """The secret of PKCE."""
        return _derived(key, "pkce", self.state)


def _derived(key: str, purpose: str, state: str) -> str:
    digest = hmac.digest(key.encode(), f"podium sign-in {purpose}: {state}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin(session: Session, *, binding_sha256: str, person_id: UUID | None = None) -> Begun:
    """Begin a sign-in, of the browser that keeps the secret of this hash (hexadecimal)."""
    moment = now()
    # Those that nobody came back to: a few for each new one, so that they never pile up.
    stale = select(PendingSignIn.state_sha256).where(PendingSignIn.expires <= moment).limit(_SWEPT)
    session.execute(
        delete(PendingSignIn).where(PendingSignIn.state_sha256.in_(stale.with_for_update(skip_locked=True)))
    )
    begun = Begun(secrets.token_urlsafe(32), person_id)
    session.add(
        PendingSignIn(
            state_sha256=hash_secret(begun.state),
            binding_sha256=bytes.fromhex(binding_sha256),
            person_id=person_id,
            expires=moment + LIFETIME,
        )
    )
    return begun


def take_up(session: Session, *, state: str, binding: str, person_id: UUID | None) -> Begun:
    """Take up a sign-in that has come back; it can't be taken up again.

    Raises:
        NotAuthenticated: There is none of this state that this browser has begun, for this person or for a sign-in.
    """
    found = session.scalar(
        delete(PendingSignIn)
        .where(
            PendingSignIn.state_sha256 == hash_secret(state),
            PendingSignIn.binding_sha256 == hash_secret(binding),
            PendingSignIn.person_id.is_not_distinct_from(person_id),
            PendingSignIn.expires > now(),
        )
        .returning(PendingSignIn.state_sha256)
    )
    if found is None:
        raise NotAuthenticated(
            "This sign-in was not begun in this browser, is over, or began more than ten minutes ago.",
            remedy="Sign in again.",
        )
    return Begun(state, person_id)
