"""The parts of the editor: boxes for the fields of a competition, each with what is wrong with it below."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.editor_draft import PHASE_FLAGS, Draft, in_box
from podium.dashboards.markup import element, organizer_markdown, text
from podium.dashboards.organizer_html import harmless_html
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import LeaderboardEdit, PhaseEdit

_FLAGS = {
    "hide_output": "Hide logs and all outputs from participants",
    "hide_prediction_output": "Hide what programs of participants wrote",
    "hide_score_output": "Hide what the scoring program wrote, and scores",
}
_WINDOW = {"day": "a day", "sliding_day": "within 24 hours", "sliding_week": "within 7 days"}
_LONG, _HIGH = 360, 120


def show_about(draft: Draft) -> None:
    """Title, words, contact, image and registration."""
    base = draft.base.content
    st.text_input("Title", **draft.box("title", base.title), max_chars=256, required=True)
    show_problems(draft, "title")
    st.text_area("Description, for lists", **draft.box("description", base.description), height=_HIGH)
    show_problems(draft, "description")
    with st.container(horizontal=True):
        st.text_input(
            "E-mail address for questions",
            **draft.box("contact_email", base.contact_email or ""),
            placeholder="nobody's",
            autocomplete="off",
        )
        st.text_input("Reward", **draft.box("reward", base.reward or ""), max_chars=256, placeholder="none")
    show_problems(draft, "contact_email")
    show_problems(draft, "reward")
    st.text_input(
        "Image that programs run in",
        **draft.box("docker_image", base.docker_image),
        max_chars=128,
        help="It holds for what is scored from now on.",
    )
    show_problems(draft, "docker_image")
    with st.container(horizontal=True):
        for name, label in (
            ("start", "Takes submissions from (UTC)"),
            ("end", "Takes submissions until (UTC)"),
            ("registration_start", "Registration from (UTC)"),
            ("registration_end", "Registration until (UTC)"),
        ):
            _moment_box(draft, name, label, getattr(base, name), help_="Empty: only the phases say so.")
    for name in ("start", "end", "registration_start", "registration_end"):
        show_problems(draft, name)
    st.checkbox(
        "Whoever joins may submit at once; else you approve them",
        **draft.box("registration_auto_approve", base.registration_auto_approve),
    )


def show_pages(draft: Draft) -> None:
    """The pages, each beside what participants see of it."""
    for place, at in enumerate(draft.pages):
        pages = draft.base.content.pages
        was = pages[at] if at < len(pages) else PageRecord("", "", is_html=False)
        _show_page(draft, place, at, was)
    show_problems(draft, "pages", only_itself=True)
    st.button("Add a page", icon=":material/add:", key=draft.key("add-page"), on_click=_add_page, args=(draft,))


def show_terms(draft: Draft) -> None:
    """The terms, beside what participants see of them."""
    base = draft.base.content
    layout.inline(layout.notice("Whoever takes part has to accept new terms before submitting again."))
    written, seen = st.columns(2)
    with written:
        st.text_area("Terms", **draft.box("terms", base.terms), height=_LONG)
        show_problems(draft, "terms")
    with seen:
        _show_text("Terms, as participants see them", draft.value("terms"), is_html=base.terms_is_html)


def show_phases(draft: Draft) -> None:
    """Every phase: its dates, limits and what it hides."""
    for at, phase in enumerate(draft.base.content.phases):
        layout.inline(element("h3", text(f"Phase {at + 1}: {phase.name}")))
        _show_phase(draft, at, phase)


def show_boards(draft: Draft) -> None:
    """Leaderboards and their columns. What a column is computed from can't be changed any more."""
    for at, board in enumerate(draft.base.content.leaderboards):
        _show_board(draft, at, board)


def show_problems(draft: Draft, path: str, *, only_itself: bool = False) -> None:
    """What is wrong with a field, below it."""
    # A container that stands always: else what comes up below a box would have the boxes after it made anew.
    with st.container(key=draft.key(f"said-{path}")):
        for one in draft.says(path):
            if not only_itself or one.field == path:
                layout.inline(layout.notice(f"{one.message} {one.suggestion}".strip(), kind="warning"))


def _show_page(draft: Draft, place: int, at: int, was: PageRecord) -> None:
    path = f"pages[{place}]"
    title = draft.value(f"page-{at}-title") or was.title or "A new page"
    with st.expander(f"{place + 1}. {title}".replace("`", ""), expanded=at >= len(draft.base.content.pages)):
        st.text_input("Title of the page", **draft.box(f"page-{at}-title", was.title), max_chars=256)
        show_problems(draft, f"{path}.title")
        written, seen = st.columns(2)
        with written:
            is_html = st.checkbox("HTML in place of Markdown", **draft.box(f"page-{at}-is_html", was.is_html))
            st.text_area("Text", **draft.box(f"page-{at}-text", was.text), height=_LONG)
            show_problems(draft, f"{path}.text")
        with seen:
            _show_text("As participants see it", draft.value(f"page-{at}-text"), is_html=bool(is_html))
        with st.container(horizontal=True):
            move, last = draft.key(f"page-{at}"), len(draft.pages) - 1
            st.button("Up", key=f"up-{move}", disabled=place == 0, on_click=_move, args=(draft, place, -1))
            st.button("Down", key=f"down-{move}", disabled=place == last, on_click=_move, args=(draft, place, 1))
            st.button(
                "Remove this page", icon=":material/delete:", key=f"gone-{move}", on_click=_remove, args=(draft, place)
            )


def _show_text(label: str, words: str | None, *, is_html: bool) -> None:
    """An organizer's text, made as harmless as where participants see it."""
    st.caption(label)
    with st.container(border=True, height=_LONG):
        if not (words or "").strip():
            st.caption("Nothing yet.")
        elif is_html:
            layout.inline(element("div", harmless_html(words or ""), class_="podium-organizer"))
        else:
            st.markdown(organizer_markdown(words or ""))


def _show_phase(draft: Draft, at: int, phase: PhaseEdit) -> None:
    path, name = f"phases[{at}]", f"phase-{at}"
    window = _WINDOW[phase.submission_window.value]
    st.text_input("Name", **draft.box(f"{name}-name", phase.name), max_chars=256)
    show_problems(draft, f"{path}.name")
    st.text_area("Description", **draft.box(f"{name}-description", phase.description), height=_HIGH)
    with st.container(horizontal=True):
        _moment_box(draft, f"{name}-start", "Begins (UTC)", phase.start)
        _moment_box(draft, f"{name}-end", "Ends (UTC)", phase.end, help_="Empty: it has no end, as the last may.")
        st.text_input("Time zone of its days", **draft.box(f"{name}-time_zone", phase.time_zone), max_chars=60)
    for field in ("start", "end", "time_zone"):
        show_problems(draft, f"{path}.{field}")
    with st.container(horizontal=True):
        for field, label in (
            ("max_submissions_per_day", f"Submissions {window}"),
            ("max_submissions", "Submissions in all"),
            ("max_concurrent_submissions", "Submissions at a time"),
        ):
            key = draft.emptied(f"{name}-{field}", getattr(phase, field))
            st.number_input(label, min_value=0, step=1, value=None, key=key, placeholder="no limit")
        seconds = draft.box(f"{name}-execution_time_limit", phase.execution_time_limit)
        st.number_input("Seconds for a step", min_value=1, step=1, **seconds)
    show_problems(draft, f"{path}.execution_time_limit")
    show_problems(draft, f"{path}.limits")
    for flag in PHASE_FLAGS:
        st.checkbox(_FLAGS[flag], **draft.box(f"{name}-{flag}", getattr(phase, flag)))


def _show_board(draft: Draft, at: int, board: LeaderboardEdit) -> None:
    path, name = f"leaderboards[{at}]", f"board-{at}"
    st.text_input("Title of the leaderboard", **draft.box(f"{name}-title", board.title), max_chars=64)
    show_problems(draft, f"{path}.title")
    st.checkbox("Only organizers see it", **draft.box(f"{name}-hidden", board.hidden))
    for place, column in enumerate(board.columns):
        one = f"{name}-{column.key}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input(f"Title of “{column.key}”", **draft.box(f"{one}-title", column.title), max_chars=36)
            st.number_input(
                f"Digits of “{column.key}”",
                min_value=0,
                max_value=15,
                step=1,
                **draft.box(f"{one}-precision", column.precision),
                width=180,
            )
            st.checkbox(f"Hide “{column.key}” from participants", **draft.box(f"{one}-hidden", column.hidden))
        show_problems(draft, f"{path}.columns[{place}]")


def _moment_box(draft: Draft, name: str, label: str, moment: datetime | None, *, help_: str | None = None) -> None:
    key = draft.emptied(name, in_box(moment))
    st.datetime_input(label, value=None, key=key, help=help_, format="YYYY-MM-DD")


def _add_page(draft: Draft) -> None:
    draft.added += 1
    draft.pages.append(len(draft.base.content.pages) + draft.added - 1)
    draft.problems = ()


def _remove(draft: Draft, place: int) -> None:
    draft.pages.pop(place)
    draft.problems = ()


def _move(draft: Draft, place: int, by: int) -> None:
    draft.pages[place], draft.pages[place + by] = draft.pages[place + by], draft.pages[place]
    draft.problems = ()
