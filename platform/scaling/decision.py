"""Up, down, replace or leave a pool as it is, with every reason in words: a pure function of `situation`.

What decides, in this order:

* What is unwell for longer than patience allows, or of another version, is replaced.
* The demand in slots: what it takes to begin all that waits within the target, and what is running now. Only what an
  agent of the kind that scaling starts can run counts.
* Up as soon as the demand is more than the slots there are, agents that are starting included; those that were about
  to go are taken back first. The first agent and the minimum are not held up by any cool-down.
* Down to the highest demand of the whole cool-down, so that steady load, however it is spread, never takes an agent
  that is wanted a moment later. To zero only when nothing waited or ran for that long.

An agent that runs something is never taken: it is told to take nothing new, and is taken when it holds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from podium.platform.scaling.situation import UNWELL, AgentState, Condition, Demand, Rules, Situation
from podium.platform.scaling.states import ScalingAction
from podium.platform.scaling.words import duration, number

FLOOR = 0.5
"""The part of the target within which all must begin where the first has waited for long already."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and why.

    Attributes:
        start: New agents.
        take_back: Agents that were told to take nothing new, and may again.
        drain: Agents that are to take nothing new; they are busy.
        remove: Agents that hold nothing and go; whoever applies this looks again, in the transaction that marks them.
        reasons: Sentences.
        demand: Slots that were wanted at this moment.
        demands: What is to be remembered for the next decision.
    """

    action: ScalingAction
    start: int = 0
    take_back: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    demand: int = 0
    demands: tuple[Demand, ...] = ()


@dataclass(slots=True)
class _Plan:
    start: int = 0
    take_back: list[str] = field(default_factory=list)
    drain: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    replaces: bool = False

    def take(self, agent: AgentState) -> None:
        """Let an agent go: now if it holds nothing, else once it does."""
        if not agent.running:
            self.remove.append(agent.name)
        elif not agent.draining:
            self.drain.append(agent.name)

    def leaves(self, agent: AgentState) -> bool:
        return agent.name in self.remove or agent.name in self.drain


def decide(rules: Rules, situation: Situation) -> Decision:
    """Decide what is to be done about a pool's agents now."""
    plan = _Plan()
    demand = demand_in_slots(rules, situation)
    recent = tuple(one for one in situation.demands if _since(situation, one.moment) <= rules.cool_down_down)
    demands = (*recent, Demand(situation.moment, demand))
    _say_what_waits(situation, plan)
    _replace(rules, situation, plan)
    left = [agent for agent in situation.agents if agent.own and agent.counts and not plan.leaves(agent)]
    left = _keep_the_maximum(rules, plan, left)
    others = sum(agent.slots for agent in situation.agents if not agent.own and agent.condition is Condition.READY)
    wanted = max(0, demand - others)
    if wanted > _slots(left) or len(left) < rules.minimum:
        _up(rules, situation, plan, left, wanted)
    else:
        peak = max(0, max(one.slots for one in demands) - others)
        _down(rules, situation, plan, left, peak)
    return _decision(plan, demand, demands)


def demand_in_slots(rules: Rules, situation: Situation) -> int:
    """Slots that begin all that waits within the target, and hold what runs now.

    Never more than there is to run: an hour's submission is not begun sooner by a second slot.
    """
    busy = sum(agent.running for agent in situation.agents)
    fit = [one for one in situation.waiting if not one.lacks and one.count]
    waiting = sum(one.count for one in fit)
    if not waiting:
        return busy
    oldest = max(one.oldest for one in fit)
    within = max(rules.target_wait - oldest, rules.target_wait * FLOOR, 1.0)
    # What runs now is taken to be half done.
    work = sum(one.count * one.seconds for one in fit) + busy * situation.running_seconds / 2
    return max(1, busy, min(busy + waiting, math.ceil(work / within)))


def _say_what_waits(situation: Situation, plan: _Plan) -> None:
    fit = [one for one in situation.waiting if not one.lacks and one.count]
    if fit:
        count = sum(one.count for one in fit)
        work = sum(one.count * one.seconds for one in fit)
        plan.reasons.append(
            f"{number(count, 'submission')} {'waits' if count == 1 else 'wait'}, the first for "
            f"{duration(max(one.oldest for one in fit))}: {duration(work)} of work."
        )
    for one in situation.waiting:
        if one.lacks and one.count:
            plan.reasons.append(
                f"{number(one.count, 'submission')} of {one.what} can't be helped by more agents of this kind: "
                f"none {one.lacks}."
            )


def _replace(rules: Rules, situation: Situation, plan: _Plan) -> None:
    for agent in situation.agents:
        if not agent.own or agent.condition is Condition.HELD:
            continue
        why = _why_unfit(rules, agent)
        if why:
            plan.take(agent)
            if plan.leaves(agent):
                plan.replaces = True
                held = f"; it goes when it holds nothing any more, now {agent.running}" if agent.running else ""
                plan.reasons.append(f"Agent {agent.name} {why}{held}.")


def _why_unfit(rules: Rules, agent: AgentState) -> str:
    """Why an agent must go whatever waits; empty where it may stay."""
    if agent.condition is Condition.OUTDATED:
        return f"is of another version than the platform ({agent.detail})"
    if agent.seconds < rules.patience:
        return ""
    if agent.condition is Condition.STARTING:
        return f"has not said hello in {duration(agent.seconds)}"
    if agent.condition in UNWELL:
        said = f": {agent.detail.rstrip('.')}" if agent.detail else ""
        return f"has been {agent.condition} for {duration(agent.seconds)}{said}"
    return ""


def _keep_the_maximum(rules: Rules, plan: _Plan, left: list[AgentState]) -> list[AgentState]:
    """What stays of the agents that count; one that is over the maximum goes whatever waits."""
    if len(left) <= rules.maximum:
        return left
    plan.reasons.append(f"There may be {number(rules.maximum, 'agent')} at most, and there are {len(left)}.")
    over = _least_busy(left)[: len(left) - rules.maximum]
    _let_go(over, plan)
    return [agent for agent in left if agent not in over]


def _up(rules: Rules, situation: Situation, plan: _Plan, left: Sequence[AgentState], wanted: int) -> None:
    slots, count = _slots(left), len(left)
    if wanted > slots:
        plan.reasons.append(
            f"{number(wanted, 'slot')} would begin all within {duration(rules.target_wait)}; there "
            f"{'is' if slots == 1 else 'are'} {slots}."
        )
    else:
        plan.reasons.append(f"There are to be {number(rules.minimum, 'agent')} at least, and there are {count}.")
    for agent in _could_be_taken_back(situation.agents, plan):
        if (wanted <= slots and count >= rules.minimum) or count >= rules.maximum:
            break
        plan.take_back.append(agent.name)
        slots, count = slots + agent.slots, count + 1
    if plan.take_back:
        plan.reasons.append(f"{_names(plan.take_back)} had been told to take nothing new, and may again.")
    missing = max(math.ceil((wanted - slots) / rules.slots), rules.minimum - count, 0)
    if missing:
        _start(rules, situation, plan, missing, count)
    # What is not wanted back goes on its way.
    _take_drained(situation.agents, plan)


def _start(rules: Rules, situation: Situation, plan: _Plan, missing: int, count: int) -> None:
    present = sum(agent.own and agent.name not in plan.remove for agent in situation.agents)
    room = max(0, rules.maximum - present)
    if not room:
        plan.reasons.append(f"There are {number(present, 'agent')} already, the most that there may be.")
        return
    if situation.put_off_until is not None and situation.put_off_until > situation.moment:
        plan.reasons.append(f"The provider failed; it is asked again at {situation.put_off_until:%H:%M:%S} UTC.")
        return
    since = _since(situation, situation.last_up)
    # Nobody waits for the first agent longer than that takes to start.
    if since < rules.cool_down_up and count >= max(1, rules.minimum):
        plan.reasons.append(f"The last were started {duration(since)} ago; more after {duration(rules.cool_down_up)}.")
        return
    plan.start = min(missing, room)
    short = f" of {missing} that are missing: there may be {rules.maximum} at most" if plan.start < missing else ""
    plan.reasons.append(f"{number(plan.start, 'agent')} {'is' if plan.start == 1 else 'are'} started{short}.")


def _down(rules: Rules, situation: Situation, plan: _Plan, left: Sequence[AgentState], peak: int) -> None:
    _take_drained(situation.agents, plan)
    spare = _spare(rules, situation, left, peak)
    if not spare:
        return
    for moment, what in ((situation.last_up, "started"), (situation.last_down, "taken")):
        if _since(situation, moment) < rules.cool_down_down:
            plan.reasons.append(
                f"{number(len(spare), 'agent')} could go; the last were {what} {duration(_since(situation, moment))} "
                f"ago, and none goes before {duration(rules.cool_down_down)}."
            )
            return
    plan.reasons.append(f"For {duration(rules.cool_down_down)}, {number(peak, 'slot')} would have been enough.")
    _let_go(spare, plan)


def _let_go(agents: Iterable[AgentState], plan: _Plan) -> None:
    for agent in agents:
        plan.take(agent)
        does = "takes nothing new, and goes when it holds nothing" if agent.running else "goes: it runs nothing"
        plan.reasons.append(f"Agent {agent.name} {does}.")


def _spare(rules: Rules, situation: Situation, left: Sequence[AgentState], peak: int) -> list[AgentState]:
    """Agents without whom the slots for the highest demand and the minimum would still be there."""
    quiet = _since(situation, situation.last_busy) >= rules.cool_down_down
    elsewhere = any(not agent.own and agent.condition is Condition.READY for agent in situation.agents)
    least = max(rules.minimum, 0 if quiet or elsewhere else 1)
    spare: list[AgentState] = []
    slots = _slots(left)
    for agent in _least_busy(left):
        if len(left) - len(spare) > least and slots - agent.slots >= peak:
            spare.append(agent)
            slots -= agent.slots
    return spare


def _take_drained(agents: Iterable[AgentState], plan: _Plan) -> None:
    for agent in agents:
        done = agent.own and agent.draining and not agent.running and agent.condition is not Condition.HELD
        if done and agent.name not in plan.take_back and not plan.leaves(agent):
            plan.remove.append(agent.name)
            plan.reasons.append(f"Agent {agent.name} holds nothing any more, and goes.")


def _could_be_taken_back(agents: Iterable[AgentState], plan: _Plan) -> list[AgentState]:
    return [
        agent
        for agent in agents
        if agent.own and agent.draining and agent.condition is Condition.READY and not plan.leaves(agent)
    ]


def _least_busy(agents: Iterable[AgentState]) -> list[AgentState]:
    """Those that are starting or idle first, and of these the newest: names grow with time."""
    newest_first = sorted(agents, key=lambda agent: agent.name, reverse=True)
    return sorted(newest_first, key=lambda agent: agent.running)


def _decision(plan: _Plan, demand: int, demands: tuple[Demand, ...]) -> Decision:
    if plan.replaces:
        action = ScalingAction.REPLACE
    elif plan.start or plan.take_back:
        action = ScalingAction.UP
    else:
        action = ScalingAction.DOWN if plan.drain or plan.remove else ScalingAction.NONE
    return Decision(
        action=action,
        start=plan.start,
        take_back=tuple(plan.take_back),
        drain=tuple(plan.drain),
        remove=tuple(plan.remove),
        reasons=tuple(plan.reasons) or ("Nothing waits that more agents would help.",),
        demand=demand,
        demands=demands,
    )


def _slots(agents: Iterable[AgentState]) -> int:
    return sum(agent.slots for agent in agents)


def _since(situation: Situation, moment: datetime | None) -> float:
    return math.inf if moment is None else (situation.moment - moment).total_seconds()


def _names(names: Sequence[str]) -> str:
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Agent{'' if len(names) == 1 else 's'} {listed}"
