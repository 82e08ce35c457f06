"""What there is to download in a competition: files to begin with, and submissions that participants share."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.links import download_link
from podium.dashboards.markup import Html, element, text, unseen
from podium.dashboards.scores import MISSING, score_text, size_text
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.offers import OfferedFile, SharedSubmission

KIND_WORDS = {
    "starting_kit": "Starting kit",
    "public_data": "Public data",
    "input_data": "Input data",
    "ingestion_program": "Ingestion program",
    "scoring_program": "Scoring program",
}
_EVERY = "every minute"
T = TypeVar("T")


@st.fragment(run_every="60s")
def show_files(competition: CompetitionRecord) -> None:
    """The files that the competition offers, with links for who takes part."""
    who = session.viewer()
    answer = source.offered_files(competition.summary.slug, who.gateway if who is not None else None)
    none = ("Nothing to download", "This competition offers no files, or none of a phase that has begun.")
    files = _listed(answer, what="file", none=none)
    if not files:
        return
    may_fetch = who is not None and (
        competition.participation is ParticipantStatus.APPROVED or competition.may_organize
    )
    if not may_fetch:
        layout.inline(layout.notice("These files are for who takes part: sign in, and accept the terms."))
    rows = [_file_row(competition, file, who if may_fetch else None) for file in files]
    words = ("File", "What it is", "Size", "Download")
    layout.inline(_table("Files of this competition", words, rows))


def _file_row(competition: CompetitionRecord, file: OfferedFile, who: Viewer | None) -> Html:
    what = KIND_WORDS.get(file.kind, file.kind)
    of_task = f"{what} of {file.task}" if file.task else f"{what}, from phase {file.phases[0]} on"
    link = element("span", text(MISSING))
    if who is not None:
        sign = partial(who.gateway.offered_file, competition.summary.slug, file.id)
        link = download_link("Download", file.name, f"file-{file.id}", sign)
    return _row(file.name, ("What it is", text(of_task)), ("Size", text(size_text(file.size))), ("Download", link))


@st.fragment(run_every="60s")
def show_shared(competition: CompetitionRecord) -> None:
    """Submissions that participants have made public."""
    who = session.viewer()
    answer = source.shared_submissions(competition.summary.slug, who.gateway if who is not None else None)
    none = ("Nothing shared yet", "Participants may make scored submissions public, under “My submissions”.")
    submissions = _listed(answer, what="submission", none=none)
    if not submissions:
        return
    if who is None:
        layout.inline(layout.notice("Sign in to download what participants share."))
    columns = competition.columns
    words = ("Participant", "Submission", "Phase", *(column.title for column in columns), "Note", "File")
    rows = [_shared_row(competition, one, who) for one in submissions]
    layout.inline(_table("Shared submissions", words, rows))


def _shared_row(competition: CompetitionRecord, shared: SharedSubmission, who: Viewer | None) -> Html:
    scores = {score.key: score.value for score in shared.scores}
    link = text(f"{shared.filename}, {size_text(shared.size)}")
    if who is not None:
        sign = partial(who.gateway.shared_submission, competition.summary.slug, shared.id)
        what = f"{shared.filename} of {shared.participant}"
        link = download_link(f"Download, {size_text(shared.size)}", what, f"shared-{shared.id}", sign)
    return _row(
        shared.participant,
        ("Submission", text(f"#{shared.number}, {times.stamp(shared.submitted)} UTC")),
        ("Phase", text(shared.phase)),
        *((column.title, text(score_text(scores.get(column.key), column.precision))) for column in competition.columns),
        ("Note", text(shared.message or MISSING)),
        ("File", link),
    )


def _listed(answer: Answer[tuple[T, ...]], *, what: str, none: tuple[str, str]) -> tuple[T, ...]:
    """What the gateway listed; where that is nothing, the page says why: trouble, or by a headline and a sentence."""
    if answer.value:
        return answer.value
    if answer.value is not None:
        layout.nothing_here(*none)
    elif answer.trouble is not None:
        layout.trouble(answer.trouble, what=what, every=_EVERY)
    return ()


def _table(caption: str, words: tuple[str, ...], rows: list[Html]) -> Html:
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in words)))
    table = element(
        "table", element("caption", unseen(caption)), head, element("tbody", *rows), class_="podium-table stacks"
    )
    return element("div", table, class_="podium-scroll", tabindex="0", role="region", aria_label=caption)


def _row(name: str, *cells: tuple[str, Html]) -> Html:
    return element(
        "tr",
        element("th", text(name), scope="row", class_="title"),
        *(element("td", cell, data_label=word) for word, cell in cells),
    )
