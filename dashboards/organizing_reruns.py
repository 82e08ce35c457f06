"""Reruns of a competition, for its organizers: all of them, one of them, and a new one."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, source
from podium.dashboards.deeds import Deed, show_deeds
from podium.dashboards.markup import element, text
from podium.dashboards.numbered_list import NumberedList
from podium.dashboards.rerun_cards import rerun_cards
from podium.dashboards.rerun_form import show_rerun_form
from podium.dashboards.rerun_report import report_facts, report_table, worth_showing
from podium.dashboards.rerun_words import MOVING, adopting_words, cancelling_words, deeds_of
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.reruns import RerunRecord

_MOST_ROWS = 200
_PURPOSE = (
    "When a program or the data was wrong, or Podium failed, a rerun scores submissions again. "
    "The old results count until the new ones are adopted, all at once."
)
_RERUNS: NumberedList[RerunRecord] = NumberedList(
    kind="rerun",
    fetch=lambda slug, who: who.gateway.reruns(slug),
    cards=rerun_cards,
    name=lambda rerun: f"Rerun {rerun.number}",
    face=lambda rerun: (rerun.number, rerun.status, rerun.held_back),
    seconds=1.5,
    width=320,
)


def show_reruns(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the reruns, one of them in full, and the form for a new one."""
    slug = competition.summary.slug

    def new(is_all: bool) -> None:  # noqa: FBT001 - called by place alone
        with st.expander("Score submissions again", icon=":material/replay:", expanded=is_all, key=f"new-{slug}"):
            show_rerun_form(competition, who)

    _RERUNS.show(
        slug,
        who,
        new=new,
        none=("Nothing was scored again yet", _PURPOSE),
        one=lambda rerun: _show_one(slug, rerun, who),
    )


def _show_one(slug: str, rerun: RerunRecord, who: Viewer) -> None:
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
