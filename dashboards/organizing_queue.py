"""The queue of a competition, for its organizers."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.queue_figures import queue_card
from podium.dashboards.scaling_card import scaling_card
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import CompetitionRecord


def show_queue(competition: CompetitionRecord, who: Viewer) -> None:  # noqa: ARG001 - all sections are called alike
    """Show how the competition's submissions stand in the queue, and keep it up to date."""
    _show_figures(competition.summary.slug)


@st.fragment(run_every="2s")
def _show_figures(slug: str) -> None:
    who = session.viewer()
    if who is None:
        return
    answer = source.ask(lambda: who.gateway.queue(slug))
    if answer.value is not None:
        layout.inline(queue_card(answer.value))
        _show_scaling(answer.value.pool, who)
    elif answer.trouble is not None:
        layout.trouble(answer.trouble, what="queue", every="every 2 seconds")


def _show_scaling(pool: str, who: Viewer) -> None:
    """How the pool is scaled, for administrators; one that is not scaled has nothing to show."""
    if who.person.is_administrator:
        scaling = source.ask(lambda: who.gateway.scaling(pool)).value
        if scaling is not None:
            layout.inline(scaling_card(scaling))
