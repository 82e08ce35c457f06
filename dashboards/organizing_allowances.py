"""What participants are allowed on top of a phase's limits, for its organizers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.choice import choose_phase
from podium.dashboards.deeds import refuse, show_outcome, try_to
from podium.dashboards.markup import Html, actor_words
from podium.dashboards.quota import limits_words, more_words, phase_window_words
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord
from podium.platform.records.people import ExtraAllowanceRecord

_WORDS = ("username", "reason")
_FIELDS = (*_WORDS, "per_window", "total", "concurrent")


def show_allowances(competition: CompetitionRecord, who: Viewer) -> None:
    """Show what was granted in a phase, and a form to grant more."""
    slug = competition.summary.slug
    if not competition.phases:
        layout.nothing_here("No phase yet", "This competition has no phase.")
        return
    chosen = choose_phase(competition.phases, slug=slug)
    chosen.show_buttons()
    phase = chosen.phase
    layout.inline(layout.facts((("Phase", phase.name), ("Each participant", limits_words(phase)))))
    answer = source.ask(lambda: who.gateway.extra_allowances(slug, phase.number))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="phase")
        return
    if answer.value:
        layout.inline(allowances_table(answer.value, phase))
    else:
        layout.nothing_here("Nobody has more than the others", f"All participants of {phase.name} have its limits.")
    _show_form(slug, phase, who)


def allowances_table(extras: Sequence[ExtraAllowanceRecord], phase: PhaseRecord) -> Html:
    """What was granted to whom, and why."""
    window = phase_window_words(phase)
    rows = [
        (
            one.participant,
            more_words(one, window) or "nothing more",
            one.reason,
            actor_words(one.granted_by),
            times.stamp(one.created),
        )
        for one in extras
    ]
    return scrolled_table("Extra allowances", ("Participant", "Allowed on top", "Why", "By", "Since (UTC)"), rows)


def _show_form(slug: str, phase: PhaseRecord, who: Viewer) -> None:
    place = f"extra-{slug}-{phase.number}"
    with st.form(f"form-{place}"):
        st.markdown("**Allow a participant more**")
        with st.container(horizontal=True):
            st.text_input("Participant", key=f"username-{place}", placeholder="username", autocomplete="off")
            for name, label in _labels(phase).items():
                st.number_input(label, min_value=0, max_value=100_000, step=1, value=0, key=f"{name}-{place}")
        st.text_input("Why, for the participant too", key=f"reason-{place}", max_chars=500)
        st.caption("It takes the place of what they were allowed before; three zeros take it back.")
        st.form_submit_button("Allow", key=f"allow-{place}", on_click=_allow, args=(slug, phase, place, who))
    show_outcome(place)


def _labels(phase: PhaseRecord) -> dict[str, str]:
    return {
        "per_window": f"More {phase_window_words(phase)}",
        "total": "More in all",
        "concurrent": "More at a time",
    }


def _allow(slug: str, phase: PhaseRecord, place: str, who: Viewer) -> None:
    username, reason, per_window, total, concurrent = (st.session_state.get(f"{name}-{place}") for name in _FIELDS)
    username, reason = str(username or "").strip(), str(reason or "").strip()
    if not username or not reason:
        refuse(place, "Name the participant, and say why: both of you will want to know later.")
        return
    if try_to(
        place,
        lambda: who.patient_gateway.allow_extra(
            slug,
            phase.number,
            username,
            reason=reason,
            per_window=per_window or 0,
            total=total or 0,
            concurrent=concurrent or 0,
        ),
        f"Granted to {username}.",
    ):
        for name in _FIELDS:
            st.session_state[f"{name}-{place}"] = "" if name in _WORDS else 0
