"""Which rounds there are: by a seed, so that few of them cover every breakage, and more every point of it."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

from .breakages import ALL, Breakage
from .points import Point

SEED = int(os.environ.get("PODIUM_FAULT_SEED", "7"))
ROUNDS = int(os.environ.get("PODIUM_FAULT_ROUNDS", str(len(ALL))))


@dataclass(frozen=True)
class Planned:
    """A round to be."""

    number: int
    breakage: Breakage
    point: Point

    def __str__(self) -> str:
        return f"{self.number}-{self.breakage.kind}-{self.breakage.target}-{self.point}"


def plan(rounds: int, seed: int) -> list[Planned]:
    """Each block of rounds has every breakage once; with each block, each breakage moves on to its next point."""
    chance = random.Random(seed)
    points = list(Point)
    first = [points[at % len(points)] for at in range(len(ALL))]
    chance.shuffle(first)
    found: list[Planned] = []
    for block in range(-(-rounds // len(ALL))):
        order = list(range(len(ALL)))
        chance.shuffle(order)
        for at in order:
            point = points[(points.index(first[at]) + block) % len(points)]
            found.append(Planned(len(found) + 1, ALL[at], point))
    return found[:rounds]
