"""The calls about pools, their agents, and their agents' tokens. For organizers: their own; for administrators: all."""

from __future__ import annotations

from uuid import UUID

from podium.platform.client.connection import Calls, segment
from podium.platform.records.people import IssuedToken, TokenRecord
from podium.platform.records.pools import AgentRecord, PoolRecord, PoolView


class PoolCalls(Calls):
    """Pools and who works in them."""

    def pools(self) -> tuple[PoolRecord, ...]:
        """The pools that one sees or may use, with their agents and queues, counted."""
        return self._records(PoolRecord, "/pools")

    def pool(self, name: str) -> PoolView:
        """A pool of one's own with its agents, and what they did lately.

        Raises:
            NotFound: There is none, or none that one sees.
        """
        return self._record(PoolView, "GET", f"/pools/{segment(name)}")

    def create_pool(self, name: str, *, public: bool = False) -> PoolRecord:
        """Make a pool for one's own hosts.

        Raises:
            Conflict: The name is taken, or one has as many pools as one may have.
            InvalidInput: It can't be the name of a pool.
        """
        return self._record(PoolRecord, "POST", "/pools", body={"name": name, "public": public})

    def change_pool(
        self, name: str, *, runtime: str | None = None, public: bool | None = None, cordoned: bool | None = None
    ) -> PoolRecord:
        """Change a pool of one's own; what is `None` stays as it is.

        Args:
            name: The pool's.
            runtime: The engine's runtime that its containers run with; empty for the hosts' own.
            public: Whether any organizer may use it.
            cordoned: Whether its agents take nothing new.

        Raises:
            NotAllowed: It is another's.
            NotFound: There is no such pool.
        """
        body = {"runtime": runtime, "public": public, "cordoned": cordoned}
        return self._record(PoolRecord, "PATCH", f"/pools/{segment(name)}", body=body)

    def set_runtime(self, pool: str, runtime: str) -> PoolRecord:
        """Say which runtime of the engine a pool's containers run with; empty for the hosts' own."""
        return self.change_pool(pool, runtime=runtime)

    def share_pool(self, name: str, username: str) -> None:
        """Let another organizer use a pool, and see its agents."""
        self._connection.request("PUT", f"/pools/{segment(name)}/users/{segment(username)}", is_repeatable=True)

    def unshare_pool(self, name: str, username: str) -> None:
        """Take a pool back from another organizer."""
        self._connection.request("DELETE", f"/pools/{segment(name)}/users/{segment(username)}")

    def agents(self) -> tuple[AgentRecord, ...]:
        """The agents of one's pools, as they last said they were; of all pools, for administrators."""
        return self._records(AgentRecord, "/agents")

    def set_agent_cordoned(self, pool: str, agent: str, *, cordoned: bool) -> None:
        """Let an agent take nothing new, or take again. What it runs goes on."""
        path = f"/pools/{segment(pool)}/agents/{segment(agent)}"
        self._connection.request("PATCH", path, body={"cordoned": cordoned})

    def remove_agent(self, pool: str, agent: str) -> None:
        """Forget an agent that is gone.

        Raises:
            Conflict: It is alive, or holds something.
        """
        self._connection.request("DELETE", f"/pools/{segment(pool)}/agents/{segment(agent)}")

    def agent_tokens(self, pool: str) -> tuple[TokenRecord, ...]:
        """The tokens of a pool's agents, without their secrets."""
        return self._records(TokenRecord, f"/pools/{segment(pool)}/tokens")

    def issue_agent_token(self, pool: str, name: str, *, days: int | None = None) -> IssuedToken:
        """Make a token for a pool's agents.

        Args:
            pool: Of which they take work.
            name: What it is for, to tell it from others.
            days: How long it holds; by default until it is revoked.
        """
        return self._record(IssuedToken, "POST", f"/pools/{segment(pool)}/tokens", body={"name": name, "days": days})

    def rotate_agent_token(self, token_id: UUID, *, hours: float | None = None) -> IssuedToken:
        """Make a token in the place of another, which stays good for some hours."""
        return self._record(IssuedToken, "POST", f"/agent-tokens/{segment(token_id)}/rotation", body={"hours": hours})

    def revoke_agent_token(self, token_id: UUID) -> TokenRecord:
        """End an agent's token at once, and what was claimed with it."""
        return self._record(TokenRecord, "DELETE", f"/agent-tokens/{segment(token_id)}")
