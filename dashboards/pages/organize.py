"""What organizers do while their competition runs: see how it is, decide, edit, score again, and who did what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import MappingProxyType

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.choice import choose_competition, listed_competitions
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.organizing_allowances import show_allowances
from podium.dashboards.organizing_audit import show_audit
from podium.dashboards.organizing_collaborators import show_collaborators
from podium.dashboards.organizing_editor import show_editor
from podium.dashboards.organizing_mail import show_mail
from podium.dashboards.organizing_overview import show_overview
from podium.dashboards.organizing_participants import show_participants
from podium.dashboards.organizing_phases import show_phases
from podium.dashboards.organizing_queue import show_queue
from podium.dashboards.organizing_reruns import show_reruns
from podium.dashboards.organizing_submissions import show_submissions
from podium.dashboards.organizing_tasks import show_tasks
from podium.dashboards.sections import SECTION_KEY
from podium.dashboards.session import Viewer
from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary

_SECTIONS: Mapping[str, Callable[[CompetitionRecord, Viewer], None]] = MappingProxyType(
    {
        "Overview": show_overview,
        "Submissions": show_submissions,
        "Participants": show_participants,
        "Mail": show_mail,
        "Edit": show_editor,
        "Queue": show_queue,
        "Phases": show_phases,
        "Extra allowances": show_allowances,
        "Reruns": show_reruns,
        "Tasks": show_tasks,
        "Collaborators": show_collaborators,
        "Audit log": show_audit,
    }
)

_DRAWN = "podium-organize-drawn"
"""The section that was drawn last, in the session's memory."""


def show() -> None:
    """Show a competition to those who organize it."""
    who = session.viewer()
    if who is None:
        layout.page_head("Organize")
        layout.nothing_here("Sign in to organize", "A competition is run by its organizers, with a token of theirs.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    listed = listed_competitions(who)
    choice = choose_competition(_own(listed.value or (), who), key="organize-competition")
    if choice is None:
        layout.page_head("Organize")
        if listed.trouble is not None:
            _show_trouble(listed.trouble)
        else:
            _nothing_to_organize(who)
        return
    answer = source.own_competition(choice.slug, who.gateway)
    title = answer.value.summary.title if answer.value is not None else choice.slug
    layout.page_head(title, above="Organize")
    if len(choice.titles) > 1:
        choice.show_box()
    if answer.value is None:
        if answer.trouble is not None:
            _show_trouble(answer.trouble)
    elif not answer.value.may_organize:
        layout.nothing_here(
            "You don't organize this competition",
            f"{answer.value.summary.organizer} does. What you submit to it is under “My submissions”.",
        )
        link_to(PageName.COMPETITION, "See the competition", icon=":material/description:", competition=choice.slug)
    else:
        _show_sections(answer.value, who)


def _show_trouble(trouble: PodiumError) -> None:
    """What stands where the gateway gave no answer, and what can be done: to load the page anew would sign out."""
    layout.trouble(trouble, what="competition")
    if isinstance(trouble, NotAuthenticated):
        st.button("Sign out", on_click=session.sign_out)
    else:
        st.button("Try again", icon=":material/refresh:", key="organize-again")


def _own(competitions: tuple[CompetitionSummary, ...], who: Viewer) -> tuple[CompetitionSummary, ...]:
    if who.person.is_administrator:
        return competitions
    return tuple(one for one in competitions if one.may_organize or one.organizer == who.username)


def _nothing_to_organize(who: Viewer) -> None:
    if session.may_organize(who):
        layout.nothing_here("You organize no competition yet", "A bundle makes one, from a terminal.")
        layout.commands(("podium bundle check my-competition/", "podium competition create my-competition/ --draft"))
    else:
        layout.nothing_here(
            "You organize no competition",
            "Administrators of this platform decide who may. Yours are under “My submissions”.",
        )


def _show_sections(competition: CompetitionRecord, who: Viewer) -> None:
    by_address = {name.lower().replace(" ", "-"): name for name in _SECTIONS}
    if st.session_state.get(SECTION_KEY) not in _SECTIONS:
        st.session_state[SECTION_KEY] = by_address.get(st.query_params.get("section", ""), "Overview")
    with st.container(key="sections"):
        section = str(
            st.segmented_control(
                "Section", list(_SECTIONS), required=True, key=SECTION_KEY, label_visibility="collapsed"
            )
        )
    st.query_params["section"] = section.lower().replace(" ", "-")
    _show_section(section, competition, who)


def _show_section(section: str, competition: CompetitionRecord, who: Viewer) -> None:
    # A place for each: in one for all, the last one, with its buttons, would stand until this one is whole.
    places = {name: st.container() if name == section else st.empty() for name in _SECTIONS}
    is_new = st.session_state.get(_DRAWN) != section
    st.session_state[_DRAWN] = section
    with places[section], st.spinner("Fetching it…") if is_new else nullcontext():
        _SECTIONS[section](competition, who)
