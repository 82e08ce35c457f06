"""The calls about who organizes a competition, and what organizers and administrators did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.platform.client.connection import Calls, segment
from podium.platform.records.access import AuditRecord, CollaboratorRecord

_PAGE = 500


class AccessCalls(Calls):
    """Collaborators and the audit log."""

    def collaborators(self, slug: str) -> tuple[CollaboratorRecord, ...]:
        """Who organizes a competition with its owner. For its organizers."""
        return self._records(CollaboratorRecord, f"/competitions/{segment(slug)}/collaborators")

    def add_collaborator(self, slug: str, username: str) -> CollaboratorRecord:
        """Let a person organize a competition too. For its owner.

        Raises:
            NotFound: There is no such person.
            Conflict: They own it.
        """
        path = f"/competitions/{segment(slug)}/collaborators/{segment(username)}"
        return self._record(CollaboratorRecord, "PUT", path, is_repeatable=True)

    def remove_collaborator(self, slug: str, username: str) -> None:
        """Let a person organize a competition no more. For its owner.

        Raises:
            NotFound: They don't.
        """
        self._connection.request("DELETE", f"/competitions/{segment(slug)}/collaborators/{segment(username)}")

    def audit(
        self,
        slug: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
        act: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """What organizers and administrators did, the latest first.

        Args:
            slug: To this competition, for its organizers; by default everything, for administrators.
            since: From this moment on.
            until: Before this moment.
            actor: By this person.
            act: Whose act has these words in it.
            before: Before the line of this id, to go on with where a page ended.
            limit: So many lines at most.
        """
        query = {
            "since": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
            "actor": actor,
            "act": act,
            "before": before,
            "limit": limit,
        }
        path = "/audit" if slug is None else f"/competitions/{segment(slug)}/audit"
        return self._records(AuditRecord, path, query=query)

    def each_audit_entry(
        self,
        slug: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
        act: str | None = None,
    ) -> Iterator[AuditRecord]:
        """The same, every line; a page is fetched when its first line is asked for."""
        before = None
        while page := self.audit(slug, since=since, until=until, actor=actor, act=act, before=before, limit=_PAGE):
            yield from page
            before = page[-1].id
