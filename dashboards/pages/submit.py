"""A new submission: what is left, the file with what is to be said of it before it is sent, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import phase_state
from podium.dashboards.deeds import refusal_words
from podium.dashboards.fact_sheet_form import ask_fact_sheet, missing_answers
from podium.dashboards.markup import plain_markdown
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.own_page import show_for_viewer
from podium.dashboards.quota import allowance_words, extra_words
from podium.dashboards.scores import size_text
from podium.dashboards.sending import Order, Sending, send
from podium.dashboards.session import Viewer
from podium.dashboards.settings import read_settings
from podium.dashboards.submitting import submit_command
from podium.dashboards.taking_part import participation_words, show_next_step
from podium.dashboards.upload_checks import Finding, check_upload, may_be_sent
from podium.dashboards.upload_door import open_door
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord
from podium.platform.records.people import Allowance

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_SENDING = "podium-sending"
_FOUND = "podium-upload-findings"
_EVERY = "every 10 seconds"
_TAKES = {
    "container": "the image of a container, as `docker save` writes it: a tar file, plain or packed with gzip",
    "results": "a zip with your results at its top; a single file of another kind is packed into one by itself",
    "any": "a zip with your results, or with your code and its `metadata`; a single file is packed into one by itself",
}


def show() -> None:
    """Show the form."""
    show_for_viewer(
        _show_competition,
        title="Submit",
        key="submit-competition",
        visitors=("Sign in to submit", "A submission belongs to whoever makes it."),
    )


def _show_competition(slug: str, who: Viewer) -> None:
    sending = st.session_state.get(_SENDING)
    if isinstance(sending, Sending):
        _follow(sending)
        return
    found = source.own_competition(slug, who.gateway)
    competition = found.value
    if competition is None:
        if found.trouble is not None:
            layout.trouble(found.trouble, what="competition")
        return
    words, kind = participation_words(competition)
    if competition.participation is not ParticipantStatus.APPROVED or kind == "warning":
        layout.inline(layout.notice(words or "You do not take part in this competition yet.", kind=kind or "info"))
        show_next_step(competition, who)
        return
    at = times.now()
    phases = [phase for phase in competition.phases if phase_state(phase, at) == "open"]
    if not phases:
        _show_closed(competition)
        return
    _show_form(competition, _choose_phase(phases, slug), who)


def _show_closed(competition: CompetitionRecord) -> None:
    opens = competition.summary.opens
    when = f"The next phase opens on {times.clock(opens)}." if opens is not None else "No phase will open any more."
    layout.nothing_here("No phase is open", when)
    link_to(PageName.LEADERBOARD, "Leaderboard", icon=":material/leaderboard:", competition=competition.summary.slug)


def _choose_phase(phases: Sequence[PhaseRecord], slug: str) -> PhaseRecord:
    if len(phases) == 1:
        return phases[0]
    names = {phase.number: phase.name for phase in phases}
    number = st.segmented_control(
        "Phase",
        list(names),
        format_func=lambda one: plain_markdown(names.get(one, str(one))),
        required=True,
        default=phases[0].number,
        key=f"submit-phase-of-{slug}",
    )
    return next(phase for phase in phases if phase.number == number)


def _show_form(competition: CompetitionRecord, phase: PhaseRecord, who: Viewer) -> None:
    slug = competition.summary.slug
    may = _show_allowance(slug, phase, who)
    largest = read_settings().upload_megabytes
    open_door()
    kind = "container" if phase.container_submissions else "results" if phase.only_result_submissions else "any"
    st.markdown(f"**What to submit:** {_TAKES[kind]}.")
    if phase.submission_format is not None and kind != "container":
        st.markdown(f"**The file:** {plain_markdown(phase.submission_format.in_words())}.")
    uploaded = st.file_uploader(
        "Your file",
        key=f"submit-file-{slug}-{st.session_state.get('submit-round', 0)}",
        max_upload_size=largest,
        help=f"Up to {largest} MB here; the command line sends files of any size, and goes on where it broke off.",
    )
    findings: tuple[Finding, ...] = ()
    if uploaded is not None:
        findings = _findings(uploaded, phase)
        layout.inline(*(layout.notice(one.words, kind=one.kind) for one in findings))
    message = st.text_input(
        "Note to yourself", key=f"submit-note-{slug}", max_chars=1000, placeholder="What is new in this one?"
    )
    answers = ask_fact_sheet(competition.fact_sheet, key=f"submit-fact-{slug}")
    missing = missing_answers(competition.fact_sheet, answers)
    if uploaded is not None and missing:
        layout.inline(layout.notice(f"Still to be answered: {', '.join(missing)}.", kind="warning"))
    ready = uploaded is not None and may and may_be_sent(findings) and not missing
    if st.button(f"Submit to {plain_markdown(phase.name)}", type="primary", disabled=not ready, key="submit-now"):
        assert uploaded is not None
        order = Order(slug, phase, str(message or "").strip(), answers)
        st.session_state[_SENDING] = send(who.patient_gateway, uploaded, order)
        st.rerun()
    with st.expander("From a terminal instead", icon=":material/terminal:"):
        layout.commands(submit_command(slug, phase))


def _findings(uploaded: UploadedFile, phase: PhaseRecord) -> tuple[Finding, ...]:
    """What is to be said of a file, found out once: the page is drawn again for every answer that is given on it."""
    asked = (uploaded.file_id, phase)
    known = st.session_state.get(_FOUND)
    if known is None or known[0] != asked:
        known = (asked, check_upload(uploaded.name, uploaded.size, uploaded, phase))
        st.session_state[_FOUND] = known
    found: tuple[Finding, ...] = known[1]
    return found


def _show_allowance(slug: str, phase: PhaseRecord, who: Viewer) -> bool:
    """Say what is left, and when more is; whether one may submit now."""
    allowance = source.ask(partial(who.gateway.allowance, slug, phase.number)).value
    if allowance is None:
        layout.inline(layout.notice("What is left for you can't be told at the moment.", kind="warning"))
        return True
    _keep_up(slug, phase.number, allowance)
    layout.inline(layout.notice(allowance_words(allowance), kind="info" if allowance.can else "warning"))
    if not allowance.can and allowance.changes is not None and allowance.changes > times.now():
        _count_down(allowance)
    extra = "" if allowance.extra is None else extra_words(allowance.extra, allowance.window)
    if extra:
        layout.inline(layout.notice(extra, kind="good"))
    return allowance.can


@st.fragment(run_every="10s")
def _keep_up(slug: str, phase: int, drawn: Allowance) -> None:
    """Draw the page again when one may submit more or less than before; this itself shows nothing."""
    who = session.viewer()
    latest = source.ask(partial(who.gateway.allowance, slug, phase)).value if who is not None else None
    if latest is not None and latest != drawn:
        st.rerun()


@st.fragment(run_every="1s")
def _count_down(allowance: Allowance) -> None:
    if allowance.changes is not None:
        left = allowance.changes - times.now()
        st.caption("Any moment now." if left.total_seconds() <= 0 else f"In {times.span(left)}.")


def _follow(sending: Sending) -> None:
    """Show how far a submission is, or what became of it."""
    sending.join(0.3)  # a small file is often there before anything is drawn
    if sending.is_under_way:
        _show_progress()
        return
    slug = sending.order.slug
    if sending.submission is not None:
        number = sending.submission.number
        layout.inline(
            layout.notice(f"Submission #{number} has arrived and is in the queue: {sending.filename}.", kind="good")
        )
        with st.container(horizontal=True, key="links-sent", vertical_alignment="center"):
            link_to(
                PageName.SUBMISSIONS,
                f"Follow submission #{number}",
                icon=":material/visibility:",
                competition=slug,
                submission=str(number),
            )
            st.button("Submit another", on_click=_begin_again)
        return
    _show_failure(sending)


@st.fragment(run_every="0.5s")
def _show_progress() -> None:
    sending = st.session_state.get(_SENDING)
    if not isinstance(sending, Sending) or not sending.is_under_way:
        st.rerun()
    total = "" if sending.step is None or not sending.step.total else f" of {size_text(sending.step.total)}"
    done = "" if sending.step is None else f", {size_text(sending.step.done)}{total}"
    st.progress(sending.share, text=plain_markdown(f"{sending.words}{done}"))
    st.caption("You may leave this page: it goes on by itself as long as this tab is open.")


def _show_failure(sending: Sending) -> None:
    assert sending.error is not None
    layout.inline(layout.notice(refusal_words(sending.error), kind="bad"))
    if sending.announced is not None:
        # It has its place already: what is missing is the file.
        layout.inline(
            layout.notice(
                f"Submission #{sending.announced.number} was announced, and its file did not arrive. It is cancelled "
                "by itself after a while and then costs nothing; or go on with it from a terminal:"
            )
        )
        layout.commands(
            [f"podium submit {sending.order.slug} --file {sending.filename} --resume {sending.announced.id}"]
        )
    st.button("Try again", type="primary", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state.pop(_SENDING, None)


def _begin_again() -> None:
    sending = st.session_state.pop(_SENDING, None)
    st.session_state["submit-round"] = int(st.session_state.get("submit-round", 0)) + 1
    if isinstance(sending, Sending):
        st.session_state.pop(f"submit-note-{sending.order.slug}", None)
