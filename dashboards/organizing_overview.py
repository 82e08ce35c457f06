"""A competition in one view, for its organizers: what to do first, then the figures."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.advice import VERDICTS
from podium.dashboards.cards import timeline
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import size_text
from podium.dashboards.sections import OF_WARNINGS, go_to_section
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.organizing import Blame, FailureCount, HealthView, HealthWarning


def show_overview(competition: CompetitionRecord, who: Viewer) -> None:  # noqa: ARG001 - all sections are called alike
    """Show how things are, and keep it up to date."""
    layout.inline(timeline(competition.phases, times.now()))
    _show_health(competition.summary.slug)


@st.fragment(run_every="10s")
def _show_health(slug: str) -> None:
    who = session.viewer()
    if who is None:
        return
    answer = source.ask(lambda: who.gateway.competition_health(slug))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition", every="every 10 seconds")
        return
    _show_warnings(slug, answer.value)
    layout.inline(health_card(answer.value))


def _show_warnings(slug: str, health: HealthView) -> None:
    layout.inline(element("h2", text("What to do"), class_="podium-section"), warnings_card(health.warnings))
    # One row of buttons, each with a key of its own: a new warning above does not turn one into another.
    with st.container(horizontal=True, key=f"warnings-{slug}"):
        for section in dict.fromkeys(one.section for one in health.warnings if one.section in OF_WARNINGS):
            # What is pressed in a fragment draws that alone again.
            if st.button(
                f"Go to {OF_WARNINGS[section]}",
                key=f"go-{slug}-{section}",
                icon=":material/arrow_forward:",
                on_click=go_to_section,
                args=(OF_WARNINGS[section],),
            ):
                st.rerun()


def warnings_card(warnings: Sequence[HealthWarning]) -> Html:
    """What to look at, the gravest first; that all is well where there is nothing."""
    if not warnings:
        return layout.notice("All is well: nothing asks for you at the moment.", kind="good")
    return join(*(layout.notice(f"{one.words} {one.remedy}", kind="warning") for one in warnings))


def health_card(health: HealthView) -> Html:
    """The figures of the queue, of the last day, and of what is stored."""
    queue = health.queue
    waits = "" if queue.oldest_seconds is None else times.duration(queue.oldest_seconds)
    own, platform = (
        sum(one.count for one in health.failures if one.blame is blame) for blame in (Blame.SUBMISSION, Blame.PLATFORM)
    )
    return join(
        element("h2", text("Now"), class_="podium-section"),
        facts_in_large(
            (
                ("Queued", str(queue.queued + queue.queued_reruns)),
                ("Under way", str(queue.under_way)),
                ("Longest wait", waits or "nobody waits"),
                ("Agents", str(queue.agents)),
                ("Slots", str(queue.slots)),
                ("Wait for approval", str(health.pending_participants)),
            )
        ),
        element("h2", text("The last 24 hours"), class_="podium-section"),
        facts_in_large(
            (
                ("Ended", str(health.ended_lately)),
                ("Finished", str(health.finished_lately)),
                ("Failed by themselves", str(own)),
                ("Failed by Podium", str(platform)),
                ("Tries made again", str(health.lost_attempts)),
            )
        ),
        failures_table(health.failures),
        element("h2", text("Room"), class_="podium-section"),
        _room(health),
    )


def facts_in_large(pairs: tuple[tuple[str, str], ...]) -> Html:
    """Figures in a row, each under its word."""
    return element("div", layout.facts(pairs), class_="podium-scores")


def failures_table(failures: tuple[FailureCount, ...]) -> Html:
    """How many failed in each way, and whose doing that was; nothing where none did."""
    if not failures:
        return element("p", text("No submission failed."), class_="podium-legend")
    rows = [
        (
            VERDICTS[one.verdict].happened if one.verdict else "The platform gave up after several tries.",
            str(one.count),
            "Podium's" if one.blame is Blame.PLATFORM else "the submissions' own",
        )
        for one in failures
    ]
    return scrolled_table("Failures of the last day", ("What happened", "Submissions", "Whose doing"), rows)


def _room(health: HealthView) -> Html:
    share = 100 * health.used_bytes / max(health.quota_bytes, 1)
    kind = "failed" if share > 100 else "given-up" if share > 90 else "finished"
    filled = element("span", class_=kind, style=f"width:{min(share, 100):.2f}%")
    said = f"{size_text(health.used_bytes)} of {size_text(health.quota_bytes)} of the owner's room are taken"
    bar = element(
        "div",
        filled,
        class_="podium-bar",
        role="meter",
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=f"{min(share, 100):.0f}",
        aria_label=said,
    )
    return join(
        bar,
        element("p", text(f"{said}."), class_="podium-legend"),
        layout.facts([(f"{kind.capitalize()} here", size_text(size)) for kind, size in health.stored_bytes.items()]),
    )
