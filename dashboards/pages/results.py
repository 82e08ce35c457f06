"""The detailed results of one submission: where a leaderboard leads to."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.detailed import show_detailed_results
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.source import Answer
from podium.platform.records.submissions import DetailedResults

_EVERY = "every 2 seconds"


def show() -> None:
    """Show the detailed results of the submission that the address names."""
    submission = _chosen()
    if submission is None:
        layout.page_head("Detailed results")
        layout.nothing_here("No submission chosen", "A leaderboard leads here, where its organizer wants it to.")
        link_to(PageName.COMPETITIONS, "See all competitions", icon=":material/arrow_back:")
        return
    answer = _results(submission)
    _keep_up(submission, answer.value)
    results = answer.value
    if results is None:
        layout.page_head("Detailed results")
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="submission", every=_EVERY)
        return
    below = f"Submission {results.number} by {results.participant}, {results.phase}"
    layout.page_head("Detailed results", above=results.competition, below=below)
    if results.pages:
        who = session.viewer()
        own = who.gateway if who is not None else None
        show_detailed_results(results, lambda evaluation: source.detailed_result_page(submission, evaluation, own))
    else:
        layout.nothing_here("No detailed results", "The scoring program has written none.")
    link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=results.competition)


def _chosen() -> UUID | None:
    try:
        return UUID(st.query_params.get("submission", ""))
    except ValueError:
        return None


def _results(submission: UUID) -> Answer[DetailedResults]:
    who = session.viewer()
    return source.detailed_results(submission, who.gateway if who is not None else None)


@st.fragment(run_every="2s")
def _keep_up(submission: UUID, drawn: DetailedResults | None) -> None:
    """Draw the page again when a result has changed; this itself shows nothing."""
    if drawn is not None and not any(page.is_live for page in drawn.pages):
        return
    if _results(submission).value != drawn:
        st.rerun()
