"""The calls of those who organize: looking through participants and submissions, and acting on many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.platform.client.connection import Calls, segment
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.records.organizing import (
    BulkAct,
    BulkRecord,
    DatasetUse,
    HealthView,
    ParticipantPage,
    SubmissionPage,
)


class OrganizingCalls(Calls):
    """Participants, submissions, datasets and health of a competition. A `phase` is its number, from 1, or its name."""

    def competition_health(self, slug: str) -> HealthView:
        """A competition in one view: what waits, what fails, how full its room is, and what to do."""
        return self._record(HealthView, "GET", f"/competitions/{segment(slug)}/health")

    def competition_datasets(self, slug: str) -> tuple[DatasetUse, ...]:
        """The datasets of a competition, and where each is used."""
        return self._records(DatasetUse, f"/competitions/{segment(slug)}/datasets")

    def participant_page(
        self,
        slug: str,
        *,
        search: str | None = None,
        status: ParticipantStatus | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> ParticipantPage:
        """Participants with what each has submitted, those who wait for a decision first.

        Args:
            slug: The competition.
            search: Words in the username, the name or the address.
            status: Those of this status alone.
            limit: So many, 50 by default.
            offset: Leave out the first so many.
        """
        query = {"search": search, "status": status and status.value, "limit": limit, "offset": offset}
        return self._record(ParticipantPage, "GET", f"{_participants(slug)}/page", query=query)

    def decide_participants(
        self, slug: str, usernames: Sequence[str], status: ParticipantStatus, *, reason: str = ""
    ) -> BulkRecord:
        """Approve or deny several, or take an approval back (`pending`); each is answered for by itself."""
        body = {"usernames": list(usernames), "status": status.value, "reason": reason}
        return self._record(BulkRecord, "POST", f"{_participants(slug)}/decisions", body=body, is_repeatable=True)

    def submission_page(
        self,
        slug: str,
        *,
        phase: str | int | None = None,
        status: SubmissionStatus | None = None,
        verdict: Verdict | None = None,
        participant: str | None = None,
        on_leaderboard: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> SubmissionPage:
        """Everyone's submissions, the latest first.

        Args:
            slug: The competition.
            phase: Of this phase alone, as the other filters.
            status: Of this status.
            verdict: That failed with it.
            participant: Words in the username.
            on_leaderboard: Whether it stands there.
            since: Submitted from this moment on, aware.
            until: Submitted before this moment, aware.
            limit: So many, 50 by default.
            offset: Leave out the first so many.
        """
        query = _filters(phase, status, verdict, participant, on_leaderboard, since, until)
        query |= {"limit": limit, "offset": offset}
        return self._record(SubmissionPage, "GET", f"{_submissions(slug)}/page", query=query)

    def preview_bulk(self, slug: str, act: BulkAct, submissions: Sequence[int]) -> BulkRecord:
        """What an act would do to each of some submissions, by their numbers. Changes nothing."""
        body = {"act": act.value, "submissions": list(submissions)}
        return self._record(BulkRecord, "POST", f"{_submissions(slug)}/bulk/preview", body=body, is_repeatable=True)

    def act_in_bulk(self, slug: str, act: BulkAct, submissions: Sequence[int], *, reason: str) -> BulkRecord:
        """Do something with some submissions, by their numbers: with each that it can be done with.

        Raises:
            NotFound: There is no submission of some number; nothing is done.
        """
        body = {"act": act.value, "submissions": list(submissions), "reason": reason}
        return self._record(BulkRecord, "POST", f"{_submissions(slug)}/bulk", body=body)


def _filters(
    phase: str | int | None,
    status: SubmissionStatus | None,
    verdict: Verdict | None,
    participant: str | None,
    on_leaderboard: bool | None,  # noqa: FBT001 - passed on from a keyword
    since: datetime | None,
    until: datetime | None,
) -> dict[str, str | int | float | bool | None]:
    return {
        "phase": phase,
        "status": status and status.value,
        "verdict": verdict and verdict.value,
        "participant": participant,
        "on_leaderboard": on_leaderboard,
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
    }


def _participants(slug: str) -> str:
    return f"/competitions/{segment(slug)}/participants"


def _submissions(slug: str) -> str:
    return f"/competitions/{segment(slug)}/submissions"
