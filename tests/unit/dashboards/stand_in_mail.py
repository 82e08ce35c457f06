"""What the stand-in for the gateway answers about mail: campaigns with their messages, and how somebody wants mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from podium.platform.errors import Conflict, InvalidInput, NotFound
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import (
    AudienceRecord,
    CampaignRecord,
    MailPreferences,
    MessagePreview,
    OutboxLine,
    OutboxPage,
    RecipientCount,
)
from podium.platform.records.people import PersonRecord

SPACE = UUID("6ba7b814-9dad-11d1-80b4-00c04fd430c8")
AFTER = {
    "send": CampaignStatus.SENDING,
    "resume": CampaignStatus.SENDING,
    "pause": CampaignStatus.PAUSED,
    "cancel": CampaignStatus.CANCELLED,
    "withdraw": CampaignStatus.DRAFT,
}
BODY = "Hello {{name}},\n\nyou are at rank **{{rank}}**."


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def make_campaign(status: CampaignStatus = CampaignStatus.DRAFT, number: int = 1, **changes: object) -> CampaignRecord:
    is_chosen = status not in {CampaignStatus.DRAFT, CampaignStatus.PROPOSED}
    is_begun = status in {CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SENT}
    campaign = CampaignRecord(
        id=uuid5(SPACE, f"campaign {number}"),
        number=number,
        competition="iris",
        subject="{{competition}}: one week left",
        body=BODY,
        audience="participants with a submission",
        question=AudienceRecord(submitted=True),
        author="ada",
        approved_by=("cora",) if is_chosen else (),
        needs_second=False,
        status=status,
        status_message="",
        version=3,
        scheduled=None,
        total=120 if is_chosen else 0,
        left_out={"opted out": 4, "unconfirmed": 1} if is_chosen else {},
        counts={"queued": 120} if status is CampaignStatus.APPROVED else {},
        created=ago(minutes=40),
        started=ago(minutes=5) if is_begun else None,
        ended=ago(minutes=1) if status is CampaignStatus.SENT else None,
    )
    return replace(campaign, **changes)


def make_message(username: str, status: MailStatus = MailStatus.SENT, **changes: object) -> OutboxLine:
    is_over = status in {MailStatus.SENT, MailStatus.FAILED, MailStatus.SUPPRESSED}
    line = OutboxLine(
        username=username,
        address=f"{username[:1]}…@example.org",
        status=status,
        attempts=1,
        reply="550 5.1.1 <b>No such</b> mailbox" if status is MailStatus.FAILED else "250 taken",
        due=None,
        ended=ago(minutes=1) if is_over else None,
    )
    return replace(line, **changes)


@dataclass
class Mailing:
    """The campaigns of one competition, the latest first, and their messages by number."""

    campaigns: list[CampaignRecord] = field(default_factory=list)
    messages: dict[int, list[OutboxLine]] = field(default_factory=dict)
    count: RecipientCount = field(default_factory=lambda: RecipientCount(118, {"opted out": 4, "unconfirmed": 1}))
    page: str = "<!DOCTYPE html><h1>Iris</h1><p>Hello Ben, you are at rank <b>3</b>.</p><script>top.hacked=1</script>"
    preferences: MailPreferences = field(
        default_factory=lambda: MailPreferences(
            "lin@example.org",
            reachable=True,
            trouble="",
            frequencies={"announcement": "at_once", "submission": "daily", "rank": "none"},
            stopped=("iris",),
        )
    )

    def answer(self, rest: list[str], query: dict[str, str]) -> object:
        if not rest:
            return self.campaigns
        campaign = self._campaign(rest[0])
        return campaign if len(rest) == 1 else self._outbox(campaign, query)

    def act(self, slug: str, rest: list[str], body: dict[str, Any], person: PersonRecord) -> object:
        match rest:
            case ["count"]:
                if "nobody" in body["audience"]["usernames"]:
                    raise NotFound("Nobody takes part who is named 'nobody'.")
                return self.count
            case []:
                _require_words(body)
                self.campaigns.insert(0, self._made(slug, body, person))
                return self.campaigns[0]
            case [number]:
                campaign = self._campaign(number)
                if body.get("version") not in {None, campaign.version}:
                    raise Conflict(f"Campaign {number} has changed since you read it.", remedy="Read it again.")
                _require_words(body)
                audience = AudienceRecord(**{**body["audience"], "usernames": tuple(body["audience"]["usernames"])})
                return self._change(campaign, subject=body["subject"], body=body["body"], question=audience)
            case [number, what]:
                return self._tell(self._campaign(number), what, body, person)
        raise NotFound("There is no such call.")

    def choose(self, rest: list[str], body: dict[str, Any]) -> MailPreferences:
        if rest[0] == "kinds":
            chosen = {**self.preferences.frequencies, rest[1]: body["frequency"]}
            self.preferences = replace(self.preferences, frequencies=chosen)
        elif rest[0] == "competitions":
            others = tuple(one for one in self.preferences.stopped if one != rest[1])
            self.preferences = replace(self.preferences, stopped=(*others, *([rest[1]] if body["stopped"] else [])))
        return self.preferences

    def _tell(self, campaign: CampaignRecord, what: str, body: dict[str, Any], person: PersonRecord) -> object:
        if self.count.trouble and what in {"preview", "test", "send", "resume"}:
            raise Conflict(self.count.trouble, remedy="Ask its operators for it.")
        if what == "preview":
            return self._preview(campaign, body.get("username") or "ben")
        if what == "approve":
            return self._approve(campaign, body["version"], person)
        if what == "schedule":
            when = body.get("when")
            return self._change(campaign, scheduled=None if when is None else datetime.fromisoformat(when))
        if what == "settle":
            return self._settle(campaign, set(body["usernames"]), send_again=body["send_again"])
        return campaign if what == "test" else self._change(campaign, status=AFTER[what])

    def _approve(self, campaign: CampaignRecord, version: int, person: PersonRecord) -> CampaignRecord:
        if campaign.version != version:
            raise Conflict(f"Campaign {campaign.number} has changed since you read it.", remedy="Read it again.")
        approved = (*campaign.approved_by, person.username)
        if campaign.needs_second and set(approved) == {campaign.author}:
            return self._change(campaign, status=CampaignStatus.PROPOSED, approved_by=approved)
        changes = {"total": self.count.total, "left_out": self.count.left_out, "counts": {"queued": self.count.total}}
        return self._change(campaign, status=CampaignStatus.APPROVED, approved_by=approved, **changes)

    def _settle(self, campaign: CampaignRecord, names: set[str], *, send_again: bool) -> CampaignRecord:
        after = MailStatus.QUEUED if send_again else MailStatus.SENT
        messages = self.messages[campaign.number]
        for place, one in enumerate(messages):
            if one.status is MailStatus.UNSETTLED and (not names or one.username in names):
                messages[place] = replace(one, status=after)
        return self._change(campaign, counts=dict(Counter(one.status.value for one in messages)))

    def _preview(self, campaign: CampaignRecord, username: str) -> MessagePreview:
        subject = campaign.subject.replace("{{competition}}", "Iris")
        headers = {"From": "Iris <podium@example.org>", "To": f"{username[:1]}…@example.org", "Subject": subject}
        text = campaign.body.replace("{{name}}", username)
        left_out = "opted out" if username == "zoe" else ""
        return MessagePreview(headers["To"], subject, text, self.page, headers, left_out)

    def _outbox(self, campaign: CampaignRecord, query: dict[str, str]) -> OutboxPage:
        found = [
            one
            for one in self.messages.get(campaign.number, [])
            if query.get("status") in {None, one.status.value} and query.get("search", "") in one.username
        ]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        return OutboxPage(len(found), tuple(found[offset : offset + limit]))

    def _made(self, slug: str, body: dict[str, Any], person: PersonRecord) -> CampaignRecord:
        audience = AudienceRecord(**{**body["audience"], "usernames": tuple(body["audience"]["usernames"])})
        return make_campaign(
            number=len(self.campaigns) + 1,
            competition=slug,
            subject=body["subject"],
            body=body["body"],
            question=audience,
            author=person.username,
        )

    def _campaign(self, number: str) -> CampaignRecord:
        found = next((one for one in self.campaigns if str(one.number) == number), None)
        if found is None:
            raise NotFound(f"There is no campaign {number}.")
        return found

    def _change(self, campaign: CampaignRecord, **changes: object) -> CampaignRecord:
        place = self.campaigns.index(campaign)
        self.campaigns[place] = replace(campaign, **{"version": campaign.version + 1, **changes})
        return self.campaigns[place]


def _require_words(body: dict[str, Any]) -> None:
    if "{{nmae}}" in body["body"]:
        raise InvalidInput("There is no variable 'nmae'.", remedy="Did you mean 'name'?")
