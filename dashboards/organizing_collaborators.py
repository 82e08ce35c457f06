"""Who organizes a competition with its owner."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.deeds import Deed, refuse, show_deeds, show_outcome, try_to
from podium.dashboards.markup import Html, actor_words
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.platform.records.access import CollaboratorRecord
from podium.platform.records.competitions import CompetitionRecord


def show_collaborators(competition: CompetitionRecord, who: Viewer) -> None:
    """Show them; to the owner, with what it takes to choose them."""
    slug, owner = competition.summary.slug, competition.summary.organizer
    layout.inline(layout.facts((("Owner", owner),)))
    answer = source.ask(lambda: who.gateway.collaborators(slug))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition")
        return
    if answer.value:
        layout.inline(collaborators_table(answer.value))
    else:
        layout.nothing_here("No collaborators", f"{owner} organizes this competition alone.")
    if who.username == owner or who.person.is_administrator:
        _show_form(slug, who)
        for one in answer.value:
            show_deeds(f"collaborator-{slug}-{one.username}", (_removal(slug, one, who),))
    else:
        st.caption("They may do all that its owner may, but choose collaborators.")


def collaborators_table(collaborators: Sequence[CollaboratorRecord]) -> Html:
    """Who they are, since when, and who added them."""
    rows = [(one.username, one.name, actor_words(one.added_by), times.stamp(one.since)) for one in collaborators]
    return scrolled_table("Collaborators", ("Collaborator", "Name", "Added by", "Since (UTC)"), rows)


def _removal(slug: str, one: CollaboratorRecord, who: Viewer) -> Deed:
    return Deed(
        key="remove",
        label=f"Remove {one.username}",
        icon=":material/person_remove:",
        call=lambda: who.patient_gateway.remove_collaborator(slug, one.username),
        done=f"{one.username} organizes this competition no more.",
        question=f"{one.username} will not be able to organize this competition any more, from this moment on.",
        yes=f"Remove {one.username}",
    )


def _show_form(slug: str, who: Viewer) -> None:
    place = f"collaborators-{slug}"
    with st.form(f"form-{place}"):
        st.markdown("**Let somebody organize it too**")
        st.text_input("Person", key=f"username-{place}", placeholder="username", autocomplete="off")
        st.caption("They may do all that you may, but choose collaborators. Everything they do is in the audit log.")
        st.form_submit_button("Add", key=f"add-{place}", on_click=_add, args=(slug, place, who))
    show_outcome(place)


def _add(slug: str, place: str, who: Viewer) -> None:
    username = str(st.session_state.get(f"username-{place}") or "").strip()
    if not username:
        refuse(place, "Name the person.")
    elif try_to(
        place, lambda: who.patient_gateway.add_collaborator(slug, username), f"{username} organizes it with you."
    ):
        st.session_state[f"username-{place}"] = ""
