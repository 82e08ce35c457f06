"""Reruns of a competition, for its organizers: all of them, one of them, and a new one."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.deeds import Deed, show_deeds
from podium.dashboards.markup import element, text
from podium.dashboards.rerun_cards import rerun_cards
from podium.dashboards.rerun_form import show_rerun_form
from podium.dashboards.rerun_report import report_facts, report_table, worth_showing
from podium.dashboards.rerun_words import MOVING, adopting_words, cancelling_words, deeds_of
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.reruns import RerunRecord

_EVERY = "every 2 seconds"
_CARDS = 5
_MOST_ROWS = 200


def show_reruns(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the reruns, one of them in full, and the form for a new one."""
    slug = competition.summary.slug
    answer = _reruns(slug, who)
    if answer.value is None:
        _keep_up(slug, _face(answer))
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition", every=_EVERY)
        return
    with st.expander("Score submissions again", icon=":material/replay:", expanded=not answer.value, key=f"new-{slug}"):
        show_rerun_form(competition, who)
    with st.container(key=f"no-rerun-{slug}"):
        if not answer.value:
            layout.nothing_here(
                "Nothing was scored again yet",
                "When a program or the data was wrong, or Podium failed, a rerun scores submissions again. "
                "The old results count until the new ones are adopted, all at once.",
            )
    _keep_up(slug, _face(answer))
    if answer.value:
        _show_one(slug, answer.value, who)


@st.fragment(run_every="1.5s")
def _keep_up(slug: str, drawn: object) -> None:
    """Move the bars; draw the page again when something can be done that could not, or no longer."""
    who = session.viewer()
    if who is None:
        return
    answer = _reruns(slug, who)
    if _face(answer) != drawn:
        st.rerun()
    if answer.value:
        layout.inline(rerun_cards(answer.value[:_CARDS]))


def _reruns(slug: str, who: Viewer) -> Answer[tuple[RerunRecord, ...]]:
    return source.ask(lambda: who.gateway.reruns(slug))


def _face(answer: Answer[tuple[RerunRecord, ...]]) -> object:
    """What the page looks like save the bars: equal ones need no new drawing."""
    return [(one.number, one.status, one.held_back) for one in answer.value or ()], type(answer.trouble)


def _show_one(slug: str, reruns: tuple[RerunRecord, ...], who: Viewer) -> None:
    by_number = {rerun.number: rerun for rerun in reruns}
    number = st.selectbox(
        "Details of", list(by_number), format_func=lambda number: f"Rerun {number}", key=f"rerun-of-{slug}", width=320
    )
    rerun = by_number[number]
    with st.container(key=f"older-rerun-{slug}"):
        if rerun not in reruns[:_CARDS]:
            layout.inline(rerun_cards([rerun]))
    show_deeds(f"rerun-{slug}-{rerun.number}", [_deed(slug, rerun, name, who) for name in deeds_of(rerun)])
    _show_report(slug, rerun, who)


def _deed(slug: str, rerun: RerunRecord, name: str, who: Viewer) -> Deed:
    number, gateway = rerun.number, who.patient_gateway
    match name:
        case "pause":
            return Deed(
                name,
                "Pause",
                ":material/pause:",
                lambda: gateway.pause_rerun(slug, number),
                f"Rerun {number} is paused.",
            )
        case "resume":
            return Deed(
                name,
                "Resume",
                ":material/play_arrow:",
                lambda: gateway.resume_rerun(slug, number),
                f"Rerun {number} goes on.",
                is_primary=True,
            )
        case "adopt":
            return Deed(
                name,
                "Adopt the new results",
                ":material/check:",
                lambda: gateway.adopt_rerun(slug, number),
                f"The results of rerun {number} count now.",
                question=adopting_words(rerun),
                yes=f"Adopt rerun {number}",
                is_primary=True,
            )
    return Deed(
        name,
        "Cancel",
        ":material/cancel:",
        lambda: gateway.cancel_rerun(slug, number),
        f"Rerun {number} is cancelled.",
        question=cancelling_words(rerun),
        yes=f"Cancel rerun {number}",
    )


def _show_report(slug: str, rerun: RerunRecord, who: Viewer) -> None:
    if rerun.status in MOVING and not st.toggle("Differences so far", key=f"so-far-{slug}-{rerun.number}"):
        return
    with st.spinner("Comparing old and new results…"):
        answer = source.ask(lambda: who.patient_gateway.rerun_report(slug, rerun.number))
    report = answer.value
    if report is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="report")
        return
    layout.inline(element("h3", text("Old and new results")), report_facts(report))
    with st.container(horizontal=True, vertical_alignment="center", key="report-tools"):
        everything = st.toggle("Unchanged ones too", key=f"unchanged-{slug}-{rerun.number}")
        st.download_button(
            "CSV",
            lambda: who.patient_gateway.rerun_report_csv(slug, rerun.number),
            file_name=f"{slug}-rerun-{rerun.number}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="All differences, with every digit",
            key=f"csv-{slug}-{rerun.number}",
        )
        if rerun.status in MOVING:
            st.button("Look again", icon=":material/refresh:", key=f"again-{slug}-{rerun.number}")
    differences = worth_showing(report, everything=everything, most=_MOST_ROWS)
    if not differences:
        layout.nothing_here(
            "No difference", "All that was scored again so far has the same results and ranks as before."
        )
        return
    layout.inline(report_table(differences, report.columns))
    if len(differences) == _MOST_ROWS:
        st.caption(f"These are the first {_MOST_ROWS}, the largest changes of rank first. The CSV has them all.")
