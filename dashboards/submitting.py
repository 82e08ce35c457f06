"""How to take part and to submit from a terminal."""

from __future__ import annotations

import shlex

from podium.dashboards.settings import read_settings
from podium.platform.records.competitions import PhaseRecord


def first_commands(slug: str) -> tuple[str, ...]:
    """Commands of somebody who takes part for the first time."""
    return (
        "pip install podium",
        f"podium login {shlex.quote(read_settings().public_gateway)}",
        f"podium join {shlex.quote(slug)}",
        *submit_command(slug),
    )


def submit_command(slug: str, phase: PhaseRecord | None = None) -> tuple[str, ...]:
    """The command that submits a file and waits for its scores."""
    where = f" --phase {phase.number}" if phase is not None else ""
    if phase is not None and phase.container_submissions:
        return (
            "docker save my-image | gzip > my-image.tar.gz",
            f"podium submit {shlex.quote(slug)} --file my-image.tar.gz{where} --wait",
        )
    return (f"podium submit {shlex.quote(slug)} --file my-submission.zip{where} --wait",)


def update_task_command(slug: str, index: str) -> tuple[str, ...]:
    """The command that makes a new version of a task, for its organizers."""
    where = f"{shlex.quote(slug)} {shlex.quote(index)}"
    return (f"podium task update {where} --reference-data labels/ --reason 'A label was wrong.'",)
