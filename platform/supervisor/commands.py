"""`podium up`, `podium down` and `podium status`: each writes for people and returns an exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.scaling.providers.processes import end_all
from podium.platform.supervisor.console import Console, duration
from podium.platform.supervisor.detach import run_detached
from podium.platform.supervisor.leftovers import end_leftovers
from podium.platform.supervisor.live_state import read_live_state
from podium.platform.supervisor.options import Planner, UpOptions
from podium.platform.supervisor.part_logs import open_log
from podium.platform.supervisor.podium_parts import plan_podium
from podium.platform.supervisor.state_folder import StateFolder, default_state_folder
from podium.platform.supervisor.status import describe, table
from podium.platform.supervisor.supervisor import Supervisor

NOT_RUNNING = 3
_SLACK = 15.0


def up(options: UpOptions, *, planner: Planner = plan_podium) -> int:
    """Start Podium and keep it running until a signal ends it; with `detach`, until it is up.

    Args:
        options: What was asked for.
        planner: Makes the list of parts.

    Returns:
        0 when Podium was stopped in order, or is up and detached; 1 when a detached start failed.

    Raises:
        PodiumError: It runs already, a port is taken, or a part could not be started; nothing is left running.
    """
    folder = _state_folder(options.state)
    folder.make()
    with folder.lock():
        if not options.detach:
            _supervise(options, folder, planner, Console(), lambda: None)
            return 0
        log = folder.log("podium")
        open_log(log).close()

        def run(waiting: TextIO, ready: Callable[[], None]) -> int:
            return _supervise_detached(options, folder, planner, waiting, ready)

        return run_detached(run, log)


def down(state: Path | None = None) -> int:
    """Stop the Podium that runs with a state folder, and wait until it has stopped.

    Args:
        state: The state folder; None for the default one.

    Returns:
        0, also when nothing was running.

    Raises:
        PlatformFault: It does not stop.
    """
    folder, console = _state_folder(state), Console()
    live = read_live_state(folder.live_file)
    if live.supervisor is None or not live.running():
        left = end_leftovers(live, console)
        _end_scaled(folder, console)
        console.say("Podium was not running." if not left else "The supervisor was gone; what it had left is ended.")
        return 0
    begun = time.monotonic()
    console.say(f"Stopping Podium (pid {live.supervisor.pid}) ...")
    live.supervisor.send(signal.SIGTERM)
    # Parts stop one after another where they depend on each other.
    if not live.supervisor.wait(sum(part.grace for part in live.parts) + _SLACK):
        raise PlatformFault(
            f"Podium (pid {live.supervisor.pid}) does not stop.",
            remedy="Run podium down once more: a second signal ends everything at once.",
        )
    console.say(f"Stopped, after {duration(time.monotonic() - begun)}.")
    return 0


def status(state: Path | None = None, *, as_json: bool = False) -> int:
    """Write how each part is, asking each of them now.

    Args:
        state: The state folder; None for the default one.
        as_json: Write JSON for programs, instead of a table.

    Returns:
        0 when everything is well, 1 when something isn't, 3 when Podium doesn't run.
    """
    folder = _state_folder(state)
    elsewhere = os.environ.get("PODIUM_PREFECT_API_URL")
    report = describe(read_live_state(folder.live_file), folder.path, prefect_api=elsewhere)
    sys.stdout.write((report.as_json() if as_json else table(report)) + "\n")
    if not report.running:
        return NOT_RUNNING
    return 0 if report.all_well else 1


def _supervise(
    options: UpOptions, folder: StateFolder, planner: Planner, console: Console, all_ready: Callable[[], None]
) -> None:
    last = read_live_state(folder.live_file)
    end_leftovers(last, console)
    _end_scaled(folder, console)
    environment: Mapping[str, str] = dict(os.environ)
    plan = planner(options, folder, environment=environment, remembered=last.ports)
    console.say(f"Starting Podium in {folder.path}")
    for note in plan.notes:
        console.say(note)

    async def run() -> None:
        # A port of a part that is left out today is kept for tomorrow.
        ports = {**last.ports, **plan.ports}
        await Supervisor(
            plan.parts, folder=folder, console=console, ports=ports, addresses=plan.addresses, all_ready=all_ready
        ).run()

    try:
        asyncio.run(run())
    finally:
        _end_scaled(folder, console)


def _end_scaled(folder: StateFolder, console: Console) -> None:
    """End the agents that scaling has started as processes: they outlive the part that runs it, but not Podium."""
    ended = end_all(folder.path)
    if ended:
        console.say(f"Ended {ended} agent{'' if ended == 1 else 's'} that scaling had started.")


def _supervise_detached(
    options: UpOptions, folder: StateFolder, planner: Planner, waiting: TextIO, ready: Callable[[], None]
) -> int:
    # Two consoles in one: the one who waits reads the lines now, the log keeps them with their times.
    console = Console(waiting, log=sys.stdout)

    def all_ready() -> None:
        console.drop_stream()
        ready()

    try:
        _supervise(options, folder, planner, console, all_ready)
    except PodiumError as error:
        console.say(str(error))
        return 1
    return 0


def _state_folder(named: Path | None) -> StateFolder:
    return StateFolder(named or default_state_folder(os.environ))
