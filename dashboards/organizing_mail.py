"""Mail to participants, for organizers: all campaigns, one of them, and a new one."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from podium.dashboards import layout, times
from podium.dashboards.deeds import refuse, show_deeds, show_outcome, try_to
from podium.dashboards.first_values import give_first
from podium.dashboards.mail_cards import campaign_cards
from podium.dashboards.mail_deeds import deeds
from podium.dashboards.mail_form import count_now, is_unsaved, show_campaign_form, show_new_campaign
from podium.dashboards.mail_outbox import show_outbox, show_unsettled
from podium.dashboards.mail_preview import show_preview
from podium.dashboards.mail_words import WRITABLE
from podium.dashboards.markup import element, sentence, text
from podium.dashboards.numbered_list import NumberedList
from podium.dashboards.session import Viewer
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.mail import AudienceRecord, CampaignRecord

_PURPOSE = (
    "A campaign is one message to many people, each of whom gets their own, once. It is a draft first; "
    "nothing is sent before it is approved and you say so."
)
_CAMPAIGNS: NumberedList[CampaignRecord] = NumberedList(
    kind="campaign",
    fetch=lambda slug, who: who.gateway.campaigns(slug),
    cards=campaign_cards,
    name=lambda campaign: f"Campaign {campaign.number}: {campaign.subject}",
    face=lambda campaign: (
        campaign.number,
        campaign.status,
        campaign.count(MailStatus.UNSETTLED),
        # What it says is read before it is approved, and again when somebody has changed it.
        campaign.version if campaign.status in WRITABLE else 0,
        campaign.scheduled,
    ),
    seconds=3,
    width=520,
)


def show_mail(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the campaigns, one of them in full, and the form for a new one."""
    slug = competition.summary.slug

    def new(is_all: bool) -> None:  # noqa: FBT001 - called by place alone
        _show_no_mail(slug, who)
        with st.expander("Write a message", icon=":material/edit:", expanded=is_all, key=f"new-mail-{slug}"):
            show_new_campaign(competition, who)

    _CAMPAIGNS.show(
        slug,
        who,
        new=new,
        none=("Nothing was written to anybody yet", _PURPOSE),
        one=lambda campaign: _show_one(competition, campaign, who),
    )


def _show_no_mail(slug: str, who: Viewer) -> None:
    with st.container(key=f"no-mail-server-{slug}"):
        count = count_now(slug, AudienceRecord(), who).value
        if count is not None and count.trouble:
            words = (
                f"{sentence(count.trouble)} The operator of this platform names a mail server in PODIUM_MAIL_HOST and "
                "the sender in PODIUM_MAIL_FROM. Until then you can write and approve, and nothing is sent."
            )
            layout.inline(layout.notice(words, kind="warning"))


def _show_one(competition: CompetitionRecord, campaign: CampaignRecord, who: Viewer) -> None:
    slug, number = competition.summary.slug, campaign.number
    unsaved = campaign.status in WRITABLE and is_unsaved(competition, campaign)
    show_deeds(f"mail-{slug}-{number}", deeds(slug, campaign, who, unsaved=unsaved))
    with st.container(key=f"mail-time-{slug}-{number}"):
        if campaign.status is CampaignStatus.APPROVED:
            _show_time(slug, campaign, who)
    show_unsettled(slug, campaign, who)
    message, preview, recipients = st.tabs(["Message", "Preview", "Recipients"], key=f"mail-tabs-{slug}")
    with message:
        _show_message(competition, campaign, who)
    with preview:
        show_preview(slug, campaign, who, unsaved=unsaved)
    with recipients:
        if campaign.total:
            show_outbox(slug, campaign)
        else:
            layout.nothing_here(
                "Nobody is chosen yet", f"It is for {campaign.audience}. Approving it fixes who these are."
            )


def _show_message(competition: CompetitionRecord, campaign: CampaignRecord, who: Viewer) -> None:
    if campaign.status in WRITABLE:
        show_campaign_form(competition, campaign, who)
        return
    layout.inline(
        element("h3", text(campaign.subject)), element("p", text(f"To {campaign.audience}"), class_="podium-quiet")
    )
    st.code(campaign.body, language="markdown", wrap_lines=True)
    if campaign.status is CampaignStatus.APPROVED:
        st.caption("It is approved. To change it, make it a draft again.")


def _show_time(slug: str, campaign: CampaignRecord, who: Viewer) -> None:
    place = f"mail-time-of-{slug}-{campaign.number}"
    before = campaign.scheduled.astimezone(UTC).replace(tzinfo=None) if campaign.scheduled is not None else None
    # Another form for a time that was changed meanwhile: this one's field would keep what it had.
    key = f"{place}-{before}"
    with st.form(f"form-{key}"), st.container(horizontal=True, vertical_alignment="bottom"):
        st.datetime_input(
            "Or send it by itself at (UTC)",
            value=None,
            key=give_first(f"at-{key}", before),
            format="YYYY-MM-DD",
            help="Empty: when somebody says so.",
        )
        st.form_submit_button(
            "Keep this time",
            icon=":material/schedule:",
            key=f"schedule-{key}",
            on_click=_schedule,
            args=(slug, campaign, place, key, who),
        )
    show_outcome(place)


def _schedule(slug: str, campaign: CampaignRecord, place: str, key: str, who: Viewer) -> None:
    at = st.session_state.get(f"at-{key}")
    when = at.replace(tzinfo=UTC) if isinstance(at, datetime) else None
    if when is None and campaign.scheduled is None:
        refuse(place, "Choose a day and a time first.")
        return
    done = f"It is sent on {times.clock(when)}." if when is not None else "It has no time any more: you send it."
    try_to(place, lambda: who.patient_gateway.schedule_campaign(slug, campaign.number, when), done)
