"""Which competition and phase a page is about: from its address, else what the session last looked at."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import source
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.records import CompetitionSummary, PhaseRecord

_SLUG_KEY = "podium-competition"
_LISTED = 200


def wanted_slug() -> str | None:
    """The competition that the address names, else the one that the session last looked at."""
    slug = st.query_params.get("competition") or st.session_state.get(_SLUG_KEY)
    return slug if isinstance(slug, str) and slug else None


def remember_slug(slug: str) -> None:
    """Write a competition into the address, so that it can be passed on, and into the session."""
    st.session_state[_SLUG_KEY] = slug
    if st.query_params.get("competition") != slug:
        st.query_params["competition"] = slug


def listed_competitions(who: Viewer | None) -> Answer[tuple[CompetitionSummary, ...]]:
    """Competitions to choose from; a viewer who organizes sees drafts too."""
    if who is not None and (who.person.may_organize or who.person.is_administrator):
        return source.ask(lambda: tuple(who.gateway.competitions(limit=_LISTED)))
    return source.public_competitions("", _LISTED)


def choose_competition(competitions: Sequence[CompetitionSummary], *, key: str) -> str | None:
    """A box to choose a competition; the one that is wanted is in it, also where the list lacks it."""
    titles = {summary.slug: summary.title for summary in competitions}
    wanted = wanted_slug()
    if wanted is not None:
        titles.setdefault(wanted, wanted)
    if not titles:
        return None
    options = list(titles)
    # The address decides on arrival and after a link; the box decides when the viewer uses it.
    if wanted is not None and st.session_state.get(f"{key}-address") != wanted:
        st.session_state[key] = wanted
    chosen = st.selectbox(
        "Competition", options, format_func=lambda slug: titles.get(slug, slug), key=key, label_visibility="collapsed"
    )
    if wanted is not None and chosen != wanted and "phase" in st.query_params:
        del st.query_params["phase"]
    remember_slug(chosen)
    st.session_state[f"{key}-address"] = chosen
    return chosen


def default_phase(phases: Sequence[PhaseRecord]) -> PhaseRecord:
    """The phase that is open, else the latest that began, else the first."""
    for status in ("open", "over"):
        found = [phase for phase in phases if phase.status == status]
        if found:
            return found[-1]
    return phases[0]


def phase_by_address(phases: Sequence[PhaseRecord], named: str | None) -> PhaseRecord:
    """The phase that an address names by number or name; the default one where it names none."""
    for phase in phases:
        if named is not None and named in {str(phase.number), phase.name}:
            return phase
    return default_phase(phases)


def choose_phase(phases: Sequence[PhaseRecord], *, slug: str) -> PhaseRecord:
    """Buttons to choose a phase, where there are several."""
    wanted = phase_by_address(phases, st.query_params.get("phase"))
    if len(phases) == 1:
        return wanted
    by_number = {phase.number: phase for phase in phases}
    key = f"phase-of-{slug}"
    if key not in st.session_state:
        st.session_state[key] = wanted.number
    number = st.segmented_control(
        "Phase",
        list(by_number),
        format_func=lambda number: by_number[number].name if number in by_number else str(number),
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    chosen = by_number.get(number if number is not None else wanted.number, wanted)
    if chosen is not wanted:
        st.query_params["phase"] = str(chosen.number)
    return chosen
