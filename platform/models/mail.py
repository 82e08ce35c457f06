"""Mail: campaigns, the outbox with one row for each message to one person, and who wants none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.models.base import Base, FlowDriven, Identified, Timed, now, status_type
from podium.platform.models.competitions import Competition
from podium.platform.models.people import Person


class MailKind(StrEnum):
    """What a message is about; people choose for each kind how they want it."""

    ANNOUNCEMENT = "announcement"  # a campaign of organizers'
    TEST = "test"  # of a campaign, to whoever writes it
    CONFIRMATION = "confirmation"  # asks whether an address is somebody's
    SUBMISSION = "submission"  # a submission is finished, or has failed
    REGISTRATION = "registration"  # organizers accepted or denied somebody
    PHASE = "phase"  # a phase opens, or closes soon
    RANK = "rank"  # a rerun has changed somebody's rank
    AGENT = "agent"  # organizers lost an agent
    DIGEST = "digest"  # a day's news


class MailFrequency(StrEnum):
    """How somebody wants mail of a kind."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NONE = "none"


class MailCause(StrEnum):
    """Why nothing is sent to an address any more."""

    BOUNCE = "bounce"  # there is no such mailbox
    COMPLAINT = "complaint"  # its owner has reported mail as unwanted
    OPERATOR = "operator"  # an operator said so


class MailCampaign(Identified, Timed, FlowDriven, Base):
    """One message of a competition's organizers to many people.

    `audience` is the question to whom it goes, read by `podium.platform.mail.audience`. It is answered once, when the
    campaign is approved (`frozen`): each of those people has a row in the outbox from then on. `left_out` says how many
    were not given one, by reason. `author_id` is who wrote what it says now: not who may approve it, where a second
    organizer is asked for.

    `scheduled` is when it is to be sent; null for as soon as somebody says so. `due` is when its flow has something to
    do next, while it is being sent.
    """

    __tablename__ = "mail_campaigns"
    __table_args__ = (
        Index("uq_mail_campaigns_competition_id_number", "competition_id", "number", unique=True),
        Index("ix_mail_campaigns_open", "status", postgresql_where=text("ended IS NULL")),
        CheckConstraint(
            "frozen IS NOT NULL OR status IN ('draft', 'proposed', 'cancelled')", name="frozen_when_approved"
        ),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    number: Mapped[int]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    audience: Mapped[dict[str, Any]] = mapped_column(default=dict)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    status: Mapped[CampaignStatus] = mapped_column(
        status_type(CampaignStatus, "campaign_status"), default=CampaignStatus.DRAFT
    )
    status_message: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    scheduled: Mapped[datetime | None]
    frozen: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due: Mapped[datetime | None]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    competition: Mapped[Competition] = relationship()
    author: Mapped[Person] = relationship()
    approvals: Mapped[list[MailApproval]] = relationship(order_by="MailApproval.approved", cascade="all, delete-orphan")


class MailApproval(Base):
    """That an organizer approved a campaign, as it is; gone when the campaign is changed."""

    __tablename__ = "mail_approvals"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("mail_campaigns.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    approved: Mapped[datetime] = mapped_column(default=now)

    person: Mapped[Person] = relationship()


class OutboxMessage(Identified, Timed, Base):
    """One message to one person. Of a campaign there is one for each person; else `key` says what there is one of.

    What it says stands in its campaign; else in the file that `template` names, or in `subject` and `body` (Markdown);
    with what is to be `filled_in`, by the names of variables. `address` is where it went last, so that mail which comes
    back is known. `due` is when it is to be sent.

    One that is `for_digest` is never sent by itself: when it is due, it becomes a part of its person's digest of that
    day, which is the message `digest_id`.

    While a sender has it, `claim_id` says which one: nobody else's word about it counts. `handed` is set before the
    message itself is written to the mail server, and cleared when the server's answer is known: a row that is
    `sending` and `handed`, and whose sender is gone, may have arrived or not.
    """

    __tablename__ = "mail_outbox"
    __table_args__ = (
        Index(
            "uq_mail_outbox_campaign_id_person_id",
            "campaign_id",
            "person_id",
            unique=True,
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index(
            "uq_mail_outbox_person_id_kind_key",
            "person_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL"),
        ),
        Index(
            "ix_mail_outbox_waiting",
            "campaign_id",
            "due",
            "id",
            postgresql_where=text("status IN ('queued', 'deferred')"),
        ),
        Index("ix_mail_outbox_campaign_id_status", "campaign_id", "status"),
        # How many went out within the last minute, to whom.
        Index("ix_mail_outbox_claimed", "claimed", postgresql_where=text("claimed IS NOT NULL")),
        # What waits for the day's digest, by whom it is for.
        Index(
            "ix_mail_outbox_for_digest",
            "due",
            "person_id",
            postgresql_where=text("for_digest AND status = 'queued'"),
        ),
        Index("ix_mail_outbox_digest_id", "digest_id", postgresql_where=text("digest_id IS NOT NULL")),
        CheckConstraint("num_nonnulls(campaign_id, subject, template) = 1", name="says_something"),
        CheckConstraint("handed IS NULL OR status IN ('sending', 'unsettled')", name="handed_while_it_is_sent"),
    )

    kind: Mapped[MailKind] = mapped_column(status_type(MailKind, "mail_kind"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("mail_campaigns.id", ondelete="CASCADE"))
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    key: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str | None] = mapped_column(String(400))
    body: Mapped[str | None]
    template: Mapped[str | None] = mapped_column(String(60))
    for_digest: Mapped[bool] = mapped_column(default=False)
    digest_id: Mapped[UUID | None] = mapped_column(ForeignKey("mail_outbox.id", ondelete="SET NULL"))
    filled_in: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[MailStatus] = mapped_column(status_type(MailStatus, "mail_status"), default=MailStatus.QUEUED)
    address: Mapped[str] = mapped_column(String(320), default="")
    domain: Mapped[str] = mapped_column(String(255), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    due: Mapped[datetime] = mapped_column(default=now)
    claim_id: Mapped[UUID | None]
    claimed: Mapped[datetime | None]
    handed: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(String(500), default="")
    ended: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class MailSuppression(Timed, Base):
    """An address, in lower case, to which nothing is sent any more, and why."""

    __tablename__ = "mail_suppressions"

    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    cause: Mapped[MailCause] = mapped_column(status_type(MailCause, "mail_cause"))
    detail: Mapped[str] = mapped_column(String(500), default="")
    by: Mapped[str] = mapped_column(String(200), default="")


class MailPreference(Base):
    """How somebody wants mail of a kind, where it is not as usual."""

    __tablename__ = "mail_preferences"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(status_type(MailKind, "mail_kind"), primary_key=True)
    frequency: Mapped[MailFrequency] = mapped_column(status_type(MailFrequency, "mail_frequency"))
    changed: Mapped[datetime] = mapped_column(default=now)


class MailOptOut(Timed, Base):
    """That somebody wants no announcements of one competition."""

    __tablename__ = "mail_opt_outs"

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)


class MailRound(Identified, Timed, FlowDriven, Base):
    """A run that sends what waits outside of campaigns. There is one at a time."""

    __tablename__ = "mail_rounds"
    __table_args__ = (
        Index("uq_mail_rounds_open", text("(true)"), unique=True, postgresql_where=text("ended IS NULL")),
    )

    ended: Mapped[datetime | None]
