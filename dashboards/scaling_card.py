"""How a pool is scaled, for administrators who look at a queue."""

from __future__ import annotations

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.platform.records.scaling import ScalingDecisionRecord, ScalingRecord

DECISIONS_SHOWN = 5


def scaling_card(scaling: ScalingRecord) -> Html:
    """The rules, the agents, what was thought at the last look, and the latest decisions with their reasons."""
    agents = f"{len(scaling.agents)} of {scaling.minimum} to {scaling.maximum}"
    return join(
        element("h4", text(f"Scaling of pool {scaling.pool}")),
        notice(f"Provider {scaling.provider}: {scaling.failure}", kind="warning") if scaling.failure else join(),
        facts(
            (
                ("Agents started", agents if scaling.enabled else f"{len(scaling.agents)}; switched off"),
                ("Busy", str(sum(agent.running > 0 for agent in scaling.agents))),
                ("Wait wanted", f"{times.duration(scaling.target_wait)} at most"),
                ("Provider", scaling.provider),
            )
        ),
        element("p", text(" ".join(scaling.reasons)), class_="podium-legend"),
        _decisions(scaling.decisions[:DECISIONS_SHOWN]),
    )


def _decisions(decisions: tuple[ScalingDecisionRecord, ...]) -> Html:
    if not decisions:
        return join()
    rows = [(f"{one.moment:%m-%d %H:%M:%S} UTC", _change(one), " ".join(one.reasons)) for one in decisions]
    return scrolled_table("What was decided", ("When", "Agents", "Why"), rows)


def _change(one: ScalingDecisionRecord) -> str:
    return f"{one.agents} +{len(one.started) + len(one.taken_back)} -{len(one.removed) + len(one.drained)}"
