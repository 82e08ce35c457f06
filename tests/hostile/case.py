"""One thing that somebody hostile does, and what must come of it, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from podium.platform.jobs import MIB, Limits
from podium.platform.lifecycle import Verdict

SMALL = Limits(
    wall_seconds=20,
    cpus=1,
    memory_bytes=64 * MIB,
    processes=32,
    open_files=128,
    file_bytes=4 * MIB,
    output_bytes=8 * MIB,
    output_files=500,
    log_bytes=64 * 1024,
    temporary_bytes=16 * MIB,
    disk_bytes=32 * MIB,
)
"""A bomb that is scaled down behaves as a large one does."""

PREDICT = "open('/app/output/predictions.txt', 'w').write('a guess')\n"
"""What a submission that is not hostile does."""

SCORER = """
import json, pathlib
predicted = pathlib.Path('/app/input/res/predictions.txt').read_text()
truth = pathlib.Path('/app/input/ref/truth.txt').read_text()
pathlib.Path('/app/output/scores.json').write_text(json.dumps({'accuracy': float(predicted == truth)}))
"""
"""An organizer's scoring program: 1 for whoever knows the truth, 0 for all others, and an error without predictions."""

GUESSED: Mapping[str, float] = {"accuracy": 0.0}
"""The score of a submission that was run to its end and has learned nothing."""

BOTH = ("docker", "bubblewrap")


@dataclass(frozen=True)
class Case:
    """A submission to a competition, whose programs may be hostile too.

    Texts may have `{words}` in guillemets, such as `«gateway_port»`: the proving ground puts in what an attacker could
    know.

    Attributes:
        name: As the docs name it.
        tries: What it tries to do, for people.
        program: The submission's `run.py`; empty for a submission of results.
        command: What its metadata says; as a mapping, the whole metadata.
        files: Further files of the submission; they win.
        archive: Makes the submission's zip instead of all that.
        scorer: The organizer's `score.py`.
        ingestion: The organizer's ingestion program, if there is one.
        during_scoring: The ingestion program runs during scoring only.
        limits: What differs from `SMALL`.
        verdict: What it deserves; `None` where it is to be scored all the same.
        says: Regular expressions that the message for the participant has.
        scores: What it gets.
        shows: Parts of its logs: the proof that it really tried.
        hides: What no log may have: the proof that it failed.
        outputs: Names that are in the stored output of its prediction.
        lacks: Names that are not.
        executors: Those that it is run by.
    """

    name: str
    tries: str
    program: str = ""
    command: str = "python3 $program/run.py «marker»"
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    archive: Callable[[], bytes] | None = None
    scorer: str = SCORER
    ingestion: str = ""
    during_scoring: bool = False
    limits: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    says: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=lambda: GUESSED)
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ("GOT ",)
    outputs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    executors: tuple[str, ...] = BOTH

    @property
    def whole_limits(self) -> Limits:
        """Its limits, all of them."""
        return SMALL.model_copy(update=dict(self.limits))
