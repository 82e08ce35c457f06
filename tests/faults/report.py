"""What came of the rounds, as a table: what was broken by where a submission was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .points import Point

SECTION = "fault-round"
"""Under which name a test hands its round on to whoever writes the table."""


@dataclass
class Round:
    """One round.

    Attributes:
        found_at: Where the submission really was when it was broken.
        attempts: How the round's attempts ended.
        hasty: Those that began sooner after trouble of the platform than they should have.
        mended: Seconds until all parts were well again after that.
        recovered: Seconds until every submission had ended, after the breakage was undone.
        problems: What did not hold.
    """

    number: int
    kind: str
    target: str
    point: str
    found_at: str = ""
    attempts: dict[str, int] = field(default_factory=dict)
    hasty: int = 0
    mended: float = 0.0
    recovered: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Round:
        return cls(**json.loads(text))


def table(rounds: Sequence[Round], seed: int) -> list[str]:
    """The lines of the table. A cell has its rounds, those that failed, and the slowest recovery in seconds."""
    lines = [
        f"{'':17}" + "".join(f"{point:>12}" for point in Point) + f"{'lost':>7}{'error':>7}{'hasty':>7}{'well':>7}"
    ]
    names = list(
        dict.fromkeys((one.kind, one.target) for one in sorted(rounds, key=lambda one: (one.kind, one.target)))
    )
    for kind, target in names:
        mine = [one for one in rounds if (one.kind, one.target) == (kind, target)]
        cells = [_cell([one for one in mine if one.point == point]) for point in Point]
        ended = Counter[str]()
        for one in mine:
            ended.update(one.attempts)
        slowest = max(one.mended for one in mine)
        lines.append(
            f"{kind + ' ' + target:17}"
            + "".join(f"{cell:>12}" for cell in cells)
            + f"{ended['lost']:>7}{ended['platform_error']:>7}{sum(one.hasty for one in mine):>7}{slowest:>6.1f}s"
        )
    failed = sum(bool(one.problems) for one in rounds)
    hit = sum(one.found_at == one.point or (one.point, one.found_at) == ("result", "scoring") for one in rounds)
    slowest = max((one.recovered for one in rounds), default=0.0)
    return [
        *lines,
        "A cell: rounds, ! those that failed, and the slowest recovery: seconds from the mending to the last end.",
        "lost, error: how attempts ended. hasty: began before the pause after an error was over.",
        "well: seconds until all parts were.",
        f"{len(rounds)} rounds, {failed} failed; {hit} at the very point; slowest {slowest:.1f} s; seed {seed}",
    ]


def as_data(rounds: Sequence[Round], seed: int) -> dict[str, Any]:
    return {"seed": seed, "rounds": [asdict(one) for one in rounds]}


def _cell(rounds: Sequence[Round]) -> str:
    if not rounds:
        return "."
    failed = sum(bool(one.problems) for one in rounds)
    return f"{len(rounds)}{f' !{failed}' if failed else ''} {max(one.recovered for one in rounds):.1f}s"
