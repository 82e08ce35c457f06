"""The calls about teams."""

from __future__ import annotations

from podium.platform.client.connection import Calls, segment
from podium.platform.records.teams import TeamCodeRecord, TeamRecord


class TeamCalls(Calls):
    """Teams of a competition."""

    def teams(self, slug: str) -> tuple[TeamRecord, ...]:
        """All teams that somebody is in. For organizers."""
        return self._records(TeamRecord, f"/competitions/{segment(slug)}/teams")

    def team(self, slug: str) -> TeamRecord:
        """The team that one is in.

        Raises:
            NotFound: One is in none.
        """
        return self._record(TeamRecord, "GET", f"/competitions/{segment(slug)}/team")

    def create_team(self, slug: str, name: str) -> TeamRecord:
        """Make a team, whose captain one is. What one has submitted to phases that go on becomes the team's.

        Raises:
            Conflict: The name is taken, one is in a team already, or teams stay as they are by now.
            NotParticipating: One does not take part.
        """
        return self._record(TeamRecord, "POST", f"/competitions/{segment(slug)}/teams", body={"name": name})

    def change_team(self, slug: str, *, name: str | None = None, captain: str | None = None) -> TeamRecord:
        """Rename the team whose captain one is, or let another member be its captain.

        Raises:
            NotAllowed: One is not its captain.
        """
        body = {"name": name, "captain": captain}
        return self._record(TeamRecord, "PATCH", f"/competitions/{segment(slug)}/team", body=body)

    def create_team_code(self, slug: str) -> TeamCodeRecord:
        """Make the code by which others join the team whose captain one is; the one before is good no more."""
        return self._record(TeamCodeRecord, "POST", f"/competitions/{segment(slug)}/team/code")

    def join_team(self, slug: str, code: str) -> TeamRecord:
        """Join a team by its code. What one has submitted to phases that go on becomes the team's.

        Raises:
            NotFound: No team has this code, or it has expired.
            Conflict: The team is full, one is in a team already, or teams stay as they are by now.
        """
        return self._record(TeamRecord, "POST", f"/competitions/{segment(slug)}/team/members", body={"code": code})

    def leave_team(self, slug: str, username: str) -> None:
        """Leave the team that one is in; with another's username, let them leave, as its captain.

        What was made for the team stays the team's.
        """
        self._connection.request("DELETE", f"/competitions/{segment(slug)}/team/members/{segment(username)}")
