"""Everyone's submissions, for organizers: found by filters, acted on together, and opened one by one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.choosing_many import choose_many
from podium.dashboards.history import score_cells, status_mark_of
from podium.dashboards.markup import Html, element, text
from podium.dashboards.one_submission import show_submission
from podium.dashboards.organizing_bulk import show_bulk
from podium.dashboards.organizing_export import show_export
from podium.dashboards.organizing_submission_filters import Wanted, choose_filters
from podium.dashboards.paging import PAGE, page_of, show_paging
from podium.dashboards.scores import MISSING
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import ColumnRecord, CompetitionRecord
from podium.platform.records.organizing import SubmissionLine, SubmissionPage

_MOST_WORDS = 160


@st.fragment
def show_submissions(competition: CompetitionRecord, who: Viewer) -> None:
    """Show a page of what the filters leave, and what can be done with it."""
    slug = competition.summary.slug
    place = f"submissions-{slug}"
    wanted = choose_filters(competition)
    offset = page_of(place, wanted) * PAGE
    answer = source.ask(lambda: who.gateway.submission_page(slug, **wanted.arguments(), limit=PAGE, offset=offset))
    page = answer.value
    if page is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition")
        return
    if not page.rows:
        _show_nothing(wanted)
        return
    layout.inline(lines_table(page.rows, competition.columns))
    with st.container(horizontal=True, vertical_alignment="center", key=f"below-{place}"):
        show_paging(place, wanted, page.total, what="submissions" if page.total != 1 else "submission")
        st.button("Look again", icon=":material/refresh:", key=f"again-{place}")
    _show_acts(competition, place, page, who)
    show_export(competition, wanted.phase, who)
    layout.inline(element("h2", text("Open one"), class_="podium-section"))
    _show_one(competition, page, who)


def lines_table(rows: Sequence[SubmissionLine], columns: Sequence[ColumnRecord]) -> Html:
    """Submissions in lines: whose they are, where they stand, and what came of them."""
    heads = ("Number", "Participant", "Status", "What was said", *(column.title for column in columns))
    heads = (*heads, "On the board", "Phase", "Submitted (UTC)", "Tries")
    numbers = {column.title for column in columns} | {"Tries"}
    head = element(
        "tr",
        *(element("th", text(word), scope="col", class_="number" if word in numbers else None) for word in heads),
    )
    body = [_line(row, columns) for row in rows]
    table = element("table", element("thead", head), element("tbody", *body), class_="podium-table stacks")
    return element("div", table, class_="podium-scroll tall", tabindex="0", role="region", aria_label="Submissions")


def _line(row: SubmissionLine, columns: Sequence[ColumnRecord]) -> Html:
    scores = {score.key: score.value for score in row.scores}
    said = row.message if len(row.message) <= _MOST_WORDS else f"{row.message[:_MOST_WORDS]}…"
    verdict = element("span", text(row.verdict.replace("_", " ")), class_="tag") if row.verdict else Html("")
    return element(
        "tr",
        element("th", text(f"#{row.number}"), scope="row", class_="title"),
        element("td", text(row.participant), data_label="Participant"),
        element("td", status_mark_of(row.status), verdict, data_label="Status"),
        element("td", text(said), class_="why", data_label="What was said"),
        *score_cells(scores, columns),
        element("td", text(_standing(row)), data_label="On the board"),
        element("td", text(row.phase), data_label="Phase"),
        element("td", text(times.stamp(row.created)), class_="time", data_label="Submitted (UTC)"),
        element("td", text(row.attempts), class_="number", data_label="Tries"),
    )


def _standing(row: SubmissionLine) -> str:
    if row.excluded:
        return "kept off"
    return "yes" if row.on_leaderboard else MISSING


def _show_nothing(wanted: Wanted) -> None:
    if wanted == Wanted():
        layout.nothing_here("Nothing was submitted yet", "What participants submit stands here as soon as it is sent.")
    else:
        layout.nothing_here("No submission is like that", "Take a filter away to see more.")


def _show_acts(competition: CompetitionRecord, place: str, page: SubmissionPage, who: Viewer) -> None:
    layout.inline(element("h2", text("Do something with several"), class_="podium-section"))
    owners = {row.number: row.participant for row in page.rows}
    chosen = choose_many(
        place,
        list(owners),
        label="Submissions",
        shown=lambda number: f"#{number} {owners[number]}" if number in owners else f"#{number}",
    )
    with st.container(key=f"bulk-{place}"):
        show_bulk(competition, place, tuple(sorted(chosen)), who)


def _show_one(competition: CompetitionRecord, page: SubmissionPage, who: Viewer) -> None:
    by_number = {row.number: row for row in page.rows}
    number = st.selectbox(
        "Submission",
        list(by_number),
        index=None,
        format_func=lambda number: _called(by_number.get(number), number),
        key=f"open-{competition.summary.slug}",
        placeholder="Choose one to see its logs, outputs and tries",
    )
    if number is not None:
        show_submission(by_number[number].id, competition, who)


def _called(row: SubmissionLine | None, number: int) -> str:
    return f"#{number}" if row is None else f"#{number} of {row.participant}: {row.filename}"
