"""An act on several submissions: looked at first, then carried out, with what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.choosing_many import chosen_of, forget_choice
from podium.dashboards.deeds import refusal_words
from podium.dashboards.outcomes import forget_outcomes, keep_outcomes, outcomes_card, show_outcomes
from podium.dashboards.rerun_cards import preview_card
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.organizing import BulkAct, BulkRecord
from podium.platform.records.reruns import RerunPreview

_RERUN = "Score again"
_ACTS: Mapping[str, BulkAct | None] = MappingProxyType(
    {
        _RERUN: None,
        "Cancel": BulkAct.CANCEL,
        "Put on the leaderboard": BulkAct.PUT_ON_LEADERBOARD,
        "Take off the leaderboard": BulkAct.TAKE_OFF_LEADERBOARD,
    }
)


def show_bulk(competition: CompetitionRecord, place: str, chosen: tuple[int, ...], who: Viewer) -> None:
    """Show what can be done with those that are chosen, what it would do, and what came of the last act."""
    slug = competition.summary.slug
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"acts-{place}"):
        act = st.selectbox("Do what", list(_ACTS), key=f"act-{place}", width=240)
        st.button(
            "Preview",
            key=f"preview-{place}",
            icon=":material/visibility:",
            help="Changes nothing",
            on_click=_look,
            args=(slug, place, who),
        )
    seen = st.session_state.get(_seen_key(place))
    if not chosen or seen is None or seen[0] != (act, chosen):
        if not st.session_state.get(f"outcomes-{place}"):
            st.caption("The preview says what would be done to each, and why not where it can't be.")
        show_outcomes(place)
        return
    _show_seen(slug, place, act, chosen, seen[1], who)


def _look(slug: str, place: str, who: Viewer) -> None:
    forget_outcomes(place)
    # As the boxes are now: the button may be pressed before it is drawn with what was chosen last.
    act = str(st.session_state[f"act-{place}"])
    chosen = tuple(sorted(chosen_of(place)))
    if not chosen:
        keep_outcomes(place, "Choose submissions first: by their numbers, or all on this page.")
        return
    gateway, bulk = who.patient_gateway, _ACTS[act]
    try:
        found: RerunPreview | BulkRecord | str = (
            gateway.preview_rerun(slug, submissions=chosen)
            if bulk is None
            else gateway.preview_bulk(slug, bulk, chosen)
        )
    except PodiumError as error:
        found = refusal_words(error)
    st.session_state[_seen_key(place)] = ((act, chosen), found)


def _show_seen(slug: str, place: str, act: str, chosen: tuple[int, ...], found: object, who: Viewer) -> None:
    if isinstance(found, RerunPreview):
        layout.inline(preview_card(found))
        count = found.total
    elif isinstance(found, BulkRecord):
        layout.inline(outcomes_card(found))
        count = found.done
    else:
        layout.inline(layout.notice(str(found), kind="warning"))
        return
    if not count:
        layout.inline(layout.notice("There is nothing to do.", kind="warning"))
        return
    with st.form(f"form-{place}"):
        st.text_input("Why, for the record", key=f"reason-{place}", max_chars=500)
        st.form_submit_button(
            f"{act}: {count}",
            type="primary",
            key=f"do-{place}",
            on_click=_carry_out,
            args=(slug, place, act, chosen, who),
        )
    show_outcomes(place)


def _carry_out(slug: str, place: str, act: str, chosen: tuple[int, ...], who: Viewer) -> None:
    reason = str(st.session_state.get(f"reason-{place}") or "").strip()
    if not reason:
        keep_outcomes(place, "Say why: it stands in the audit log, and whom it concerns may ask.")
        return
    gateway, bulk = who.patient_gateway, _ACTS[act]
    try:
        if bulk is None:
            rerun = gateway.start_rerun(slug, submissions=chosen, reason=reason, adopt=False)
            keep_outcomes(place, f"Rerun {rerun.number} begins in a moment; see “Reruns”, and adopt its results there.")
        else:
            keep_outcomes(place, gateway.act_in_bulk(slug, bulk, chosen, reason=reason))
    except PodiumError as error:
        keep_outcomes(place, refusal_words(error))
        return
    st.session_state.pop(_seen_key(place), None)
    forget_choice(place)


def _seen_key(place: str) -> str:
    return f"seen-{place}"
