"""Competitions and phases as they are shown: cards, timelines, rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.quota import given_back_words, limits_words, migration_words, paused_words
from podium.platform.bundles.content import SubmissionRule
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary, PhaseRecord

_RULE_WORDS = {
    SubmissionRule.ADD: "You put one submission on the leaderboard yourself.",
    SubmissionRule.ADD_AND_DELETE: "You put one submission on the leaderboard yourself, and may take it off.",
    SubmissionRule.ADD_AND_DELETE_MULTIPLE: "You put any submission of yours on the leaderboard, and may take it off.",
    SubmissionRule.FORCE_LAST: "Your latest scored submission stands on the leaderboard.",
    SubmissionRule.FORCE_LATEST_MULTIPLE: "All your scored submissions stand on the leaderboard.",
    SubmissionRule.FORCE_BEST: "Your best submission stands on the leaderboard.",
}
_PAUSED_MARK = "‖"
_WINDOW_MARKS = {"upcoming": "○", "open": "●", "over": "✓"}
_STATUS_WORDS = {"upcoming": "upcoming", "open": "open", "over": "ended"}


def summary_facts(summary: CompetitionSummary, at: datetime) -> Html:
    """A competition's phase, deadline and size, in a row."""
    return facts(
        (
            ("Phase", summary.phase or "none open"),
            ("Deadline", deadline_words(summary, at)),
            ("Opens", _opening_words(summary, at)),
            ("Participants", str(summary.participants)),
            ("Submissions", str(summary.submissions)),
            ("Reward", summary.reward or ""),
        )
    )


def _opening_words(summary: CompetitionSummary, at: datetime) -> str:
    if summary.phase is not None or summary.opens is None or summary.opens <= at:
        return ""
    return f"in {times.span(summary.opens - at)}"


def status_pill(summary: CompetitionSummary) -> Html:
    """Where a competition is, as a word with a mark."""
    status = "open" if summary.phase is not None else summary.status
    if status not in _STATUS_WORDS:
        return Html("")
    mark = element("span", text(_WINDOW_MARKS[status]), class_="mark", aria_hidden="true")
    return element("span", mark, text(_STATUS_WORDS[status]), class_=f"podium-pill {status}")


def deadline_words(summary: CompetitionSummary, at: datetime) -> str:
    """How long a competition's open phase lasts; empty where none is open."""
    return times.countdown(summary.deadline, at) if summary.phase is not None else ""


def phase_state(phase: PhaseRecord, at: datetime) -> str:
    """`upcoming`, `open` or `over`, by the clock."""
    if phase.start > at:
        return "upcoming"
    return "over" if phase.end is not None and phase.end <= at else "open"


def open_phases(competition: CompetitionRecord, at: datetime) -> tuple[int, ...]:
    """Numbers of the phases that are open by the clock; there may be several."""
    return tuple(phase.number for phase in competition.phases if phase_state(phase, at) == "open")


def paused_notices(phases: Sequence[PhaseRecord], at: datetime) -> Html:
    """What is paused and why, as far as it would be open or will be."""
    sentences = (paused_words(phase) for phase in phases if phase_state(phase, at) != "over")
    return join(*(notice(sentence, kind="warning") for sentence in sentences if sentence))


def window_facts(competition: CompetitionRecord, at: datetime) -> Html:
    """When the competition takes submissions and participants, where that is bounded beyond its phases."""
    return facts(
        (
            ("Takes submissions", times.window_words(competition.start, competition.end)),
            ("Registration", times.window_words(competition.registration_start, competition.registration_end)),
            ("Registration now", times.window_now(competition.registration_start, competition.registration_end, at)),
        )
    )


def timeline(phases: Sequence[PhaseRecord], at: datetime, zone: tzinfo = UTC) -> Html:
    """The phases in the order of time, each with its window, what that means now, its limits and its migration.

    Args:
        phases: The phases.
        at: The present moment.
        zone: The viewer's time zone; the windows are told in it too.
    """
    before = ["", *(phase.name for phase in phases)]
    steps = (_phase_step(phase, previous, at, zone) for phase, previous in zip(phases, before, strict=False))
    return element("ol", *steps, class_="podium-timeline")


def _phase_step(phase: PhaseRecord, previous: str, at: datetime, zone: tzinfo) -> Html:
    state = phase_state(phase, at)
    is_paused = phase.paused and state != "over"
    mark = element("span", text(_PAUSED_MARK if is_paused else _WINDOW_MARKS[state]), class_="mark", aria_hidden="true")
    words = times.phase_words(phase, at)
    migration, own_time = migration_words(phase, previous), times.window_in_zone(phase, zone)
    return element(
        "li",
        element("p", mark, text(f"paused; {words}" if is_paused else words), class_="now"),
        element("h3", text(phase.name)),
        element("p", text(times.phase_window(phase)), class_="window"),
        element("p", text(own_time), class_="window own-time") if own_time else "",
        element("p", text(f"Each participant: {limits_words(phase)}"), class_="limits"),
        element("p", text(migration), class_="migration") if migration else "",
        class_=f"{state} paused" if is_paused else state,
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
    words = ("Phase", "Submissions of each participant", "Time limit", "What is submitted")
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
        *filter(None, map(given_back_words, competition.phases)),
        f"Programs run in {competition.docker_image}.",
        *competition.limits_in_words(),
        *competition.relaxations.in_words(),
    )
    return join(table, element("ul", *(element("li", text(sentence)) for sentence in sentences)))


def _limits(phase: PhaseRecord) -> tuple[str, str, str]:
    return (
        limits_words(phase),
        times.duration(phase.execution_time_limit),
        _takes(phase),
    )


def _takes(phase: PhaseRecord) -> str:
    if phase.container_submissions:
        return "container images"
    return "results" if phase.only_result_submissions else "results or code"
