"""How Podium is: what the supervisor wrote down, and what each part says when it is asked now."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from podium.platform.supervisor.console import duration
from podium.platform.supervisor.exposure import exposed_prefect
from podium.platform.supervisor.health import health_from_data
from podium.platform.supervisor.live_state import LivePart, LiveState
from podium.platform.supervisor.parts import PartState
from podium.platform.supervisor.processes import tree_memory

_RUNS = frozenset({PartState.HEALTHY, PartState.TROUBLE})


@dataclass(frozen=True)
class PartReport:
    """One part.

    Attributes:
        name: Its name.
        state: A word: healthy, starting, restarting, trouble, waiting, stopped, failed or done.
        detail: Why it is so, or when it will be otherwise.
        pid: Its process, while it has one.
        address: Where people find it.
        uptime_seconds: How long this process has run.
        restarts: How often it was started again.
        memory_bytes: What it and its descendants hold.
    """

    name: str
    state: PartState
    detail: str
    pid: int | None
    address: str
    uptime_seconds: float
    restarts: int
    memory_bytes: int

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state in {PartState.HEALTHY, PartState.DONE}


@dataclass(frozen=True)
class StatusReport:
    """Podium as a whole.

    Attributes:
        running: Whether a supervisor lives.
        state_folder: Which one was asked about.
        pid: The supervisor's process.
        uptime_seconds: How long it has run.
        parts: Its parts.
        addresses: What stood in the summary.
        warnings: What works, and should not be so.
    """

    running: bool
    state_folder: str
    pid: int | None
    uptime_seconds: float
    parts: Sequence[PartReport]
    addresses: dict[str, str]
    warnings: Sequence[str] = ()

    @property
    def all_well(self) -> bool:
        """Whether it runs, and every part is well."""
        return self.running and all(part.well for part in self.parts)

    def as_json(self) -> str:
        """Return it for programs."""
        return json.dumps({**asdict(self), "all_well": self.all_well}, indent=2)


def describe(live: LiveState, folder: Path, *, prefect_api: str | None = None) -> StatusReport:
    """Ask every part how it is; all at once, so that it takes a few seconds at most.

    Args:
        live: What the supervisor wrote down.
        folder: The state folder, for the report.
        prefect_api: Prefect's API, where it runs elsewhere.
    """
    if live.supervisor is None or not live.running():
        return StatusReport(running=False, state_folder=str(folder), pid=None, uptime_seconds=0, parts=[], addresses={})
    with ThreadPoolExecutor(max_workers=max(len(live.parts), 1)) as asking:
        prefect = next((f"{part.address}/api" for part in live.parts if part.name == "prefect"), prefect_api)
        exposed = asking.submit(exposed_prefect, prefect) if prefect else None
        parts = list(asking.map(_ask, live.parts))
    return StatusReport(
        running=True,
        state_folder=str(folder),
        pid=live.supervisor.pid,
        uptime_seconds=time.time() - live.since,
        parts=parts,
        addresses=live.addresses,
        warnings=exposed.result() if exposed else (),
    )


def table(report: StatusReport) -> str:
    """Return the report for people."""
    if not report.running:
        return f"Podium is not running (state folder {report.state_folder})."
    rows = [("part", "state", "pid", "up for", "restarts", "memory", "address")]
    rows += [
        (
            part.name,
            part.state.value,
            str(part.pid or ""),
            duration(part.uptime_seconds) if part.pid else "",
            str(part.restarts),
            f"{part.memory_bytes / 1024**2:.0f} MB" if part.memory_bytes else "",
            part.address,
        )
        for part in report.parts
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"{part.name}: {part.detail}" for part in report.parts if part.detail]
    lines += [f"Warning: {warning}." for warning in report.warnings]
    head = (
        f"Podium (pid {report.pid}) has run for {duration(report.uptime_seconds)}; its folder is {report.state_folder}"
    )
    return "\n".join([head, "", *lines])


def _ask(part: LivePart) -> PartReport:
    alive = part.process is not None and part.process.alive()
    state, detail = part.state, part.detail
    if state == PartState.RESTARTING:
        detail = f"{detail}; restarting in {max(0.0, part.restart_at - time.time()):.0f} s"
    elif state in _RUNS and not alive:
        state, detail = PartState.RESTARTING, "it has just ended"
    elif state in _RUNS:
        health = health_from_data(part.health).check()
        state, detail = (PartState.HEALTHY, "") if health.well else (PartState.TROUBLE, health.trouble)
    return PartReport(
        name=part.name,
        state=state,
        detail=detail,
        pid=part.process.pid if part.process is not None and alive else None,
        address=part.address,
        uptime_seconds=time.time() - part.since if alive else 0.0,
        restarts=part.restarts,
        memory_bytes=tree_memory(part.process.pid) if part.process is not None and alive else 0,
    )
