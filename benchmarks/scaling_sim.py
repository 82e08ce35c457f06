"""A deadline day, simulated: waiting times and host-hours under Podium's decision, the usual rule, and a fixed fleet.

    python benchmarks/scaling_sim.py [--seed N] [--submissions N] [--agents N]

The decision is the real one, `podium.platform.scaling.decision.decide`, asked every 20 seconds as the flow does. The
rule beside it is that of Cloud Compute Cannon: once a minute one host more while anything waits; when nothing waits
and the last job ended ten minutes ago, and no host was taken in the last ten, down to the minimum at once, whatever
runs. What ran on a host that is taken begins anew, as it would there, five times at most.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from podium.platform.scaling.decision import decide
from podium.platform.scaling.situation import AgentState, Condition, Demand, Rules, Situation, Waiting
from podium.platform.scaling.states import ScalingAction

DAY = datetime(2026, 11, 30, tzinfo=UTC)
HOURS = 24
DEADLINE_HOUR = 22.0
SLOTS = 2
"""Submissions that an agent runs at the same time."""
START_SECONDS = (45.0, 120.0)
"""How long a host takes from being asked for to its first claim: the least and the most."""
LONG = 0.01
"""The part of all that trains for long."""
TRIES = 5
"""After so many a submission is given up, where its host is taken each time."""
HISTORY = 40
"""Run times by which it is known how long one takes, as in the platform."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A submission: when it comes and how long it runs, in seconds."""

    moment: float
    seconds: float


def arrivals(count: int, chance: random.Random) -> list[Arrival]:
    """A day before a deadline: quiet at night, busy in the afternoon, a third in the last two hours.

    Run times are log-normal with a median of a minute, a twentieth of them above six minutes, 30 minutes at most; one
    in a hundred trains for 40 minutes to two hours.
    """
    moments: list[float] = []
    while len(moments) < count:
        moment = chance.uniform(0, HOURS * 3600)
        if chance.random() < intensity(moment / 3600):
            moments.append(moment)
    moments.sort()
    return [Arrival(moment, run_time(chance)) for moment in moments]


def run_time(chance: random.Random) -> float:
    """How long a submission runs, in seconds."""
    if chance.random() < LONG:
        return chance.uniform(2400.0, 7200.0)
    return min(1800.0, chance.lognormvariate(math.log(60), 1.1))


def intensity(hour: float) -> float:
    """How many come at an hour of the day, beside the busiest moment."""
    if hour > DEADLINE_HOUR:
        return 0.01
    by_day = 0.03 + 0.12 * math.exp(-(((hour - 15) / 4) ** 2))
    rush = 0.85 * math.exp(-(DEADLINE_HOUR - hour) / 0.8)
    return by_day + rush


@dataclass(slots=True)
class Host:
    """An agent and its host."""

    name: str
    asked: float
    ready: float
    running: list[int] = field(default_factory=list)
    draining: bool = False
    last_end: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What came of a day. `taken_running` counts hosts that were taken while they ran something."""

    waits: list[float] = field(default_factory=list)
    host_seconds: float = 0.0
    actions: int = 0
    taken_running: int = 0
    begun_again: int = 0
    given_up: int = 0
    most: int = 0


class Day:
    """The state of the simulation: what waits, what runs, and on which hosts."""

    def __init__(self, coming: Sequence[Arrival], *, most: int, chance: random.Random) -> None:
        self.coming = coming
        self.most = most
        self.now = 0.0
        self.hosts: dict[str, Host] = {}
        self.queue: deque[int] = deque()
        self.outcome = Outcome()
        self.last_end = -math.inf
        self.last_down = -math.inf
        self.history: deque[float] = deque(maxlen=HISTORY)
        self._chance = chance
        self._ends: list[tuple[float, int, str]] = []
        self._first_start: dict[int, float] = {}
        self._tries: Counter[int] = Counter()
        self._next = 0
        self._made = 0

    def start(self, number: int, *, at_once: bool = False) -> None:
        """Ask for hosts."""
        for _ in range(number):
            self._made += 1
            delay = 0.0 if at_once else self._chance.uniform(*START_SECONDS)
            name = f"host-{self._made:06}"
            self.hosts[name] = Host(name, self.now, self.now + delay)
        self.outcome.most = max(self.outcome.most, len(self.hosts))

    def take(self, name: str) -> None:
        """Take a host; what it ran begins anew, at the head of the queue."""
        host = self.hosts.pop(name)
        self.outcome.host_seconds += self.now - host.asked
        if host.running:
            self.outcome.taken_running += 1
            again = [place for place in host.running if self._tries[place] < TRIES]
            self.outcome.begun_again += len(again)
            self.outcome.given_up += len(host.running) - len(again)
            self.queue.extendleft(reversed(again))
            self._ends = [end for end in self._ends if end[2] != name]
            heapq.heapify(self._ends)

    def run(self, rule: Callable[[Day], None], every: float) -> Outcome:
        """Go through the day and on until nothing is left, asking the rule every so many seconds."""
        asked = 0.0
        while self._next < len(self.coming) or self.queue or self._ends or self.now < HOURS * 3600:
            self._advance(asked)
            rule(self)
            self._assign()
            asked += every
        for name in list(self.hosts):
            self.take(name)
        self.outcome.waits = [self._first_start[place] - arrival.moment for place, arrival in enumerate(self.coming)]
        return self.outcome

    def _advance(self, until: float) -> None:
        """Everything that happens before the next look, in its order."""
        while True:
            moments = [until + 1]
            if self._next < len(self.coming):
                moments.append(self.coming[self._next].moment)
            if self._ends:
                moments.append(self._ends[0][0])
            moments += [host.ready for host in self.hosts.values() if self.queue and host.ready > self.now]
            moment = min(moments)
            if moment > until:
                self.now = until
                return
            self.now = max(self.now, moment)
            while self._ends and self._ends[0][0] <= self.now:
                self._end(*heapq.heappop(self._ends))
            while self._next < len(self.coming) and self.coming[self._next].moment <= self.now:
                self.queue.append(self._next)
                self._next += 1
            self._assign()

    def _end(self, moment: float, place: int, name: str) -> None:
        host = self.hosts[name]
        host.running.remove(place)
        host.last_end = self.last_end = moment
        self.history.append(self.coming[place].seconds)

    def _assign(self) -> None:
        if not self.queue:
            return
        for host in self.hosts.values():
            while self.queue and not host.draining and host.ready <= self.now and len(host.running) < SLOTS:
                place = self.queue.popleft()
                host.running.append(place)
                self._tries[place] += 1
                self._first_start[place] = self.now  # of the try that ends: what begins anew has waited until then
                heapq.heappush(self._ends, (self.now + self.coming[place].seconds, place, host.name))
            if not self.queue:
                return


def podium_rule(rules: Rules) -> Callable[[Day], None]:
    """Podium's decision, applied as the flow does."""
    memory: dict[str, datetime | None] = {"up": None, "down": None, "busy": None}
    demands: list[Demand] = []

    def look(day: Day) -> None:
        moment = DAY + timedelta(seconds=day.now)
        typical = sorted(day.history)[len(day.history) // 2] if day.history else 60.0
        oldest = day.now - day.coming[day.queue[0]].moment if day.queue else 0.0
        waiting = (Waiting("the phase", len(day.queue), oldest, typical),) if day.queue else ()
        states = tuple(
            AgentState(
                host.name,
                Condition.READY if host.ready <= day.now else Condition.STARTING,
                SLOTS,
                len(host.running),
                draining=host.draining,
            )
            for host in day.hosts.values()
        )
        if waiting or any(state.running for state in states):
            memory["busy"] = moment
        decision = decide(
            rules,
            Situation(
                moment=moment,
                agents=states,
                waiting=waiting,
                running_seconds=typical,
                demands=tuple(demands),
                last_up=memory["up"],
                last_down=memory["down"],
                last_busy=memory["busy"],
            ),
        )
        demands[:] = decision.demands
        for name in decision.take_back:
            day.hosts[name].draining = False
        for name in decision.drain:
            day.hosts[name].draining = True
        for name in decision.remove:
            day.take(name)
        day.start(decision.start)
        if decision.start or decision.take_back:
            memory["up"] = moment
        if decision.drain or decision.remove:
            memory["down"] = moment
        day.outcome.actions += decision.action is not ScalingAction.NONE

    return look


def cannon_rule(minimum: int) -> Callable[[Day], None]:
    """Cloud Compute Cannon's rule, once a minute; a cool-down of a minute, as its scaling group has."""

    def look(day: Day) -> None:
        if day.queue:
            if len(day.hosts) < day.most:
                day.start(1)
                day.outcome.actions += 1
            return
        quiet = day.now - day.last_end > 600 and day.now - day.last_down > 600
        surplus = len(day.hosts) - minimum
        if quiet and surplus > 0:
            day.last_down = day.now
            day.outcome.actions += 1
            # The scaling group chooses the oldest, and knows nothing of what runs.
            for name in list(day.hosts)[:surplus]:
                day.take(name)

    return look


def fixed(number: int) -> Callable[[Day], None]:
    """A fleet that is there from the start."""

    def look(day: Day) -> None:
        if not day.hosts:
            day.start(number, at_once=True)

    return look


def main() -> None:
    """Simulate a day under each rule, and print a table."""
    parser = argparse.ArgumentParser(description="Simulate a deadline day.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--agents", type=int, default=100)
    options = parser.parse_args()
    coming = arrivals(options.submissions, random.Random(options.seed))
    work = sum(one.seconds for one in coming)
    print(f"seed {options.seed}: {len(coming)} submissions, {work / 3600:.0f} hours of work, {SLOTS} slots a host")
    average = math.ceil(work / SLOTS / (DEADLINE_HOUR * 3600))
    rules = Rules(maximum=options.agents, slots=SLOTS)
    contenders: list[tuple[str, Callable[[Day], None], float]] = [
        ("Podium, target 2 min", podium_rule(rules), 20.0),
        ("Podium, target 10 min", podium_rule(replace(rules, target_wait=600.0)), 20.0),
        ("Cloud Compute Cannon's rule", cannon_rule(0), 60.0),
        (f"fixed, {average} hosts", fixed(average), 60.0),
        (f"fixed, {options.agents} hosts", fixed(options.agents), 60.0),
    ]
    print(
        "| rule | p50 | p95 | max | host-hours | most hosts | actions | taken while running | begun again | given up |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, rule, every in contenders:
        day = Day(coming, most=options.agents, chance=random.Random(options.seed))
        print(row(name, day.run(rule, every)))


def row(name: str, outcome: Outcome) -> str:
    """One line of the table."""
    waits = sorted(outcome.waits)
    p50, p95 = (waits[int(len(waits) * part)] for part in (0.5, 0.95))
    return (
        f"| {name} | {p50:.0f} s | {p95:.0f} s | {waits[-1]:.0f} s | {outcome.host_seconds / 3600:.0f} "
        f"| {outcome.most} | {outcome.actions} | {outcome.taken_running} | {outcome.begun_again} | {outcome.given_up} |"
    )


if __name__ == "__main__":
    main()
