"""A queue in figures, for the organizers of one of its competitions."""

from __future__ import annotations

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.platform.records.submissions import QueueRecord


def queue_card(queue: QueueRecord) -> Html:
    """How many wait and for what, who takes them, and why nobody does where that is so."""
    return join(
        notice(queue.reason, kind="warning") if queue.reason else notice(_flowing(queue), kind="good"),
        element(
            "div",
            facts(
                (
                    ("Queued", str(queue.queued)),
                    ("Reruns and taken over", str(queue.queued_reruns)),
                    ("Under way", str(queue.under_way)),
                    ("Longest wait", _waits(queue.oldest_seconds)),
                )
            ),
            class_="podium-scores",
        ),
        facts(
            (
                ("Pool", queue.pool),
                ("Agents", str(queue.agents)),
                ("Slots", str(queue.slots)),
                ("Queued in the pool", str(queue.queued_in_pool)),
            )
        ),
        _typical(queue),
    )


def _flowing(queue: QueueRecord) -> str:
    return "Agents take what is queued." if queue.queued or queue.queued_reruns else "Nothing waits."


def _waits(seconds: float | None) -> str:
    return "" if seconds is None else times.duration(seconds)


def _typical(queue: QueueRecord) -> Html:
    if not queue.typical_seconds:
        return element("p", text("How long a submission takes is known when some are scored."), class_="podium-legend")
    rows = [(phase, f"about {times.duration(seconds)}") for phase, seconds in queue.typical_seconds.items()]
    return scrolled_table("How long a submission takes", ("Phase", "A submission takes"), rows)
