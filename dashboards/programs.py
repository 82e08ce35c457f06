"""The programs that a submission was scored by: what was measured of them, and what exactly ran."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards import times
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.scores import size_text
from podium.platform.limits import key_of
from podium.platform.records.submissions import EvaluationRecord, ProgramRecord

_WORDS = (
    "Task",
    "Task version",
    "Attempt",
    "Program",
    "Exit status",
    "Time",
    "CPU time",
    "Peak memory",
    "Processes",
    "Limit hit",
    "Image",
    "Note",
)
_DIGITS = 12


def measured_programs(evaluations: Sequence[EvaluationRecord]) -> Html:
    """A row for each program of a submission; nothing where none has run."""
    rows = [_line(evaluation, program) for evaluation in evaluations for program in evaluation.programs]
    if not rows:
        return Html("")
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in _WORDS)))
    table = element("table", head, element("tbody", *rows), class_="podium-table")
    return join(
        element("h3", text("What was measured")),
        element("div", table, class_="podium-scroll", tabindex="0", role="region", aria_label="What was measured"),
    )


def short_digest(digest: str) -> str:
    """A digest by which people compare at a glance, such as `sha256:0123456789ab…`."""
    kind, colon, digits = digest.rpartition(":")
    return digest if len(digits) <= _DIGITS else f"{kind}{colon}{digits[:_DIGITS]}…"


def _line(evaluation: EvaluationRecord, program: ProgramRecord) -> Html:
    before = (
        str(evaluation.task_version),
        "" if evaluation.attempt is None else str(evaluation.attempt),
        f"{program.program} ({program.step})",
        "" if program.exit_status is None else str(program.exit_status),
        times.duration(program.wall_seconds),
        "" if program.cpu_seconds is None else times.duration(program.cpu_seconds),
        "" if program.peak_memory_bytes is None else size_text(program.peak_memory_bytes),
        "" if program.peak_processes is None else str(program.peak_processes),
        key_of(program.limit) if program.limit else "",
    )
    return element(
        "tr",
        element("th", text(evaluation.task), scope="row"),
        *(element("td", text(cell)) for cell in before),
        element("td", text(program.image), _digest(program.image_digest)),
        element("td", text(program.note)),
    )


def _digest(digest: str) -> Html:
    return element("small", element("code", text(short_digest(digest)), title=digest)) if digest else Html("")
