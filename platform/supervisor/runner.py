"""One part under the supervisor: started, watched, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

from podium.platform.errors import PodiumError
from podium.platform.supervisor.backoff import Backoff
from podium.platform.supervisor.console import Console, duration
from podium.platform.supervisor.health import health_as_data
from podium.platform.supervisor.launch import dying_with_parent
from podium.platform.supervisor.live_state import LivePart
from podium.platform.supervisor.part_logs import last_lines, open_log
from podium.platform.supervisor.parts import Part, PartFailed, PartState
from podium.platform.supervisor.processes import ProcessIdentity, kill_group
from podium.platform.supervisor.state_folder import StateFolder

FIRST_FAILURES = 5
_QUICK_LOOK = 0.1
_SLOW_LOOK = 5.0
_BAD_LOOKS = 3
_LAST_MOMENT = 5.0


class PartRunner:
    """Keeps one part running.

    Args:
        part: What to run.
        folder: The state folder, for the part's log.
        console: Where to say what happens.
        changed: Called whenever `live` has changed.
    """

    def __init__(self, part: Part, *, folder: StateFolder, console: Console, changed: Callable[[], None]) -> None:
        self.part = part
        self.live = LivePart(
            part.name,
            address=part.address,
            grace=part.grace,
            stop_signal=int(part.stop_signal),
            health=health_as_data(part.health),
        )
        self.ready = asyncio.Event()
        self._log = folder.log(part.name)
        self._log_start = 0
        self._console = console
        self._changed = changed
        self._backoff = Backoff()
        self._healthy_since: float | None = None
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    async def keep_running(self) -> None:
        """Run the part until it is told to stop; a step that is done ends this too.

        Raises:
            PodiumError: At its first start it died five times, never became healthy, or could not be prepared.
        """
        try:
            while not self._finished():
                try:
                    ending = await self._run_once()
                except PodiumError as error:
                    if not self.ready.is_set():
                        raise
                    ending = error.detail
                if not self._finished():
                    await self._after_death(ending)
        except PodiumError as error:
            self._set(PartState.FAILED, error.detail)
            raise
        if self.live.state != PartState.DONE:
            self._set(PartState.STOPPED)

    def _finished(self) -> bool:
        return self._stopping.is_set() or self.live.state == PartState.DONE

    def stop(self) -> None:
        """Ask the part to stop, with its grace."""
        self._stopping.set()

    def stop_at_once(self) -> None:
        """End the part now."""
        self._hurry.set()
        self._stopping.set()

    async def _run_once(self) -> str:
        """Start the part, look after it until it ends or is to stop, and return how it ended."""
        begun = time.monotonic()
        self._set(PartState.STARTING)
        try:
            await asyncio.to_thread(self.part.before_start)
            await asyncio.to_thread(self.part.health.forget)
            process = await self._spawn()
        except OSError as error:
            raise PartFailed(f"{self.part.name} cannot be started: {error}.") from error
        ended = asyncio.ensure_future(process.wait())
        stopping = asyncio.ensure_future(self._stopping.wait())
        watching = asyncio.ensure_future(self._watch(begun))
        try:
            await asyncio.wait({ended, stopping, watching}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() or stopping.done():
                watching.cancel()
            reason = await _result_or_none(watching)
        finally:
            await self._end_process(process)
            self.live.process = None
            for waiting in (ended, stopping, watching):
                waiting.cancel()
        status = process.returncode or 0
        if self.part.once and status == 0 and not self._stopping.is_set():
            self._became_ready(begun, PartState.DONE)
        return reason or describe_exit(status)

    async def _spawn(self) -> asyncio.subprocess.Process:
        part = self.part
        part.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = dying_with_parent(part.command, death_signal=part.stop_signal, account=part.account)
        with open_log(self._log) as log:
            self._log_start = log.tell()
            process = await asyncio.create_subprocess_exec(
                *command,
                env=dict(part.environment),
                cwd=part.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._healthy_since = None
        self.live.process = ProcessIdentity.of(process.pid)
        self.live.since = time.time()
        self._changed()
        return process

    async def _watch(self, begun: float) -> str:
        """Wait until the part is healthy, then look after it for as long as it runs.

        Returns:
            Why it must be ended: it did not become healthy in its time.
        """
        deadline = begun + self.part.patience
        while self.part.once or not (health := await asyncio.to_thread(self.part.health.check)).up:
            if time.monotonic() > deadline:
                late = f"was not ready after {self.part.patience:.0f} s"
                if self.ready.is_set():
                    return late
                raise self._failure(late if self.part.once else f"{late}: {health.trouble}")
            await asyncio.sleep(_QUICK_LOOK)
        await asyncio.to_thread(self.part.once_healthy)
        self._healthy_since = time.monotonic()
        self._became_ready(begun, PartState.HEALTHY, health.trouble)
        bad_looks = 0
        while True:
            await asyncio.sleep(_SLOW_LOOK)
            health = await asyncio.to_thread(self.part.health.check)
            bad_looks = 0 if health.up else bad_looks + 1
            if health.well:
                self._note(PartState.HEALTHY)
            elif health.up or bad_looks >= _BAD_LOOKS:
                self._note(PartState.TROUBLE, health.trouble)

    def _became_ready(self, begun: float, state: PartState, trouble: str = "") -> None:
        took = duration(time.monotonic() - begun)
        again = " again" if self.ready.is_set() else ""
        said = f"runs{again}, with trouble: {trouble}" if trouble else f"{state.value}{again} in {took}"
        self._console.part(self.part.name, f"{said:<18} {self.part.address}".rstrip())
        self._set(PartState.TROUBLE if trouble else state, trouble)
        self.ready.set()

    def _note(self, state: PartState, detail: str = "") -> None:
        """Take down how the part is; a change is said aloud."""
        if (state, detail) != (self.live.state, self.live.detail):
            self._set(state, detail)
            self._console.part(self.part.name, f"trouble: {detail}" if detail else "is well again")

    async def _after_death(self, ending: str) -> None:
        """Say that the part died, and wait before it is started again."""
        if self.part.once:
            raise self._failure(ending, lines=60)
        healthy_for = time.monotonic() - self._healthy_since if self._healthy_since is not None else 0.0
        delay = self._backoff.next_delay(healthy_for)
        if not self.ready.is_set() and self._backoff.failures >= FIRST_FAILURES:
            raise self._failure(f"{ending}, {FIRST_FAILURES} times in a row")
        self._console.part(self.part.name, f"{ending}; it is started again in {duration(delay)}. Its last words:")
        self._console.tail(last_lines(self._log, since=self._log_start, count=8))
        self.live.restarts += 1
        self.live.restart_at = time.time() + delay
        self._set(PartState.RESTARTING, ending)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay)

    async def _end_process(self, process: asyncio.subprocess.Process) -> None:
        """Stop the process: first kindly, then, when its grace is over or there is no time, not."""
        if process.returncode is None and not self._hurry.is_set():
            hurry = asyncio.ensure_future(self._hurry.wait())
            ended = asyncio.ensure_future(process.wait())
            _send(process, self.part.stop_signal)
            await asyncio.wait({ended, hurry}, timeout=self.part.grace, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
            ended.cancel()
        for number in (self.part.kill_signal, signal.SIGKILL):
            if process.returncode is None:
                _send(process, number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _LAST_MOMENT)
        # Whatever it has left behind in its process group would hold its port and its files.
        kill_group(process.pid, signal.SIGKILL)

    def _failure(self, how: str, lines: int = 20) -> PartFailed:
        words = "\n".join(f"    | {line}" for line in last_lines(self._log, since=self._log_start, count=lines))
        where = f"Its log is {self._log}"
        return PartFailed(
            f"{self.part.name} {how}.", remedy=f"{where} and ends with:\n{words}" if words else f"{where}."
        )

    def _set(self, state: PartState, detail: str = "") -> None:
        self.live.state = state
        self.live.detail = detail
        self._changed()


def describe_exit(status: int) -> str:
    """Return in words how a process ended.

    Args:
        status: Its exit status, negative for the signal that ended it.
    """
    if status >= 0:
        return f"ended with exit status {status}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


async def _result_or_none(watching: asyncio.Future[str]) -> str | None:
    try:
        return await watching
    except asyncio.CancelledError:
        return None
