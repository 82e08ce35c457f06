"""The calls about signing in at a provider."""

from __future__ import annotations

from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.records.people import TokenRecord
from podium.platform.records.sign_in import BegunSignIn, IdentityRecord, SignedIn, SignInRecord


class SignInCalls(Calls):
    """Signing in at a provider and out again, and who is who there."""

    def sign_in_way(self) -> SignInRecord:
        """Whether people can sign in at a provider. Needs no token."""
        return self._record(SignInRecord, "GET", "/sign-in")

    def begin_sign_in(self, binding_sha256: str) -> BegunSignIn:
        """Begin a sign-in. Needs no token.

        Args:
            binding_sha256: The SHA-256 of a secret that stays in the browser.

        Raises:
            NotFound: There is no provider.
        """
        return self._record(BegunSignIn, "POST", "/sign-in", body={"binding_sha256": binding_sha256})

    def complete_sign_in(self, *, state: str, code: str, binding: str) -> SignedIn:
        """Take up a sign-in that has come back, by the secret that stayed in the browser. Needs no token.

        Raises:
            NotAuthenticated: This browser has begun no such sign-in, or what the provider says is not believed.
            NotAllowed: Whoever it is has no account here and gets none.
            Conflict: Somebody has an account with their e-mail address, which is not linked to this identity.
        """
        body = {"state": state, "code": code, "binding": binding}
        return self._record(SignedIn, "POST", "/sign-in/completion", body=body)

    def sign_out(self) -> TokenRecord:
        """End the very token that this client has."""
        return self._record(TokenRecord, "DELETE", "/sign-in")

    def identities(self, username: str | None = None) -> tuple[IdentityRecord, ...]:
        """With what one can sign in at a provider; or another person, for administrators."""
        path = "/identities" if username is None else f"/people/{segment(username)}/identities"
        return self._records(IdentityRecord, path)

    def begin_link(self, binding_sha256: str) -> BegunSignIn:
        """Begin a sign-in whose identity is to be linked to one's account."""
        return self._record(BegunSignIn, "POST", "/identities", body={"binding_sha256": binding_sha256})

    def complete_link(self, *, state: str, code: str, binding: str) -> IdentityRecord:
        """Link the identity of a sign-in that has come back.

        Raises:
            Conflict: It belongs to somebody already.
        """
        body = {"state": state, "code": code, "binding": binding}
        return self._record(IdentityRecord, "POST", "/identities/completion", body=body)

    def link_identity(self, username: str, subject: str) -> IdentityRecord:
        """Let an identity of the provider sign in as a person. For administrators.

        Args:
            username: As whom.
            subject: Who it is there: the provider's `sub`.
        """
        return self._record(
            IdentityRecord, "POST", f"/people/{segment(username)}/identities", body={"subject": subject}
        )

    def remove_identity(self, identity_id: UUID) -> IdentityRecord:
        """Let an identity sign in no more, and sign it out; for administrators also another person's."""
        return self._record(IdentityRecord, "DELETE", f"/identities/{segment(identity_id)}")
