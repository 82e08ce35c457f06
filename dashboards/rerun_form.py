"""The form for a new rerun: what to score, a look at what that would mean, and only then the start."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.deeds import forget_outcome, refusal_words, refuse, show_outcome, try_to
from podium.dashboards.markup import element, text
from podium.dashboards.rerun_cards import preview_card
from podium.dashboards.selection import Choice, Selection, phase_reference
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.reruns import RerunPreview

_BY_ITSELF = "Let the new results take the place of the old ones when all are there"
_BY_HAND = "Keep them apart until I adopt them"
_EVERY_PHASE = 0


def show_rerun_form(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the form; what was looked at can be started as long as the selection stays the same."""
    slug = competition.summary.slug
    selection = _selection(competition)
    if st.button("Preview", key=f"preview-{slug}", icon=":material/visibility:", help="Changes nothing"):
        _look(slug, selection, who)
    seen = st.session_state.get(_preview_key(slug))
    if seen is None or seen[0] != selection:
        show_outcome(_place(slug))
        st.caption("The preview says what would be scored, how long it would take, and what is left out.")
        return
    if isinstance(seen[1], RerunPreview):
        _show_preview(slug, selection, seen[1], who)
    else:
        layout.inline(layout.notice(seen[1], kind="warning"))


def _selection(competition: CompetitionRecord) -> Selection:
    slug = competition.summary.slug
    names = {phase.number: phase.name for phase in competition.phases}
    kinds = [choice.value for choice in Choice]
    choice = Choice(st.radio("What to score again", kinds, key=f"choice-{slug}", horizontal=True) or Choice.PHASE)
    phase: str | int | None = None
    numbers = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if choice is Choice.NUMBERS:
            numbers = st.text_input("Submissions", key=f"numbers-{slug}", placeholder="3, 7, 12-20", live="150ms") or ""
        else:
            options = [_EVERY_PHASE, *names] if choice is Choice.PLATFORM else list(names)
            chosen = st.selectbox(
                "Phase",
                options,
                format_func=lambda number: names.get(number, "All phases"),
                key=f"rerun-phase-{slug}-{choice is Choice.PLATFORM}",
            )
            phase = phase_reference(competition.phases, chosen) if chosen else None
        parallel = st.number_input(
            "At the same time, at most",
            min_value=1,
            step=1,
            value=None,
            key=f"parallel-{slug}",
            placeholder="all slots",
            help="Empty: as many as agents can take. New submissions go first in any case.",
        )
    return Selection(choice, phase, numbers.strip(), parallel)


def _look(slug: str, selection: Selection, who: Viewer) -> None:
    forget_outcome(_place(slug))
    with st.spinner("Looking at what would be scored…"):
        try:
            found: RerunPreview | str = who.patient_gateway.preview_rerun(slug, **selection.arguments())
        except PodiumError as error:
            found = refusal_words(error)
    st.session_state[_preview_key(slug)] = (selection, found)


def _show_preview(slug: str, selection: Selection, preview: RerunPreview, who: Viewer) -> None:
    layout.inline(element("h3", text("What it would do")), preview_card(preview))
    if not preview.total:
        layout.inline(layout.notice("There is nothing to score again.", kind="warning"))
        return
    with st.form(f"start-{slug}"):
        st.text_input(
            "Why, for all who see the results",
            key=f"reason-{slug}",
            max_chars=500,
            placeholder="The reference data had a wrong label.",
        )
        st.radio("When all are scored", [_BY_ITSELF, _BY_HAND], key=f"adoption-{slug}")
        st.caption("They are held back in any case where a submission that was finished would now fail.")
        count = f"{preview.total} submission{'' if preview.total == 1 else 's'}"
        st.form_submit_button(
            f"Score {count} again",
            type="primary",
            key=f"start-button-{slug}",
            on_click=_start,
            args=(slug, selection, who),
        )
    show_outcome(_place(slug))


def _start(slug: str, selection: Selection, who: Viewer) -> None:
    reason = str(st.session_state.get(f"reason-{slug}", "")).strip()
    if not reason:
        refuse(_place(slug), "Say why: all who see the results read it.")
        return
    adopt = st.session_state.get(f"adoption-{slug}") == _BY_ITSELF
    if try_to(
        _place(slug),
        lambda: who.patient_gateway.start_rerun(slug, reason=reason, adopt=adopt, **selection.arguments()),
        "The rerun has been asked for. It begins in a moment.",
    ):
        st.session_state.pop(_preview_key(slug), None)
        # The new one is what the organizer wants to see below.
        st.session_state.pop(f"rerun-of-{slug}", None)


def _place(slug: str) -> str:
    return f"new-rerun-{slug}"


def _preview_key(slug: str) -> str:
    return f"preview-of-{slug}"
