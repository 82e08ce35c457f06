"""All parts together: started in the order of their dependencies, and stopped in reverse."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from podium.platform.supervisor.console import Console, duration
from podium.platform.supervisor.live_state import LiveState
from podium.platform.supervisor.parts import Part, PartState
from podium.platform.supervisor.processes import ProcessIdentity
from podium.platform.supervisor.runner import PartRunner
from podium.platform.supervisor.state_folder import StateFolder

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs parts until it is told to stop.

    Args:
        parts: What to run; a part may depend on one that isn't there.
        folder: The state folder; this process holds its lock.
        console: Where to say what happens.
        ports: The ports that parts were given, to be remembered.
        addresses: What stands in the summary.
        all_ready: Called once, when everything is up and the summary is written.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        folder: StateFolder,
        console: Console,
        ports: Mapping[str, int],
        addresses: Mapping[str, str],
        all_ready: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._console = console
        self._all_ready = all_ready
        self._runners = {
            part.name: PartRunner(part, folder=folder, console=console, changed=self._write) for part in parts
        }
        self._live = LiveState(
            supervisor=ProcessIdentity.of(os.getpid()),
            since=time.time(),
            ports=dict(ports),
            addresses=dict(addresses),
            parts=[runner.live for runner in self._runners.values()],
        )
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop_asked = asyncio.Event()

    async def run(self) -> None:
        """Start everything, keep it running, and stop it when a signal says so.

        Raises:
            PodiumError: A part could not be started. Nothing is left running.
        """
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                # Started with nohup: it is to go on when its terminal closes.
                continue
            loop.add_signal_handler(number, self._asked_to_stop)
        self._write()
        self._tasks = {name: asyncio.create_task(self._run_part(name)) for name in self._runners}
        announcing = asyncio.create_task(self._announce())
        stop_asked = asyncio.create_task(self._stop_asked.wait())
        waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {*self._tasks.values(), announcing, stop_asked}
        try:
            while not stop_asked.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            announcing.cancel()
            stop_asked.cancel()
            await self._stop_everything()
            self._live.supervisor = None
            self._write()

    async def _run_part(self, name: str) -> None:
        runner = self._runners[name]
        for other in runner.part.depends_on:
            if other in self._runners:
                await self._runners[other].ready.wait()
        await runner.keep_running()

    async def _announce(self) -> None:
        begun = time.monotonic()
        for runner in self._runners.values():
            await runner.ready.wait()
        troubled = [part.name for part in self._live.parts if part.state == PartState.TROUBLE]
        advice = f", but look after {', '.join(troubled)}" if troubled else ""
        self._console.say(f"Podium is up, after {duration(time.monotonic() - begun)}{advice}.")
        self._console.summary(self._live.addresses)
        self._all_ready()

    def _asked_to_stop(self) -> None:
        if not self._stop_asked.is_set():
            self._console.say("Stopping. Once more ends everything at once.")
            self._stop_asked.set()
            return
        self._console.say("Ending everything at once.")
        for runner in self._runners.values():
            runner.stop_at_once()

    async def _stop_everything(self) -> None:
        """Stop each part once all that depend on it have stopped."""
        begun = time.monotonic()
        self._stop_asked.set()
        await asyncio.gather(*(self._stop_part(runner) for runner in self._runners.values()))
        self._console.say(f"Everything has stopped, after {duration(time.monotonic() - begun)}.")

    async def _stop_part(self, runner: PartRunner) -> None:
        name = runner.part.name
        dependents = [other.part.name for other in self._runners.values() if name in other.part.depends_on]
        await asyncio.gather(*(self._tasks[other] for other in dependents), return_exceptions=True)
        if runner.live.state == PartState.WAITING:
            # What it waits for will not come any more.
            self._tasks[name].cancel()
        runner.stop()
        await asyncio.gather(self._tasks[name], return_exceptions=True)

    def _write(self) -> None:
        try:
            self._live.write(self._folder.live_file)
        except OSError as error:
            # A full disk is no reason to take everything down; `podium status` is out of date meanwhile.
            self._console.say(f"{self._folder.live_file} cannot be written: {error.strerror}")
