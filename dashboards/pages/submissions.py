"""The viewer's submissions: where they are, what came of them, and what to do."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.cards import open_phases
from podium.dashboards.decisions import decisions
from podium.dashboards.deeds import show_deeds, show_outcome
from podium.dashboards.detailed import show_detailed_results
from podium.dashboards.history import details, details_head, submissions_table
from podium.dashboards.image_links import link_to_submission_images
from podium.dashboards.logs import FollowedLogs, followed_logs, show_logs
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.outputs import downloads
from podium.dashboards.own_page import show_for_viewer
from podium.dashboards.quota import allowance_words, extra_words
from podium.dashboards.scores import MISSING
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.dashboards.submission_filters import choose_shown
from podium.dashboards.submitting import first_commands
from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.submissions import DetailedResults, SubmissionRecord

_EVERY = "every 2 seconds"
_SHOWN = 50


def show() -> None:
    """Show the viewer's submissions."""
    show_for_viewer(
        _show_submissions,
        title="My submissions",
        key="submissions-competition",
        visitors=("Sign in to see yours", "Submissions are shown to their owner and to the organizer."),
    )


def _show_submissions(slug: str, who: Viewer) -> None:
    found = source.competition(slug, who.gateway)
    answer = _submissions(slug, who)
    _keep_up(slug, _face(answer))
    if found.value is None or answer.value is None:
        _show_trouble(found.trouble or answer.trouble)
        return
    _show_allowances(slug)
    if not answer.value:
        layout.nothing_here("Nothing submitted yet", "Submit a file here or from a terminal; this page follows it.")
        with st.container(key="links-first", horizontal=True):
            link_to(PageName.SUBMIT, "Submit", icon=":material/upload:", competition=slug)
        with st.expander("From a terminal", icon=":material/terminal:"):
            layout.commands(first_commands(slug))
        return
    with st.container(key="links-submissions", horizontal=True):
        link_to(PageName.SUBMIT, "Submit another", icon=":material/upload:", competition=slug)
    with st.container(key="submissions-choice"):
        shown = choose_shown(answer.value, slug=slug)
    if not shown:
        layout.nothing_here("None of these", "No submission of yours is in this state and phase.")
        return
    with st.container(key="submissions-scroll"):
        st.html(submissions_table(shown, found.value.columns))
    if len(answer.value) == _SHOWN:
        st.caption(f"These are your latest {_SHOWN}. `podium submissions` lists them all.")
    _show_one(shown, found.value, who)


@st.fragment(run_every="2s")
def _keep_up(slug: str, drawn: object) -> None:
    """Draw the page again when a submission has moved; this itself shows nothing."""
    who = session.viewer()
    if who is not None and _face(_submissions(slug, who)) != drawn:
        st.rerun()


@st.fragment(run_every="10s")
def _show_allowances(slug: str) -> None:
    """What the viewer may still submit, in each phase that is open; organizers may change it at any time."""
    who = session.viewer()
    competition = source.competition(slug, who.gateway).value if who is not None else None
    if who is None or competition is None:
        return
    for number in open_phases(competition, times.now()) or (None,):
        allowance = source.ask(partial(who.gateway.allowance, slug, number)).value
        if allowance is None:
            continue
        layout.inline(layout.notice(allowance_words(allowance), kind="info" if allowance.can else "warning"))
        extra = "" if allowance.extra is None else extra_words(allowance.extra, allowance.window)
        if extra:
            layout.inline(layout.notice(extra, kind="good"))


@st.fragment(run_every="5s")
def _show_moving_head(drawn: SubmissionRecord) -> None:
    """The head of a submission that has not ended, with an expectation that is not older than this."""
    who = session.viewer()
    latest = source.ask(lambda: who.gateway.submission(drawn.id)).value if who is not None else None
    layout.inline(details_head(latest or drawn, times.now()))


@st.fragment(run_every="0.5s")
def _keep_up_with_logs(logs: FollowedLogs) -> None:
    """Draw the page again when logs have grown: a line is seen within a second of being written."""
    who = session.viewer()
    if who is not None and logs.fetch_more(who):
        st.rerun()


@st.fragment(run_every="2s")
def _keep_up_with_results(submission: UUID, drawn: DetailedResults | None) -> None:
    """Draw the page again when detailed results have changed."""
    who = session.viewer()
    if who is not None and source.detailed_results(submission, who.gateway).value != drawn:
        st.rerun()


def _submissions(slug: str, who: Viewer) -> Answer[tuple[SubmissionRecord, ...]]:
    return source.ask(lambda: who.gateway.submissions(slug, limit=_SHOWN))


def _face(answer: Answer[tuple[SubmissionRecord, ...]]) -> object:
    """What makes the page look as it does: equal ones need no new drawing."""
    return answer.value, type(answer.trouble)


def _show_trouble(trouble: PodiumError | None) -> None:
    if trouble is None:
        return
    layout.trouble(trouble, what="competition", every=_EVERY)
    if isinstance(trouble, NotAuthenticated):
        st.button("Sign out", on_click=session.sign_out)


def _show_one(submissions: tuple[SubmissionRecord, ...], competition: CompetitionRecord, who: Viewer) -> None:
    by_number = {submission.number: submission for submission in submissions}
    key = f"submission-of-{competition.summary.slug}"
    named = st.query_params.pop("submission", "")
    if named.isascii() and named.isdigit() and int(named) in by_number:
        st.session_state[key] = int(named)
    number = st.selectbox("Details of", list(by_number), format_func=lambda number: _option(by_number, number), key=key)
    chosen = by_number[number]
    answer = source.ask(lambda: who.gateway.submission(chosen.id))
    if answer.value is None:
        _show_trouble(answer.trouble)
        return
    with st.container(key="submission-head"):
        _show_head(answer.value, competition, who)
    layout.inline(details(answer.value, competition.columns))
    layout.inline(downloads(answer.value, who.gateway))
    link_to_submission_images(chosen.id, who)
    with st.container(key="submission-results"):
        _show_results(answer.value, who)
    if st.toggle("Logs", key="submission-logs", value=True):
        logs = followed_logs(chosen.id)
        logs.fetch_more(who)
        show_logs(logs)
        if not logs.ended:
            _keep_up_with_logs(logs)


def _show_results(submission: SubmissionRecord, who: Viewer) -> None:
    results = source.detailed_results(submission.id, who.gateway).value
    if results is not None and results.pages:
        layout.inline(element("h3", text("Detailed results")))
        show_detailed_results(results, lambda evaluation: who.gateway.detailed_result_page(submission.id, evaluation))
    if submission.ended is None:
        _keep_up_with_results(submission.id, results)


def _show_head(submission: SubmissionRecord, competition: CompetitionRecord, who: Viewer) -> None:
    if submission.ended is not None:
        layout.inline(details_head(submission, times.now(), contact=competition.contact_email))
    else:
        _show_moving_head(submission)
    deeds = decisions(submission, competition, who.patient_gateway, times.now())
    if deeds:
        show_deeds(_place(submission), deeds)
    else:
        show_outcome(_place(submission))


def _place(submission: SubmissionRecord) -> str:
    return f"submission-{submission.id}"


def _option(by_number: dict[int, SubmissionRecord], number: int) -> str:
    """What stays the same as long as the submission is there: an option whose words change is another one to a box."""
    submission = by_number.get(number)
    return MISSING if submission is None else f"#{number}: {submission.filename}"
