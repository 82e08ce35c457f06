"""Reruns as HTML: cards with a bar that shows how far each is, and what one would do."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, sentence, text
from podium.dashboards.rerun_words import (
    adoption_words,
    expected_words,
    progress_words,
    remaining_words,
    slots_words,
    status_words,
)
from podium.platform.lifecycle import RerunStatus
from podium.platform.records.reruns import RerunPreview, RerunRecord

_MARKS = {
    RerunStatus.WAITING: "…",
    RerunStatus.RUNNING: "●",
    RerunStatus.PAUSED: "‖",
    RerunStatus.READY: "!",
    RerunStatus.ADOPTED: "✓",
    RerunStatus.CANCELLED: "✕",
}


def rerun_cards(reruns: Sequence[RerunRecord]) -> Html:
    """Reruns, the latest first."""
    return element(
        "ol", *(element("li", rerun_card(rerun), class_=rerun.status) for rerun in reruns), class_="podium-reruns"
    )


def rerun_card(rerun: RerunRecord) -> Html:
    """A rerun: what and why, and how far it is."""
    small = (
        f"asked for by {rerun.requested_by} on {times.clock(rerun.created)}",
        adoption_words(rerun),
        f"{rerun.parallel} at a time at most" if rerun.parallel is not None else "",
    )
    held_back = f"The new results were held back. {sentence(rerun.held_back)}"
    return join(
        element("h3", text(f"Rerun {rerun.number}: {rerun.selection}")),
        element("p", text(rerun.reason), class_="reason"),
        element("p", _status(rerun), text(" "), text(status_words(rerun)), class_="podium-sentence"),
        notice(held_back, kind="warning") if rerun.held_back else "",
        progress_bar(rerun),
        element(
            "p", text(", ".join(part for part in (progress_words(rerun), remaining_words(rerun)) if part)), class_="far"
        ),
        element("p", text("; ".join(part for part in small if part)), class_="small"),
    )


def progress_bar(rerun: RerunRecord) -> Html:
    """How far a rerun is: what finished, failed, was given up and is under way, out of all."""
    counts = (
        ("finished", rerun.finished),
        ("failed", rerun.failed),
        ("given-up", rerun.given_up),
        ("under-way", rerun.under_way),
    )
    parts = [
        element("span", class_=kind, style=f"width:{100 * count / max(rerun.total, 1):.2f}%")
        for kind, count in counts
        if count
    ]
    return element(
        "div",
        *parts,
        class_=f"podium-bar {rerun.status}",
        role="progressbar",
        aria_valuemin="0",
        aria_valuemax=str(rerun.total),
        aria_valuenow=str(rerun.ended_ones),
        aria_label=f"Rerun {rerun.number}: {rerun.ended_ones} of {rerun.total} done",
    )


def preview_card(preview: RerunPreview) -> Html:
    """What a rerun would score, how long it would take, what is left out and why, and what has changed."""
    figures = (
        ("Would be scored", str(preview.total)),
        ("Would take", expected_words(preview)),
        ("Slots", slots_words(preview)),
        ("Left out", str(preview.left_out_total)),
    )
    return join(
        facts(figures),
        _by_phase(preview),
        *(notice(sentence(task)) for task in preview.changed_tasks),
        notice("No task has changed since: the same programs and data score them again.")
        if not preview.changed_tasks
        else "",
        _left_out(preview),
    )


def _status(rerun: RerunRecord) -> Html:
    mark = element("span", text(_MARKS[rerun.status]), class_="mark", aria_hidden="true")
    return element("span", mark, text(rerun.status), class_=f"podium-state {rerun.status}")


def _by_phase(preview: RerunPreview) -> Html:
    rows = [(phase.phase, str(phase.submissions), _typical(phase.typical_seconds)) for phase in preview.phases]
    return scrolled_table("By phase", ("Phase", "Submissions", "Each takes"), rows) if rows else Html("")


def _left_out(preview: RerunPreview) -> Html:
    if not preview.left_out:
        return Html("")
    rows = [(f"#{one.number}", one.participant, one.reason[:1].upper() + one.reason[1:]) for one in preview.left_out]
    more = preview.left_out_total - len(preview.left_out)
    return join(
        element("h4", text("What is left out, and why")),
        scrolled_table("Left out", ("Submission", "Participant", "Why"), rows),
        element("p", text(f"And {more} more."), class_="podium-legend") if more > 0 else "",
    )


def _typical(seconds: float | None) -> str:
    return "not known" if seconds is None else f"about {times.duration(seconds)}"


def scrolled_table(label: str, words: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """A plain table, whose first cells are its rows' heads, scrolling where it is wide; cards on a phone."""
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in words)))
    body = [
        element(
            "tr",
            element("th", text(row[0]), scope="row", class_="title"),
            *(element("td", text(cell), data_label=word) for word, cell in zip(words[1:], row[1:], strict=True)),
        )
        for row in rows
    ]
    table = element("table", head, element("tbody", *body), class_="podium-table stacks")
    return element("div", table, class_="podium-scroll", tabindex="0", role="region", aria_label=label)
