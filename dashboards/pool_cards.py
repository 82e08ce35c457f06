"""A pool as HTML: its figures, its agents with what each runs, and what they did lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.dashboards import times
from podium.dashboards.layout import facts, notice
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.platform.records.pools import AgentRecord, AgentRun, PastAttempt, PoolRecord, PoolView

_HEADS = ("Agent", "State", "Slots in use", "Last heard", "Version", "Runs")
_HAS = ("Agent", "Cores", "Memory", "GPUs", "Engine", "Runtimes", "May relax", "Images")
_GIB = 1024**3


def pool_card(view: PoolView, at: datetime) -> Html:
    """How a pool is: whether work is taken, the queue, the agents, and what came of it lately."""
    pool = view.pool
    alive = [agent for agent in view.agents if agent.alive]
    running = sum(len(agent.runs) for agent in alive)
    ended = ", ".join(f"{count} {outcome_words(status)}" for status, count in view.outcomes.items())
    return join(
        _state(view),
        element(
            "div",
            facts(
                (
                    ("Queued", str(pool.queued)),
                    ("Longest wait", "" if view.oldest_seconds is None else times.duration(view.oldest_seconds)),
                    ("Under way", f"{running} of {sum(agent.slots for agent in alive)} slots"),
                    ("Agents alive", f"{len(alive)} of {len(view.agents)}"),
                )
            ),
            class_="podium-scores",
        ),
        facts(
            (
                ("Owner", pool.owner or "the platform"),
                ("Open to", "any organizer" if pool.public or pool.owner is None else "those it is shared with"),
                ("Shared with", ", ".join(view.users)),
                ("Competitions", ", ".join(view.competitions) or "none"),
                ("Last 24 hours", ended or "nothing ended"),
                ("A submission takes", "" if view.median_seconds is None else times.duration(view.median_seconds)),
            )
        ),
        agents_table(view.agents, at),
        attempts_table(view.attempts),
    )


def _state(view: PoolView) -> Html:
    if view.pool.cordoned is not None:
        since = times.clock(view.pool.cordoned)
        return notice(f"The pool is cordoned since {since}: its agents take nothing new.", kind="warning")
    if not any(agent.alive for agent in view.agents):
        return notice("No agent of this pool is running.", kind="warning")
    if not any(state_words(agent) == "ready" for agent in view.agents):
        return notice("None of its agents takes work.", kind="warning")
    return notice("Agents take what is queued." if view.pool.queued else "Nothing waits.", kind="good")


def state_words(agent: AgentRecord) -> str:
    """How an agent is, in a word."""
    if not agent.alive:
        return "gone"
    if agent.trouble:
        return "trouble"
    return "cordoned" if agent.cordoned else "ready"


def agents_table(agents: Sequence[AgentRecord], at: datetime) -> Html:
    """Agents with what each runs, what is to be done about them, and what their hosts have."""
    if not agents:
        return element("p", text("No agent has said hello yet."), class_="podium-legend")
    said = [(agent, words) for agent in agents if agent.alive for words in (agent.trouble, agent.notice) if words]
    rows = [
        (
            agent.name,
            state_words(agent),
            f"{len(agent.runs)} of {agent.slots}",
            times.ago(agent.last_seen, at),
            agent.version,
            "; ".join(run_words(run, at) for run in agent.runs) or "nothing",
        )
        for agent in agents
    ]
    return join(
        element("h3", text("Agents")),
        *(notice(f"{agent.name}: {words}", kind="warning" if agent.trouble else "info") for agent, words in said),
        scrolled_table("Agents", _HEADS, rows),
        element("h3", text("What their hosts have")),
        scrolled_table("What their hosts have", _HAS, [(agent.name, *has_words(agent)) for agent in agents]),
    )


def run_words(run: AgentRun, at: datetime) -> str:
    """A submission that an agent has, and for how long."""
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    return f"{run.competition} #{run.number} for {times.span(at - run.started)}{again}"


def has_words(agent: AgentRecord) -> tuple[str, ...]:
    """What an agent's labels say of its host, in the order of the table's columns."""
    labels = agent.labels
    memory, images = labels.get("memory_bytes", ""), [one for one in labels.get("images", "").split(",") if one]
    return (
        labels.get("cpus", ""),
        f"{int(memory) / _GIB:.3g} GiB" if memory.isdecimal() else "",
        labels.get("gpus", ""),
        labels.get("engine", agent.executor),
        labels.get("runtimes", "").replace(",", ", "),
        labels.get("relaxations", "").replace(",", ", ") or "nothing",
        f"{len(images)}{'+' if labels.get('images', '').endswith(',') else ''}",
    )


def attempts_table(attempts: Sequence[PastAttempt]) -> Html:
    """What the agents did lately, the latest first."""
    if not attempts:
        return element("p", text("Its agents have scored nothing yet."), class_="podium-legend")
    rows = [
        (
            f"{one.competition} #{one.number}",
            str(one.attempt),
            one.agent,
            outcome_words(one.status),
            times.stamp(one.started),
            "" if one.seconds is None else times.duration(one.seconds),
            one.message,
        )
        for one in attempts
    ]
    words = ("Submission", "Attempt", "Agent", "Outcome", "Began (UTC)", "Took", "What was said")
    return join(element("h3", text("What they did lately")), scrolled_table("What they did lately", words, rows))


def outcome_words(status: str) -> str:
    """How an attempt ended."""
    return {"active": "under way", "user_error": "program failed", "platform_error": "host failed"}.get(status, status)


def others_table(pools: Sequence[PoolRecord]) -> Html:
    """Pools that competitions may use, and whose agents are somebody else's to look after."""
    rows = [
        (
            pool.name,
            pool.owner or "the platform",
            str(pool.agents),
            str(pool.queued),
            "cordoned" if pool.cordoned else "open",
        )
        for pool in pools
    ]
    words = ("Pool", "Owner", "Agents alive", "Queued", "State")
    return join(element("h2", text("Other pools that you may use")), scrolled_table("Other pools", words, rows))
