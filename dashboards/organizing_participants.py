"""Who takes part, for organizers: looked for, and decided about singly or together."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.choosing_many import choose_many, chosen_of, forget_choice
from podium.dashboards.deeds import refusal_words, show_outcome
from podium.dashboards.markup import Html, element, text
from podium.dashboards.organizing_teams import show_teams
from podium.dashboards.outcomes import keep_outcomes, show_outcomes
from podium.dashboards.paging import PAGE, page_of, show_paging
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import MISSING
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.organizing import ParticipantLine, ParticipantPage

_EVERYONE = "Everyone"
_WORDS = {
    ParticipantStatus.PENDING: "Waiting",
    ParticipantStatus.APPROVED: "Approved",
    ParticipantStatus.DENIED: "Denied",
}
_DECISIONS = (
    (ParticipantStatus.APPROVED, "Approve", ":material/check:"),
    (ParticipantStatus.DENIED, "Deny", ":material/block:"),
    (ParticipantStatus.PENDING, "Take the approval back", ":material/undo:"),
)


def show_participants(competition: CompetitionRecord, who: Viewer) -> None:
    """Show them with a search, and what can be decided about those that are chosen; below them their teams."""
    _show_people(competition, who)
    show_teams(competition, who)


@st.fragment
def _show_people(competition: CompetitionRecord, who: Viewer) -> None:
    slug = competition.summary.slug
    place = f"participants-{slug}"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"filters-{place}"):
        words = st.text_input(
            "Search", key=f"search-{place}", placeholder="username, name or e-mail address", live="300ms"
        )
        status = st.selectbox("Which", [_EVERYONE, *_WORDS.values()], key=f"status-{place}", width=200)
    wanted = next((one for one, word in _WORDS.items() if word == status), None)
    face = (words, wanted)
    offset = page_of(place, face) * PAGE
    answer = source.ask(
        lambda: who.gateway.participant_page(slug, search=words or None, status=wanted, limit=PAGE, offset=offset)
    )
    page = answer.value
    if page is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition")
        return
    layout.inline(_counts(page))
    if not page.rows:
        _show_nobody(competition, is_search=bool(words or wanted))
        show_outcomes(place)
        return
    layout.inline(participants_table(page.rows))
    show_paging(place, face, page.total, what="participants" if page.total != 1 else "participant")
    _show_decisions(slug, place, page, who)


def participants_table(rows: Sequence[ParticipantLine]) -> Html:
    """Who they are, where they stand, and what each has submitted."""
    heads = ("Participant", "Name", "Status", "Joined (UTC)", "Terms", "Submissions", "Latest (UTC)", "On the board")
    lines = [
        (
            one.username,
            one.name,
            _WORDS[one.status],
            times.stamp(one.joined),
            "accepted" if one.terms_accepted else "not the present ones",
            _submitted(one),
            times.stamp(one.latest) if one.latest else MISSING,
            str(one.on_leaderboard),
        )
        for one in rows
    ]
    return scrolled_table("Participants", heads, lines)


def _submitted(one: ParticipantLine) -> str:
    if not one.submissions:
        return "none"
    failed = f", {one.failed} failed" if one.failed else ""
    return f"{one.submissions} ({one.finished} finished{failed})"


def _counts(page: ParticipantPage) -> Html:
    return layout.facts([(word, str(page.by_status.get(status.value, 0))) for status, word in _WORDS.items()])


def _show_nobody(competition: CompetitionRecord, *, is_search: bool) -> None:
    if is_search:
        layout.nothing_here("Nobody is found", "Nobody who has joined has these words or this status.")
        return
    approving = (
        "Whoever joins may submit at once." if competition.registration_auto_approve else "You approve who joins."
    )
    layout.nothing_here("Nobody takes part yet", f"{approving} Send people the address of the competition.")


def _show_decisions(slug: str, place: str, page: ParticipantPage, who: Viewer) -> None:
    layout.inline(element("h2", text("Decide"), class_="podium-section"))
    statuses = {one.username: _WORDS[one.status].lower() for one in page.rows}
    chosen = choose_many(
        place,
        list(statuses),
        label="Participants",
        shown=lambda name: f"{name} ({statuses[name]})" if name in statuses else name,
    )
    st.text_input("Why, for the record", key=f"reason-{place}", max_chars=500, placeholder="Not of this course.")
    with st.container(horizontal=True, key=f"deciding-{place}"):
        for status, label, icon in _DECISIONS:
            st.button(
                f"{label} ({len(chosen)})" if chosen else label,
                key=f"{status}-{place}",
                icon=icon,
                type="primary" if status is ParticipantStatus.APPROVED else "secondary",
                on_click=_decide,
                args=(slug, place, status, who),
            )
    st.caption("Who is denied, or whose approval is taken back, can't submit any more; what was submitted stays.")
    show_outcome(place)
    show_outcomes(place)


def _decide(slug: str, place: str, status: ParticipantStatus, who: Viewer) -> None:
    chosen = chosen_of(place)
    reason = str(st.session_state.get(f"reason-{place}") or "").strip()
    if not chosen:
        keep_outcomes(place, "Choose whom you mean first: by name, or all on this page.")
        return
    try:
        record = who.patient_gateway.decide_participants(slug, chosen, status, reason=reason)
    except PodiumError as error:
        keep_outcomes(place, refusal_words(error))
        return
    keep_outcomes(place, record)
    forget_choice(place)
    st.session_state[f"reason-{place}"] = ""
