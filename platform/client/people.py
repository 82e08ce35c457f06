"""The calls about people, their tokens, and the gateway itself."""

from __future__ import annotations

from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.records.people import IssuedToken, PersonRecord, TokenRecord
from podium.platform.records.service import HealthRecord


class PeopleCalls(Calls):
    """Who one is, who there is, and with which tokens."""

    def health(self) -> HealthRecord:
        """Whether the gateway and what it stands on answer. Needs no token."""
        return self._record(HealthRecord, "GET", "/health")

    def me(self) -> PersonRecord:
        """The person whose token this is.

        Raises:
            NotAuthenticated: There is no token, or it is unknown, expired or revoked.
        """
        return self._record(PersonRecord, "GET", "/me")

    def people(self) -> tuple[PersonRecord, ...]:
        """Everyone who has an account. For administrators."""
        return self._records(PersonRecord, "/people")

    def add_person(
        self,
        username: str,
        email: str,
        *,
        name: str | None = None,
        may_organize: bool | None = None,
        email_confirmed: bool | None = None,
    ) -> PersonRecord:
        """Make an account. For administrators.

        Args:
            username: What they are called here.
            email: Where mail reaches them.
            name: As others see them.
            may_organize: Whether they may make competitions.
            email_confirmed: Whether it is known that the address is theirs, as it is by default; else they are asked
                by mail, and get no other until they have said so.

        Raises:
            Conflict: The username or the address is taken.
            InvalidInput: One of them can't be used.
        """
        body = {
            "username": username,
            "email": email,
            "name": name,
            "may_organize": may_organize,
            "email_confirmed": email_confirmed,
        }
        return self._record(PersonRecord, "POST", "/people", body=body)

    def issue_token(self, username: str, name: str, *, days: int | None = None) -> IssuedToken:
        """Make a token for oneself; for another person, as an administrator.

        Args:
            username: Whose token.
            name: What it is for, to tell it from others.
            days: How long it holds; by default as long as the gateway gives.
        """
        return self._record(
            IssuedToken, "POST", f"/people/{segment(username)}/tokens", body={"name": name, "days": days}
        )

    def tokens(self) -> tuple[TokenRecord, ...]:
        """One's own tokens, without their secrets."""
        return self._records(TokenRecord, "/tokens")

    def revoke_token(self, token_id: UUID) -> TokenRecord:
        """End one of one's own tokens at once."""
        return self._record(TokenRecord, "DELETE", f"/tokens/{segment(token_id)}")
