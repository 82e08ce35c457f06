"""The viewer's submissions: where they are, what came of them, and what to do."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.choice import choose_competition, listed_competitions
from podium.dashboards.detailed import show_detailed_results
from podium.dashboards.history import details, submissions_table
from podium.dashboards.logs import FollowedLogs, followed_logs, show_logs
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.scores import MISSING
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.dashboards.submitting import first_commands, submit_command
from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.records import Allowance, CompetitionRecord, DetailedResults, SubmissionRecord

_EVERY = "every 2 seconds"
_SHOWN = 50


def show() -> None:
    """Show the viewer's submissions."""
    who = session.viewer()
    layout.page_head("My submissions", below="" if who is None else f"Signed in as {who.username}")
    if who is None:
        layout.nothing_here("Sign in to see yours", "Submissions are shown to their owner and to the organizer.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    listed = listed_competitions(who)
    choice = choose_competition(listed.value or (), key="submissions-competition")
    if choice is not None:
        choice.show_box()
        _show_submissions(choice.slug, who)
    elif listed.trouble is not None:
        layout.trouble(listed.trouble, what="competition")
    else:
        layout.nothing_here("No competition yet", "There is nothing to submit to.")


def _show_submissions(slug: str, who: Viewer) -> None:
    found = source.competition(slug, who.gateway)
    answer = _submissions(slug, who)
    _keep_up(slug, _face(answer))
    if found.value is None or answer.value is None:
        _show_trouble(found.trouble or answer.trouble)
        return
    allowance = source.ask(lambda: who.gateway.allowance(slug)).value
    if allowance is not None:
        layout.inline(layout.notice(allowance_words(allowance), kind="info" if allowance.can else "warning"))
    if not answer.value:
        layout.nothing_here("Nothing submitted yet", "Submit from a terminal; this page follows it from there.")
        layout.commands(first_commands(slug))
        return
    with st.container(key="submissions-scroll"):
        st.html(submissions_table(answer.value, found.value.columns))
    if len(answer.value) == _SHOWN:
        st.caption(f"These are your latest {_SHOWN}. `podium submissions` lists them all.")
    _show_one(answer.value, found.value, who)
    with st.expander("Submit another", icon=":material/terminal:"):
        layout.commands(submit_command(slug))


@st.fragment(run_every="2s")
def _keep_up(slug: str, drawn: object) -> None:
    """Draw the page again when a submission has moved; this itself shows nothing."""
    who = session.viewer()
    if who is not None and _face(_submissions(slug, who)) != drawn:
        st.rerun()


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


def allowance_words(allowance: Allowance) -> str:
    """Whether one may submit now and how often, in a sentence."""
    if not allowance.can:
        until = f" That may change on {times.clock(allowance.changes)}." if allowance.changes is not None else ""
        return f"{allowance.reason}{until}"
    left = [
        f"{count} {words}"
        for count, words in ((allowance.left_in_window, "left today"), (allowance.left_total, "left in all"))
        if count is not None
    ]
    where = f"{allowance.phase} is open" if allowance.phase is not None else "You may submit"
    return f"{where}: {', '.join(left)}." if left else f"{where}, without a limit."


def _show_one(submissions: tuple[SubmissionRecord, ...], competition: CompetitionRecord, who: Viewer) -> None:
    by_number = {submission.number: submission for submission in submissions}
    number = st.selectbox(
        "Details of",
        list(by_number),
        format_func=lambda number: _option(by_number, number),
        key=f"submission-of-{competition.summary.slug}",
    )
    chosen = by_number[number]
    answer = source.ask(lambda: who.gateway.submission(chosen.id))
    if answer.value is None:
        _show_trouble(answer.trouble)
        return
    layout.inline(details(answer.value, competition.columns))
    results = source.detailed_results(chosen.id, who.gateway).value
    if results is not None and results.pages:
        layout.inline(element("h3", text("Detailed results")))
        show_detailed_results(results, lambda evaluation: who.gateway.detailed_result_page(chosen.id, evaluation))
    if answer.value.ended is None:
        _keep_up_with_results(chosen.id, results)
    if st.toggle("Logs", key="submission-logs", value=True):
        logs = followed_logs(chosen.id)
        logs.fetch_more(who)
        show_logs(logs)
        if not logs.ended:
            _keep_up_with_logs(logs)


def _option(by_number: dict[int, SubmissionRecord], number: int) -> str:
    """What stays the same as long as the submission is there: an option whose words change is another one to a box."""
    submission = by_number.get(number)
    return MISSING if submission is None else f"#{number}: {submission.filename}"
