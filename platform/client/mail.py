"""The calls about mail: campaigns for organizers, and how somebody wants mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from podium.platform.client.connection import Calls, segment
from podium.platform.client.waiting import Wait
from podium.platform.lifecycle import CampaignStatus
from podium.platform.records.mail import (
    AudienceRecord,
    CampaignRecord,
    MailPreferences,
    MessagePreview,
    OutboxPage,
    RecipientCount,
    SuppressionRecord,
)

CAMPAIGN_RESTS = frozenset(CampaignStatus) - {CampaignStatus.SENDING}
"""Where a campaign goes on only if somebody says so, or at its time."""


def _ignore(_: CampaignRecord) -> None:
    """Nobody watches."""


class MailCalls(Calls):
    """Campaigns, by their numbers in a competition; and one's own choices about mail."""

    def draft_campaign(self, slug: str, *, subject: str, body: str, audience: AudienceRecord) -> CampaignRecord:
        """Begin a campaign; nothing is sent, and nobody is chosen yet.

        Args:
            slug: The competition.
            subject: One line; `{{name}}` and other variables may be in it.
            body: Markdown; the same may be in it.
            audience: To whom it goes.

        Raises:
            InvalidInput: Something in it can't be sent, or the audience makes no sense.
        """
        sent = {"subject": subject, "body": body, "audience": asdict(audience)}
        return self._record(CampaignRecord, "POST", _path(slug), body=sent)

    def change_campaign(
        self,
        slug: str,
        number: int,
        *,
        subject: str | None = None,
        body: str | None = None,
        audience: AudienceRecord | None = None,
        version: int | None = None,
    ) -> CampaignRecord:
        """Write something else; what is left out stays as it is.

        Args:
            slug: The competition.
            number: The campaign.
            subject: Another subject.
            body: Another text.
            audience: Others to write to.
            version: Of the record that was read: what somebody else has written since is not written over.

        Raises:
            Conflict: It is approved, or has changed since.
        """
        asked = None if audience is None else asdict(audience)
        sent: dict[str, object] = {"subject": subject, "body": body, "audience": asked}
        if version is not None:
            sent["version"] = version
        return self._record(CampaignRecord, "PATCH", f"{_path(slug)}/{number}", body=sent)

    def count_recipients(self, slug: str, audience: AudienceRecord) -> RecipientCount:
        """How many people a campaign would go to now; nothing is changed."""
        sent = {"audience": asdict(audience)}
        return self._record(RecipientCount, "POST", f"{_path(slug)}/count", body=sent, is_repeatable=True)

    def campaigns(self, slug: str) -> tuple[CampaignRecord, ...]:
        """All campaigns of a competition, the latest first."""
        return self._records(CampaignRecord, _path(slug))

    def campaign(self, slug: str, number: int, *, seen: int | None = None, wait: float = 0) -> CampaignRecord:
        """One campaign; with `seen`, the answer is held for `wait` seconds until something has changed."""
        query = {"seen": seen, "wait": wait} if seen is not None else {}
        return self._record(CampaignRecord, "GET", f"{_path(slug)}/{number}", query=query, wait=wait)

    def preview_campaign(self, slug: str, number: int, *, username: str | None = None) -> MessagePreview:
        """The message as one recipient gets it; by default as the participant does who has joined first."""
        sent = {"username": username}
        return self._record(MessagePreview, "POST", f"{_path(slug)}/{number}/preview", body=sent, is_repeatable=True)

    def test_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Send the message to oneself alone."""
        return self._record(CampaignRecord, "POST", f"{_path(slug)}/{number}/test")

    def approve_campaign(self, slug: str, number: int, *, version: int) -> CampaignRecord:
        """Approve a campaign as it was read; with the last approval that it needs, its recipients are fixed.

        Args:
            slug: The competition.
            number: The campaign.
            version: Of the record that was read.

        Raises:
            Conflict: It has changed since, or would go to nobody.
        """
        return self._record(CampaignRecord, "POST", f"{_path(slug)}/{number}/approve", body={"version": version})

    def withdraw_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Make it a draft again, before the first message."""
        return self._tell_campaign(slug, number, "withdraw")

    def schedule_campaign(self, slug: str, number: int, when: datetime | None) -> CampaignRecord:
        """Send it at some time; `None` for when somebody says so."""
        sent = {"when": None if when is None else when.isoformat()}
        return self._record(CampaignRecord, "PUT", f"{_path(slug)}/{number}/schedule", body=sent, is_repeatable=True)

    def send_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Send a campaign that is approved, now."""
        return self._tell_campaign(slug, number, "send")

    def pause_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Send nothing more until it is resumed."""
        return self._tell_campaign(slug, number, "pause")

    def resume_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Go on with a campaign that is paused."""
        return self._tell_campaign(slug, number, "resume")

    def cancel_campaign(self, slug: str, number: int) -> CampaignRecord:
        """Send nothing more of it, ever."""
        return self._tell_campaign(slug, number, "cancel")

    def settle_campaign(
        self, slug: str, number: int, *, send_again: bool, usernames: Sequence[str] = ()
    ) -> CampaignRecord:
        """Decide about messages that may have arrived or not: they are sent again, or count as sent.

        Args:
            slug: The competition.
            number: The campaign.
            send_again: Whether to send them again; some may then arrive twice.
            usernames: Those to these people; all, without any.
        """
        sent = {"send_again": send_again, "usernames": list(usernames)}
        return self._record(CampaignRecord, "POST", f"{_path(slug)}/{number}/settle", body=sent)

    def campaign_outbox(
        self, slug: str, number: int, *, status: str | None = None, search: str = "", limit: int = 100, offset: int = 0
    ) -> OutboxPage:
        """The messages of a campaign, one for each recipient."""
        query = {"status": status, "search": search or None, "limit": limit, "offset": offset}
        return self._record(OutboxPage, "GET", f"{_path(slug)}/{number}/outbox", query=query)

    def wait_for_campaign(
        self,
        slug: str,
        number: int,
        *,
        timeout: float | None = None,
        on_change: Callable[[CampaignRecord], None] = _ignore,
    ) -> CampaignRecord:
        """Follow a campaign for as long as it is being sent.

        Raises:
            WaitedTooLong: The time is over; the campaign goes on.
        """
        waiting = Wait(timeout, f"Campaign {number} of {slug}", patience=self._connection.patience)
        return waiting.follow(
            lambda seen, held: self.campaign(slug, number, seen=seen, wait=held),
            rests=lambda one: one.status in CAMPAIGN_RESTS,
            on_change=on_change,
        )

    def own_mail(self) -> MailPreferences:
        """How one wants mail, and whether any reaches one."""
        return self._record(MailPreferences, "GET", "/me/mail")

    def choose_mail(self, kind: str, frequency: str) -> MailPreferences:
        """Choose how one wants mail of a kind: `at_once`, `daily` or `none`."""
        path = f"/me/mail/kinds/{segment(kind)}"
        return self._record(MailPreferences, "PUT", path, body={"frequency": frequency}, is_repeatable=True)

    def stop_mail(self, slug: str, *, stopped: bool = True) -> MailPreferences:
        """Stop the announcements of a competition, or have them again."""
        path = f"/me/mail/competitions/{segment(slug)}"
        return self._record(MailPreferences, "PUT", path, body={"stopped": stopped}, is_repeatable=True)

    def ask_for_confirmation(self) -> MailPreferences:
        """Be asked, by a message, whether one's address is one's own.

        Raises:
            Conflict: That is known.
        """
        return self._record(MailPreferences, "POST", "/me/mail/confirmation")

    def suppressed_addresses(self) -> tuple[SuppressionRecord, ...]:
        """Addresses to which nothing is sent any more; for administrators."""
        return self._records(SuppressionRecord, "/mail/suppressions")

    def allow_address(self, address: str) -> None:
        """Send to an address again; for administrators."""
        self._connection.request("DELETE", f"/mail/suppressions/{segment(address)}")

    def _tell_campaign(self, slug: str, number: int, what: str) -> CampaignRecord:
        return self._record(CampaignRecord, "POST", f"{_path(slug)}/{number}/{what}", is_repeatable=True)


def _path(slug: str) -> str:
    return f"/competitions/{segment(slug)}/campaigns"
