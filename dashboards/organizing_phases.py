"""Phases of a competition, for its organizers: pausing them, and moving their ends and limits."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import timeline
from podium.dashboards.choice import choose_phase
from podium.dashboards.deeds import Deed, refuse, show_deeds, show_outcome, try_to
from podium.dashboards.first_values import give_first
from podium.dashboards.markup import element, text
from podium.dashboards.phase_changes import Edited, as_edited, changes_of
from podium.dashboards.quota import paused_words, phase_window_words
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord


def show_phases(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the phases, and what can be done with one of them."""
    slug = competition.summary.slug
    _keep_up(slug, competition.phases)
    if not competition.phases:
        layout.nothing_here("No phase yet", "This competition has no phase.")
        return
    layout.inline(timeline(competition.phases, times.now()))
    chosen = choose_phase(competition.phases, slug=slug)
    chosen.show_buttons()
    phase = chosen.phase
    layout.inline(element("h2", text(phase.name), class_="podium-section"))
    with st.container(key=f"pausing-of-{slug}"):
        _show_pausing(slug, phase, who)
    _show_form(slug, phase, who)


@st.fragment(run_every="5s")
def _keep_up(slug: str, drawn: tuple[PhaseRecord, ...]) -> None:
    """Draw the page again when a phase has changed; this itself shows nothing."""
    who = session.viewer()
    latest = source.own_competition(slug, who.gateway).value if who is not None else None
    if latest is not None and latest.phases != drawn:
        st.rerun()


def _place(slug: str, phase: PhaseRecord) -> str:
    return f"phase-{slug}-{phase.number}"


def _show_pausing(slug: str, phase: PhaseRecord, who: Viewer) -> None:
    place = f"pausing-{_place(slug, phase)}"
    if phase.paused:
        layout.inline(layout.notice(paused_words(phase), kind="warning"))
        resume = Deed(
            key="resume",
            label="Resume",
            icon=":material/play_arrow:",
            call=lambda: who.patient_gateway.resume_phase(slug, phase.number),
            done=f"{phase.name} takes submissions again.",
            is_primary=True,
        )
        show_deeds(place, [resume])
        return
    show_outcome(place)
    with st.form(f"form-{place}"):
        st.text_input(
            "Pause it: what participants are told",
            key=f"message-{place}",
            max_chars=500,
            placeholder="We are mending the reference data and are back at 15:00 UTC.",
            help="Nothing is taken until the phase is resumed. What is queued is scored all the same.",
        )
        st.form_submit_button(
            "Pause", icon=":material/pause:", on_click=_pause, args=(slug, phase, place, who), key=f"pause-{place}"
        )


def _pause(slug: str, phase: PhaseRecord, place: str, who: Viewer) -> None:
    message = str(st.session_state.get(f"message-{place}", "")).strip()
    if not message:
        refuse(place, "Say what participants are told: they can't submit and want to know why.")
    elif try_to(
        place, lambda: who.patient_gateway.pause_phase(slug, phase.number, message), f"{phase.name} is paused."
    ):
        st.session_state[f"message-{place}"] = ""


def _show_form(slug: str, phase: PhaseRecord, who: Viewer) -> None:
    place, now = _place(slug, phase), as_edited(phase)
    # Another form for what has changed meanwhile: this one's fields would keep what they had.
    key = f"{place}-{now.end}-{now.per_window}-{now.total}-{now.at_once}"
    give_first(f"end-{key}", _naive(now.end))
    for name in _labels(phase):
        give_first(f"{name}-{key}", getattr(now, name))
    with st.form(f"form-{key}"):
        st.markdown("**End and limits**")
        with st.container(horizontal=True):
            st.datetime_input(
                "Ends (UTC)", value=None, key=f"end-{key}", help="Empty: it has no end.", format="YYYY-MM-DD"
            )
            for name, label in _labels(phase).items():
                st.number_input(label, min_value=0, step=1, value=None, key=f"{name}-{key}", placeholder="no limit")
        st.caption("For each participant; an empty field is no limit. It holds for submissions from now on.")
        st.form_submit_button("Change", key=f"change-{key}", on_click=_change, args=(slug, phase, key, who))
    show_outcome(place)


def _labels(phase: PhaseRecord) -> dict[str, str]:
    return {
        "per_window": f"Submissions {phase_window_words(phase)}",
        "total": "Submissions in all",
        "at_once": "Submissions at a time",
    }


def _change(slug: str, phase: PhaseRecord, key: str, who: Viewer) -> None:
    state, place = st.session_state, _place(slug, phase)
    end = state.get(f"end-{key}")
    edited = Edited(
        end=end.replace(tzinfo=UTC) if isinstance(end, datetime) else None,
        per_window=state.get(f"per_window-{key}"),
        total=state.get(f"total-{key}"),
        at_once=state.get(f"at_once-{key}"),
    )
    changes = changes_of(phase, edited)
    if not changes:
        refuse(place, "Nothing was changed.")
        return
    try_to(place, partial(who.patient_gateway.change_phase, slug, phase.number, **changes), f"{phase.name} is changed.")


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)
