"""The messages of a campaign, one for each recipient; and what is to be decided about those that nobody knows of."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.choosing_many import choose_many, chosen_of, forget_choice
from podium.dashboards.deeds import Deed, show_deeds
from podium.dashboards.mail_cards import messages_table
from podium.dashboards.mail_words import MESSAGE_WORDS, people
from podium.dashboards.markup import element, text
from podium.dashboards.paging import PAGE, page_of, show_paging
from podium.dashboards.session import Viewer
from podium.platform.errors import InvalidInput
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import CampaignRecord

_ALL = "All"
_WHAT_TO_DO = {
    MailStatus.FAILED: "Failed for good: the mail server said why, beside each. A wrong address is the person's to "
    "mend, or the operator's; then write another campaign to them by name.",
    MailStatus.DEFERRED: "Put off by the mail server: tried again by itself, at the time beside each.",
    MailStatus.SUPPRESSED: "Not sent: they stopped such messages, may not take part any more, or mail to them came "
    "back. There is nothing to do.",
}


def show_outbox(slug: str, campaign: CampaignRecord) -> None:
    """Show the messages; while they are being sent, the table follows."""
    moves = campaign.status is CampaignStatus.SENDING
    st.fragment(_show_messages, run_every="3s" if moves else None)(slug, campaign.number)


def show_unsettled(slug: str, campaign: CampaignRecord, who: Viewer) -> None:
    """Show the messages of which nobody knows whether they arrived, and the two ways to decide about them."""
    place = f"unsettled-{slug}-{campaign.number}"
    count = campaign.count(MailStatus.UNSETTLED)
    with st.container(key=place):
        if not count:
            show_deeds(place, [])
            return
        why = (
            "A sender or a connection broke off after the mail server may have taken the message, and before it said "
            "so. It is never sent again by itself: you decide."
        )
        layout.inline(
            element("h2", text(f"{people(count)} may have got it, or not"), class_="podium-section"),
            element("p", text(why)),
        )
        # With another count the pages are others: the first one is shown.
        offset = page_of(place, count) * PAGE
        answer = source.ask(
            lambda: who.gateway.campaign_outbox(slug, campaign.number, status="unsettled", limit=PAGE, offset=offset)
        )
        if answer.value is None:
            if answer.trouble is not None:
                layout.trouble(answer.trouble, what="campaign")
            return
        if answer.value.total > PAGE:
            show_paging(place, count, answer.value.total, what="messages")
        names = [one.username for one in answer.value.rows]
        chosen: list[str] = choose_many(place, names, label="Recipients", shown=str)
        show_deeds(place, _settling(slug, campaign, place, chosen, who))


def _settling(slug: str, campaign: CampaignRecord, place: str, chosen: list[str], who: Viewer) -> list[Deed]:
    count = f" ({len(chosen)})" if chosen else ""
    as_sent = Deed(
        "as-sent",
        f"Count as sent{count}",
        ":material/check:",
        lambda: _settle(slug, campaign.number, place, who, send_again=False),
        "They count as sent.",
    )
    if campaign.status is CampaignStatus.CANCELLED:
        return [as_sent]
    again = Deed(
        "send-again",
        f"Send again{count}",
        ":material/replay:",
        lambda: _settle(slug, campaign.number, place, who, send_again=True),
        "They are sent again.",
        question=f"Send it again to {people(len(chosen)) if chosen else 'those who are chosen'}? "
        "Who has got it gets it twice.",
        yes="Send again",
    )
    return [as_sent, again]


def _settle(slug: str, number: int, place: str, who: Viewer, *, send_again: bool) -> None:
    chosen = [str(name) for name in chosen_of(place)]
    if not chosen:
        # Without a name, all would be meant.
        raise InvalidInput("Choose whom you mean first: by name, or all on this page.")
    who.patient_gateway.settle_campaign(slug, number, send_again=send_again, usernames=chosen)
    forget_choice(place)


def _show_messages(slug: str, number: int) -> None:
    who = session.viewer()
    if who is None:
        return
    place = f"outbox-{slug}-{number}"
    by_word = {word.capitalize(): status for status, word in MESSAGE_WORDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"filters-{place}"):
        words = st.text_input("Search", key=f"search-{place}", placeholder="username", live="300ms")
        word = st.selectbox("Which", [_ALL, *by_word], key=f"status-{place}", width=200)
    status = by_word.get(str(word))
    face = (words, status)
    offset = page_of(place, face) * PAGE
    answer = source.ask(
        lambda: who.gateway.campaign_outbox(
            slug, number, status=status and status.value, search=words or "", limit=PAGE, offset=offset
        )
    )
    with st.container(key=f"what-to-do-{place}"):
        if status in _WHAT_TO_DO:
            st.caption(_WHAT_TO_DO[status])
    page = answer.value
    if page is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="campaign")
    elif page.rows:
        layout.inline(messages_table(page.rows))
        show_paging(place, face, page.total, what="messages" if page.total != 1 else "message")
    else:
        layout.nothing_here("No message is found", "None of this campaign's has these words or this status.")
