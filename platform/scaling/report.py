"""A decision about a pool as Prefect's pages show it: a page of Markdown."""

from __future__ import annotations

from podium.platform.records.scaling import ScalingDecisionRecord, ScalingRecord
from podium.platform.scaling.words import duration

TITLES = {"up": "More agents", "down": "Fewer agents", "replace": "Agents replaced", "none": "No change"}
DECISIONS_SHOWN = 10


def report_in_markdown(record: ScalingRecord) -> str:
    """The latest decision with its reasons, how the pool is, and the decisions before."""
    latest = record.decisions[0] if record.decisions else None
    lines = [f"# Pool {record.pool}: {TITLES[latest.action] if latest else 'Scaling'}", ""]
    if latest is not None:
        lines += [f"{latest.moment:%Y-%m-%d %H:%M:%S} UTC", "", *(f"* {_line(one)}" for one in latest.reasons), ""]
        lines += [*(f"* {what}: {', '.join(names)}" for what, names in _done(latest) if names), ""]
    if record.failure:
        again = f" It is asked again at {record.put_off_until:%H:%M:%S} UTC." if record.put_off_until else ""
        lines += [f"**Provider {record.provider} failed, {record.failures} times in a row:** {_line(record.failure)}"]
        lines += [again, ""]
    off = "" if record.enabled else "; switched off: all go as soon as they hold nothing"
    rules = (
        f"{record.minimum} to {record.maximum} agents of {record.slots} slots by provider `{record.provider}`, for a "
        f"wait of {duration(record.target_wait)} at most{off}."
    )
    return "\n".join([*lines, rules, "", *_agents(record), *_decisions(record)])


def _done(decision: ScalingDecisionRecord) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("started", decision.started),
        ("taken back", decision.taken_back),
        ("told to take nothing new", decision.drained),
        ("taken", decision.removed),
    )


def _agents(record: ScalingRecord) -> list[str]:
    if not record.agents:
        return ["There are no agents that scaling has started.", ""]
    lines = ["| agent | how it is | runs | since |", "| --- | --- | --- | --- |"]
    for agent in record.agents:
        how = f"{agent.condition}{', takes nothing new' if agent.draining else ''}"
        how = "leaving" if agent.status == "leaving" else how
        lines.append(f"| {agent.name} | {how} | {agent.running} of {agent.slots} | {agent.started:%m-%d %H:%M:%S} |")
    return [*lines, ""]


def _decisions(record: ScalingRecord) -> list[str]:
    lines = [
        "| when (UTC) | what | waited | the first for | ran | slots | wanted | agents |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in record.decisions[:DECISIONS_SHOWN]:
        change = f"+{len(one.started) + len(one.taken_back)} -{len(one.drained) + len(one.removed)}"
        lines.append(
            f"| {one.moment:%m-%d %H:%M:%S} | {one.action} {change} | {one.waiting} | {duration(one.oldest_seconds)} "
            f"| {one.running} | {one.slots} | {one.demand} | {one.agents} |"
        )
    return lines


def _line(text: str) -> str:
    """Text that agents and providers wrote, on one line, without what a page would take for markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")
