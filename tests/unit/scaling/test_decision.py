"""What is decided about a pool's agents, and what never is, whatever the pool is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.scaling.decision import Decision, decide, demand_in_slots
from podium.platform.scaling.situation import AgentState, Condition, Demand, Rules, Situation, Waiting
from podium.platform.scaling.states import ScalingAction

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
RULES = Rules(minimum=0, maximum=10, target_wait=120, cool_down_up=60, cool_down_down=600, slots=2, patience=300)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def fleet(*running: int, slots: int = 2, **fields: object) -> tuple[AgentState, ...]:
    """Agents that run so many each."""
    return tuple(
        replace(AgentState(f"a{place}", slots=slots, running=number), **fields)  # type: ignore[arg-type]
        for place, number in enumerate(running)
    )


def queue(count: int, *, oldest: float = 0, seconds: float = 30, lacks: str = "") -> tuple[Waiting, ...]:
    return (Waiting("Iris, phase 1", count, oldest, seconds, lacks),)


def said(decision: Decision) -> str:
    return " ".join(decision.reasons)


def test_nothing_waits_and_nothing_is_there() -> None:
    decision = decide(RULES, Situation(NOW))
    assert (decision.action, decision.start, decision.demand) == (ScalingAction.NONE, 0, 0)
    assert decision.reasons == ("Nothing waits that more agents would help.",)


def test_the_first_that_waits_gets_an_agent_at_once() -> None:
    """Whatever was started or taken a moment ago."""
    decision = decide(RULES, Situation(NOW, waiting=queue(1), last_up=ago(1), last_down=ago(1)))
    assert (decision.action, decision.start) == (ScalingAction.UP, 1)
    assert said(decision) == (
        "1 submission waits, the first for 0 s: 30 s of work. "
        "1 slot would begin all within 2 min; there are 0. 1 agent is started."
    )


def test_a_burst_gets_what_begins_it_within_the_target() -> None:
    # 40 of 30 s are 1200 s of work: 10 slots begin the last within 2 minutes.
    decision = decide(RULES, Situation(NOW, waiting=queue(40)))
    assert decision.demand == 10
    assert decision.start == 5


def test_never_more_slots_than_there_is_to_run() -> None:
    assert demand_in_slots(RULES, Situation(NOW, waiting=queue(3, seconds=3600))) == 3
    assert decide(RULES, Situation(NOW, waiting=queue(3, seconds=3600))).start == 2


def test_the_longer_the_first_has_waited_the_more_is_wanted() -> None:
    wanted = [demand_in_slots(RULES, Situation(NOW, waiting=queue(40, oldest=oldest))) for oldest in (0, 30, 60, 600)]
    assert wanted == [10, 14, 20, 20]


def test_what_runs_is_taken_to_be_half_done() -> None:
    busy = Situation(NOW, fleet(2, 2), queue(1, seconds=10), running_seconds=600)
    assert demand_in_slots(RULES, busy) == 5  # not begun by these four for minutes
    short = Situation(NOW, fleet(2, 2), queue(1, seconds=10), running_seconds=20)
    assert demand_in_slots(RULES, short) == 4  # one is free in a moment


def test_agents_that_are_starting_count() -> None:
    starting = fleet(0, 0, 0, 0, 0, condition=Condition.STARTING)
    assert decide(RULES, Situation(NOW, starting, queue(40), last_up=ago(300))).action is ScalingAction.NONE


def test_slots_of_agents_that_scaling_did_not_start_count_too() -> None:
    others = fleet(0, 0, 0, own=False)
    assert decide(RULES, Situation(NOW, others, queue(40))).start == 2
    assert decide(RULES, Situation(NOW, others, queue(4))).action is ScalingAction.NONE


@pytest.mark.parametrize("condition", [Condition.SILENT, Condition.TROUBLED, Condition.HELD])
def test_an_agent_that_takes_nothing_is_no_capacity(condition: Condition) -> None:
    decision = decide(RULES, Situation(NOW, fleet(0, condition=condition), queue(1)))
    assert decision.start == 1


def test_the_cool_down_holds_for_all_but_the_first() -> None:
    situation = Situation(NOW, fleet(2), queue(100, oldest=100), last_up=ago(20))
    decision = decide(RULES, situation)
    assert decision.action is ScalingAction.NONE
    assert "The last were started 20 s ago; more after 60 s." in decision.reasons
    assert decide(RULES, replace(situation, last_up=ago(61))).action is ScalingAction.UP


def test_the_maximum_is_said_where_it_holds() -> None:
    decision = decide(RULES, Situation(NOW, fleet(*[2] * 9), queue(1000)))
    assert decision.start == 1
    assert said(decision).endswith("1 agent is started of 119 that are missing: there may be 10 at most.")
    full = decide(RULES, Situation(NOW, fleet(*[2] * 10), queue(1000)))
    assert full.action is ScalingAction.NONE
    assert "There are 10 agents already, the most that there may be." in full.reasons


def test_the_minimum_is_kept_whatever_waits() -> None:
    rules = replace(RULES, minimum=3)
    decision = decide(rules, Situation(NOW, fleet(0), last_up=ago(1)))
    assert decision.start == 2
    assert decision.reasons[0] == "There are to be 3 agents at least, and there are 1."


def test_what_no_agent_of_this_kind_can_run_starts_none_and_is_said() -> None:
    decision = decide(RULES, Situation(NOW, waiting=queue(7, lacks="has 1 GPU")))
    assert (decision.action, decision.start, decision.demand) == (ScalingAction.NONE, 0, 0)
    assert decision.reasons == (
        "7 submissions of Iris, phase 1 can't be helped by more agents of this kind: none has 1 GPU.",
    )


def test_a_provider_that_failed_is_left_alone_for_a_while() -> None:
    later = NOW + timedelta(seconds=40)
    decision = decide(RULES, Situation(NOW, waiting=queue(1), put_off_until=later))
    assert decision.action is ScalingAction.NONE
    assert "The provider failed; it is asked again at 12:00:40 UTC." in decision.reasons


def test_nothing_goes_before_it_was_too_much_for_the_whole_cool_down() -> None:
    idle = Situation(NOW, fleet(0, 0, 0), last_busy=ago(700), demands=(Demand(ago(300), 3),))
    decision = decide(RULES, idle)
    assert decision.remove == ("a2",)  # two of them would do for the 3 slots of five minutes ago
    assert "For 10 min, 3 slots would have been enough." in decision.reasons
    assert decide(RULES, replace(idle, demands=(Demand(ago(601), 3),))).remove == ("a2", "a1", "a0")


def test_to_zero_only_when_nothing_ran_for_the_cool_down() -> None:
    situation = Situation(NOW, fleet(0, 0), demands=(Demand(ago(500), 0),))
    assert decide(RULES, replace(situation, last_busy=ago(599))).remove == ("a1",)
    assert decide(RULES, replace(situation, last_busy=ago(600))).remove == ("a1", "a0")


@pytest.mark.parametrize("field", ["last_up", "last_down"])
def test_fresh_capacity_is_not_taken_and_downs_keep_their_distance(field: str) -> None:
    decision = decide(RULES, replace(Situation(NOW, fleet(0), last_busy=ago(700)), **{field: ago(400)}))
    assert decision.action is ScalingAction.NONE
    assert "none goes before 10 min" in said(decision)


def test_a_busy_agent_is_told_to_take_nothing_new() -> None:
    spread = Situation(NOW, fleet(1, 1, 1, 1), last_busy=NOW)
    decision = decide(RULES, spread)
    assert (decision.action, decision.remove, decision.drain) == (ScalingAction.DOWN, (), ("a3", "a2"))
    assert "Agent a3 takes nothing new, and goes when it holds nothing." in decision.reasons


def test_the_idle_go_before_the_busy() -> None:
    assert decide(RULES, Situation(NOW, fleet(0, 2), last_busy=NOW)).remove == ("a0",)


def test_what_has_drained_goes() -> None:
    done = AgentState("d", slots=2, draining=True)
    decision = decide(RULES, Situation(NOW, (*fleet(1), done), last_busy=NOW, last_down=ago(5)))
    assert decision.remove == ("d",)


def test_what_drains_is_taken_back_before_any_is_started() -> None:
    draining = fleet(1, 0, draining=True)
    decision = decide(RULES, Situation(NOW, draining, queue(10, seconds=60), last_down=ago(5)))
    assert decision.demand == 6
    assert (decision.take_back, decision.start, decision.remove) == (("a0", "a1"), 1, ())
    assert "Agents a0 and a1 had been told to take nothing new, and may again." in decision.reasons


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.SILENT, "has been silent for 5 min: no hello"),
        (Condition.TROUBLED, "has been in trouble for 5 min: no hello"),
        (Condition.STARTING, "has not said hello in 5 min"),
    ],
)
def test_what_stays_unwell_is_replaced(condition: Condition, words: str) -> None:
    ill = AgentState("a0", condition, slots=2, seconds=300, detail="no hello.")
    decision = decide(RULES, Situation(NOW, (ill,), queue(1)))
    assert (decision.action, decision.remove, decision.start) == (ScalingAction.REPLACE, ("a0",), 1)
    assert f"Agent a0 {words}." in decision.reasons
    assert decide(RULES, Situation(NOW, (replace(ill, seconds=299),), queue(1))).remove == ()


def test_an_outdated_agent_finishes_first() -> None:
    old = AgentState("a0", Condition.OUTDATED, slots=2, running=1, detail="0.0.9")
    decision = decide(RULES, Situation(NOW, (old,), queue(1)))
    assert (decision.action, decision.drain, decision.remove, decision.start) == (ScalingAction.REPLACE, ("a0",), (), 1)
    assert "is of another version than the platform (0.0.9)" in said(decision)
    assert decide(RULES, Situation(NOW, (replace(old, running=0, draining=True),))).remove == ("a0",)


def test_what_a_person_holds_is_left_alone() -> None:
    held = AgentState("a0", Condition.HELD, slots=2, seconds=9999)
    assert decide(RULES, Situation(NOW, (held,), last_busy=ago(9999))).action is ScalingAction.NONE


def test_a_lower_maximum_holds_at_once() -> None:
    rules = replace(RULES, maximum=1)
    decision = decide(rules, Situation(NOW, fleet(1, 2, 0), last_up=ago(1), last_busy=NOW))
    assert (decision.remove, decision.drain) == (("a2",), ("a0",))


def test_switched_off_all_go_and_the_busy_finish() -> None:
    off = replace(RULES, minimum=0, maximum=0)
    decision = decide(off, Situation(NOW, fleet(1, 0), queue(5), last_up=ago(1)))
    assert decision.start == 0
    assert (decision.remove, decision.drain) == (("a1",), ("a0",))


# Properties. Pools of every kind, reasonable or not.
conditions = st.sampled_from(Condition)
agent_states = st.builds(
    AgentState,
    name=st.uuids().map(str),
    condition=conditions,
    slots=st.integers(1, 8),
    running=st.integers(0, 8),
    own=st.booleans(),
    draining=st.booleans(),
    seconds=st.floats(0, 2000),
)
moments = st.none() | st.floats(0, 3000).map(ago)
situations = st.builds(
    Situation,
    moment=st.just(NOW),
    agents=st.lists(agent_states, max_size=12, unique_by=lambda agent: agent.name).map(tuple),
    waiting=st.lists(
        st.builds(
            Waiting,
            what=st.just("phase"),
            count=st.integers(0, 2000),
            oldest=st.floats(0, 9000),
            seconds=st.floats(0.1, 9000),
            lacks=st.sampled_from(["", "has 1 GPU"]),
        ),
        max_size=3,
    ).map(tuple),
    running_seconds=st.floats(0.1, 9000),
    demands=st.lists(st.builds(Demand, st.floats(0, 2000).map(ago), st.integers(0, 50)), max_size=5).map(tuple),
    last_up=moments,
    last_down=moments,
    last_busy=moments,
    put_off_until=st.none() | st.floats(-100, 100).map(ago),
)
rules = st.builds(
    lambda minimum, more, slots: replace(RULES, minimum=minimum, maximum=minimum + more, slots=slots),
    st.integers(0, 6),
    st.integers(0, 10),
    st.integers(1, 8),
)


@given(rules, situations)
def test_a_busy_agent_is_never_taken(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    busy = {agent.name for agent in situation.agents if agent.running}
    assert not busy & set(decision.remove)


@given(rules, situations)
def test_only_its_own_and_nothing_twice(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    touched = [*decision.take_back, *decision.drain, *decision.remove]
    assert len(touched) == len(set(touched))
    free = {agent.name for agent in situation.agents if agent.own and agent.condition is not Condition.HELD}
    assert set(touched) <= free


@given(rules, situations)
def test_never_above_the_maximum(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    present = sum(agent.own and agent.name not in decision.remove for agent in situation.agents)
    assert decision.start == 0 or present + decision.start <= rules.maximum


@given(rules, situations)
def test_never_below_the_minimum_by_its_own_doing(rules: Rules, situation: Situation) -> None:
    """What is unwell or outdated goes in any case; the others only as far as the minimum stays."""
    decision = decide(rules, situation)
    usable = [agent for agent in situation.agents if agent.own and agent.counts]
    gone = {*decision.drain, *decision.remove}
    taken = [agent for agent in usable if agent.name in gone and not _too_long_starting(rules, agent)]
    stays = [agent for agent in usable if agent.name not in gone]
    assert not taken or len(stays) >= rules.minimum


def _too_long_starting(rules: Rules, agent: AgentState) -> bool:
    return agent.condition is Condition.STARTING and agent.seconds >= rules.patience


@given(rules, situations)
def test_what_is_done_is_said_and_named(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    does = bool(decision.start or decision.take_back or decision.drain or decision.remove)
    assert does == (decision.action is not ScalingAction.NONE)
    assert decision.reasons
    for name in (*decision.take_back, *decision.drain, *decision.remove):
        assert name in said(decision)


@given(rules, situations)
def test_never_up_and_down_at_once(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    if sum(agent.own and agent.counts for agent in situation.agents) > rules.maximum:
        return  # what is over the maximum goes whatever waits
    well = {agent.name for agent in situation.agents if agent.counts and not _too_long_starting(rules, agent)}
    if decision.start or decision.take_back:
        assert not well & {*decision.remove, *decision.drain}


@given(rules, situations)
def test_to_zero_only_after_quiet(rules: Rules, situation: Situation) -> None:
    decision = decide(rules, situation)
    if situation.last_busy is None or (NOW - situation.last_busy).total_seconds() >= rules.cool_down_down:
        return
    if rules.maximum == 0 or any(not agent.own for agent in situation.agents):
        return
    healthy = [agent for agent in situation.agents if agent.counts and not _too_long_starting(rules, agent)]
    gone = {*decision.drain, *decision.remove}
    assert not healthy or any(agent.name not in gone for agent in healthy)


@given(rules, situations)
def test_from_zero_as_soon_as_one_waits(rules: Rules, situation: Situation) -> None:
    empty = replace(situation, agents=(), put_off_until=None)
    fits = any(one.count and not one.lacks for one in empty.waiting)
    decision = decide(rules, empty)
    assert bool(decision.start) == (rules.maximum > 0 and (fits or rules.minimum > 0))


@given(rules, situations)
def test_steady_load_never_flaps(rules: Rules, situation: Situation) -> None:
    """The same load for an hour: after what is decided at first, no agent is started or taken again."""
    steady = replace(situation, agents=_well(situation.agents), put_off_until=None, demands=(), last_busy=NOW)
    actions: list[ScalingAction] = []
    for tick in range(60):
        steady = replace(
            steady, moment=NOW + timedelta(seconds=30 * tick), last_busy=NOW + timedelta(seconds=30 * tick)
        )
        decision = decide(rules, steady)
        actions.append(decision.action)
        steady = _applied(rules, steady, decision, tick)
    first_up = next((place for place, action in enumerate(actions) if action is ScalingAction.UP), None)
    if first_up is not None:
        assert ScalingAction.DOWN not in actions[first_up + 1 :]
    assert ScalingAction.NONE is actions[-1]
    changes = [action for action in actions if action is not ScalingAction.NONE]
    assert (
        ScalingAction.UP not in changes[changes.index(ScalingAction.DOWN) :] if ScalingAction.DOWN in changes else True
    )


def _well(agents: Sequence[AgentState]) -> tuple[AgentState, ...]:
    return tuple(
        replace(agent, condition=Condition.READY, draining=False, running=min(agent.running, agent.slots))
        for agent in agents
    )


def _applied(rules: Rules, situation: Situation, decision: Decision, tick: int) -> Situation:
    """The pool a moment after: what was busy stays so for ever, what was started is idle."""
    agents = [
        replace(
            agent, draining=agent.name in decision.drain or (agent.draining and agent.name not in decision.take_back)
        )
        for agent in situation.agents
        if agent.name not in decision.remove
    ]
    agents += [AgentState(f"z{tick:03}-{number}", slots=rules.slots) for number in range(decision.start)]
    moment = situation.moment
    return replace(
        situation,
        agents=tuple(agents),
        demands=decision.demands,
        last_up=moment if decision.start or decision.take_back else situation.last_up,
        last_down=moment if decision.drain or decision.remove else situation.last_down,
    )
