"""Which competition and phase a page is about: from its address, else what the session last looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from podium.dashboards import session, source
from podium.dashboards.markup import plain_markdown
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.records.competitions import CompetitionSummary, PhaseRecord

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
    if who is not None and session.may_organize(who):
        return source.ask(lambda: tuple(who.gateway.competitions(limit=_LISTED)))
    return source.public_competitions("", _LISTED)


@dataclass(frozen=True, slots=True)
class CompetitionChoice:
    """A competition that was chosen among others, before its box is drawn: what stands above the box names it."""

    slug: str
    titles: Mapping[str, str]
    key: str

    def show_box(self) -> None:
        """Draw the box in which to choose another one."""
        st.selectbox(
            "Competition",
            list(self.titles),
            format_func=lambda slug: self.titles.get(slug, slug),
            key=self.key,
            label_visibility="collapsed",
        )


def distinct_titles(competitions: Sequence[CompetitionSummary]) -> dict[str, str]:
    """Titles by slug, with the slug beside a title that several have: a box tells its options apart by their words."""
    counts = Counter(summary.title for summary in competitions)
    return {
        summary.slug: summary.title if counts[summary.title] == 1 else f"{summary.title} ({summary.slug})"
        for summary in competitions
    }


def choose_competition(competitions: Sequence[CompetitionSummary], *, key: str) -> CompetitionChoice | None:
    """The competition that the box or the address names, else the first; `None` where there is none at all.

    One that is wanted can be chosen, also where the list lacks it.
    """
    titles = distinct_titles(competitions)
    wanted = wanted_slug()
    if wanted is not None:
        titles.setdefault(wanted, wanted)
    if not titles:
        return None
    address_key = f"{key}-address"
    boxed = st.session_state.get(key)
    # The address decides on arrival and after a link; the box decides when the viewer uses it.
    if boxed not in titles or (wanted is not None and st.session_state.get(address_key) != wanted):
        boxed = wanted or next(iter(titles))
        st.session_state[key] = boxed
    chosen = str(boxed)
    if wanted is not None and chosen != wanted and "phase" in st.query_params:
        del st.query_params["phase"]
    remember_slug(chosen)
    st.session_state[address_key] = chosen
    return CompetitionChoice(chosen, titles, key)


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


@dataclass(frozen=True, slots=True)
class PhaseChoice:
    """A phase that was chosen among others, before its buttons are drawn."""

    phase: PhaseRecord
    names: Mapping[int, str]
    key: str

    def show_buttons(self) -> None:
        """Draw the buttons, where there is something to choose."""
        if len(self.names) > 1:
            st.segmented_control(
                "Phase",
                list(self.names),
                format_func=lambda number: plain_markdown(self.names.get(number, str(number))),
                required=True,
                key=self.key,
                label_visibility="collapsed",
            )


def choose_phase(phases: Sequence[PhaseRecord], *, slug: str) -> PhaseChoice:
    """The phase that the buttons or the address name, else the default one."""
    by_number = {phase.number: phase for phase in phases}
    key = f"phase-of-{slug}"
    if st.session_state.get(key) not in by_number:
        st.session_state[key] = phase_by_address(phases, st.query_params.get("phase")).number
    chosen = by_number[st.session_state[key]]
    if chosen is not phase_by_address(phases, st.query_params.get("phase")):
        st.query_params["phase"] = str(chosen.number)
    return PhaseChoice(chosen, {number: phase.name for number, phase in by_number.items()}, key)
