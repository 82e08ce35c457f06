"""Competitions and phases as they are shown: cards, timelines, rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.dashboards import times
from podium.dashboards.layout import facts
from podium.dashboards.markup import Html, element, join, text
from podium.platform.bundles.content import SubmissionRule
from podium.platform.records import CompetitionRecord, CompetitionSummary, PhaseRecord

_RULE_WORDS = {
    SubmissionRule.ADD: "You put one submission on the leaderboard yourself.",
    SubmissionRule.ADD_AND_DELETE: "You put one submission on the leaderboard yourself, and may take it off.",
    SubmissionRule.ADD_AND_DELETE_MULTIPLE: "You put any submission of yours on the leaderboard, and may take it off.",
    SubmissionRule.FORCE_LAST: "Your latest scored submission stands on the leaderboard.",
    SubmissionRule.FORCE_LATEST_MULTIPLE: "All your scored submissions stand on the leaderboard.",
    SubmissionRule.FORCE_BEST: "Your best submission stands on the leaderboard.",
}
_WINDOW_MARKS = {"upcoming": "○", "open": "●", "over": "✓"}


def summary_facts(summary: CompetitionSummary, at: datetime) -> Html:
    """A competition's phase, deadline and size, in a row."""
    return facts(
        (
            ("Phase", summary.phase or "none open"),
            ("Deadline", deadline_words(summary, at)),
            ("Participants", str(summary.participants)),
            ("Submissions", str(summary.submissions)),
            ("Reward", summary.reward or ""),
        )
    )


def deadline_words(summary: CompetitionSummary, at: datetime) -> str:
    """How long a competition's open phase lasts; empty where none is open."""
    return times.countdown(summary.deadline, at) if summary.phase is not None else ""


def phase_state(phase: PhaseRecord, at: datetime) -> str:
    """`upcoming`, `open` or `over`, by the clock."""
    if phase.start > at:
        return "upcoming"
    return "over" if phase.end is not None and phase.end <= at else "open"


def timeline(phases: Sequence[PhaseRecord], at: datetime) -> Html:
    """The phases in the order of time, each with its window and what that means now."""
    return element("ol", *(_phase_step(phase, at) for phase in phases), class_="podium-timeline")


def _phase_step(phase: PhaseRecord, at: datetime) -> Html:
    state = phase_state(phase, at)
    mark = element("span", text(_WINDOW_MARKS[state]), class_="mark", aria_hidden="true")
    return element(
        "li",
        element("p", mark, text(times.phase_words(phase, at)), class_="now"),
        element("h3", text(phase.name)),
        element("p", text(times.phase_window(phase)), class_="window"),
        class_=state,
        aria_current="step" if state == "open" else None,
    )


def rules(competition: CompetitionRecord) -> Html:
    """What each phase allows, and which submission counts."""
    rows = [
        element(
            "tr", element("th", text(phase.name), scope="row"), *(element("td", text(cell)) for cell in _limits(phase))
        )
        for phase in competition.phases
    ]
    words = ("Phase", "Per day", "In all", "Time limit", "What is submitted")
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in words)))
    table = element(
        "div", element("table", head, element("tbody", *rows), class_="podium-table"), class_="podium-scroll"
    )
    approval = (
        "Everybody who accepts the terms may take part."
        if competition.registration_auto_approve
        else "The organizer approves each participant."
    )
    sentences = (
        _RULE_WORDS[competition.submission_rule],
        approval,
        f"Programs run in {competition.docker_image}.",
        *competition.limits_in_words(),
        *competition.relaxations.in_words(),
    )
    return join(table, element("ul", *(element("li", text(sentence)) for sentence in sentences)))


def _limits(phase: PhaseRecord) -> tuple[str, str, str, str]:
    return (
        _count(phase.max_submissions_per_day),
        _count(phase.max_submissions),
        times.duration(phase.execution_time_limit),
        _takes(phase),
    )


def _takes(phase: PhaseRecord) -> str:
    if phase.container_submissions:
        return "container images"
    return "results" if phase.only_result_submissions else "results or code"


def _count(limit: int | None) -> str:
    return "no limit" if limit is None else f"{limit} submission{'' if limit == 1 else 's'}"
