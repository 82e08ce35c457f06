"""One program in one container: create, attach, start, wait, inspect, remove."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound

from podium.agents.executors.disk_use import DiskWatch
from podium.agents.executors.engine_errors import (
    ENGINE_ERRORS,
    StartError,
    engine_call,
    meaning,
    start_error_of_engine,
    start_error_of_gate,
    start_error_of_init,
)
from podium.agents.executors.foreign_programs import foreign_program
from podium.agents.executors.measuring import Measured, Meter, host_oom_kills
from podium.agents.executors.outside_causes import (
    ENGINE_KILL,
    HOST_DISK,
    HOST_MEMORY,
    KILLED_STATUS,
    host_oom_killed,
    killed_through_engine,
)
from podium.agents.executors.overseeing import TICK_SECONDS, Ending, Overseer, cpu_exceeded, file_full, forks_refused
from podium.agents.executors.prepared import NotBegun, Ready
from podium.agents.executors.program_output import AttachedOutput, CappedOutput
from podium.platform.errors import PodiumError
from podium.tasks.programs import ExecutorFault, OnOutput, Program, ProgramEnd

_FLAG_LOOKS = 6
_KILL_SECONDS = 30.0
_DRAIN_SECONDS = 30.0
_WAIT_SLACK_SECONDS = 120


@dataclass(slots=True)
class _End:
    """What the thread that waits for the container has to say."""

    came: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class ContainerRun:
    """Runs a program once. `starts` caps how many containers start at the same time on this host.

    With `ready`, the program's container has been started before, and waits for it.
    """

    def __init__(
        self,
        client: APIClient,
        program: Program,
        *,
        config: dict[str, Any],
        meter: Meter,
        starts: threading.Semaphore,
        remove: Callable[[str, Meter], None],
        ready: Ready | None = None,
    ) -> None:
        self._client = client
        self._program = program
        self._config = config
        self._meter = meter
        self._starts = starts
        self._remove = remove
        self._ready = ready
        self._opened: datetime | None = None
        self._oom_kills_before = host_oom_kills()
        self._timings: dict[str, float] = {}

    def run(self, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run it to its end.

        Raises:
            ExecutorFault: The engine failed.
            ImageUnavailable: The image has gone since it was found.
            NotBegun: The container that was ready turned out not to be.
        """
        output = CappedOutput(on_output, log_bytes=self._program.limits.log_bytes)
        try:
            if not self._may_start(deadline, stop):
                return ProgramEnd(exit_status=None, stopped=stop.is_set(), timed_out=not stop.is_set())
            return self._run(deadline, stop, output)
        finally:
            with self._timed("remove"):
                self._remove(self._ready.name if self._ready else self._program.name, self._meter)

    def _may_start(self, deadline: float, stop: threading.Event) -> bool:
        if self._ready:
            return not stop.is_set() and time.monotonic() <= deadline
        while not self._starts.acquire(timeout=TICK_SECONDS):
            if stop.is_set() or time.monotonic() > deadline:
                return False
        if stop.is_set() or time.monotonic() > deadline:
            self._starts.release()
            return False
        return True

    def _run(self, deadline: float, stop: threading.Event, output: CappedOutput) -> ProgramEnd:
        attached: AttachedOutput | None = None
        disk: DiskWatch | None = None
        try:
            if self._ready:
                container, attached = self._ready.container, self._open(self._ready, output)
            else:
                try:
                    container, attached = self._created(output)
                    refused = self._start(container)
                finally:
                    self._starts.release()
                if refused:
                    return ProgramEnd(refused.exit_status, start_error=refused.why, timings=self._timings)
            with self._timed("run"):
                disk = self._disk_watch()
                overseer = Overseer(self._program.limits, deadline=deadline, stop=stop, disk=disk)
                ending = self._watch(container, overseer, deadline, output)
                attached.finish(_DRAIN_SECONDS)
            if output.failure:
                raise output.failure
            return self._end(container, output, disk, ending)
        finally:
            if attached:
                attached.close()
            if disk:
                disk.close()

    def _created(self, output: CappedOutput) -> tuple[str, AttachedOutput]:
        with self._timed("create"), engine_call("while it created a container"):
            container = str(self._client.create_container(**self._config)["Id"])
            # Before the start, or the first lines would be lost.
            attached = self._client.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1})
            return container, AttachedOutput(attached, output, name=self._program.name)

    def _open(self, ready: Ready, output: CappedOutput) -> AttachedOutput:
        with self._timed("create"):
            ready.put_folders_in_place(self._program)
        with self._timed("start"):
            attached = AttachedOutput(ready.attached, output, name=self._program.name)
            self._opened = datetime.now(UTC)
            try:
                ready.open()
            except NotBegun:
                attached.close()
                raise
            return attached

    def _start(self, container: str) -> StartError | None:
        with self._timed("start"):
            try:
                self._client.start(container)
            except APIError as error:
                refused = start_error_of_engine(error, **self._words())
                if refused is None:
                    raise meaning(error, "while it started a container") from error
                return refused
            except ENGINE_ERRORS as error:
                raise meaning(error, "while it started a container") from error
        return None

    def _watch(self, container: str, overseer: Overseer, deadline: float, output: CappedOutput) -> Ending | None:
        """Wait for the end, and bring it about where needed; say why, unless it had ended by itself just before."""
        end = self._wait_in_thread(container, deadline)
        self._meter.look(container)
        while not end.came.wait(overseer.patience()):
            used = self._meter.look(container)
            ending = overseer.reason(used, consumer_failed=output.failure is not None)
            if ending:
                ours = self._kill(container)
                self._await_killed(end)
                return ending if ours else None
        if end.error:
            raise meaning(end.error, "while a container ran")
        return None

    def _wait_in_thread(self, container: str, deadline: float) -> _End:
        end = _End()
        patience = max(0.0, deadline - time.monotonic()) + _WAIT_SLACK_SECONDS

        def wait() -> None:
            try:
                self._client.wait(container, timeout=int(patience))
            except ENGINE_ERRORS as error:
                end.error = error
            finally:
                end.came.set()

        threading.Thread(target=wait, name=f"wait-{self._program.name}", daemon=True).start()
        return end

    def _kill(self, container: str) -> bool:
        """Kill it; false where it had ended by itself just before."""
        try:
            self._client.kill(container)
        except NotFound as error:
            raise meaning(error, "when it was told to kill a container") from error
        except APIError as error:
            if error.status_code == 409:
                return False
            raise meaning(error, "when it was told to kill a container") from error
        except ENGINE_ERRORS as error:
            raise meaning(error, "when it was told to kill a container") from error
        return True

    def _await_killed(self, end: _End) -> None:
        if not end.came.wait(_KILL_SECONDS):
            raise ExecutorFault(
                f"The Docker engine did not end a container within {_KILL_SECONDS:.0f} s of killing it.",
                remedy="See the engine's log; restarting it helps when it hangs.",
            )
        if end.error:
            raise meaning(end.error, "while it killed a container")

    def _disk_watch(self) -> DiskWatch:
        folders = [mount.source for mount in self._program.mounts if not mount.read_only]
        return DiskWatch(folders, most_bytes=self._program.limits.disk_bytes, processes=self._meter.processes)

    def _end(self, container: str, output: CappedOutput, disk: DiskWatch, ending: Ending | None) -> ProgramEnd:
        state = self._state(container)
        if self._opened and _ended_before(state, self._opened):
            raise NotBegun
        status = int(state["ExitCode"])
        used, limits = self._meter.measured(), self._program.limits
        refused = start_error_of_init(output.stderr_head, **self._words()) if status in {1, 126, 127} else None
        if self._ready and status in {126, 127}:
            refused = start_error_of_gate(output.stderr_head, **self._words())
        refused = refused or foreign_program(self._program, status, output.stderr_head)
        oom_killed = self._oom_killed(container, state, used, ending)
        return ProgramEnd(
            exit_status=refused.exit_status if refused else status,
            start_error=refused.why if refused else "",
            oom_killed=oom_killed,
            timed_out=ending is Ending.WALL,
            cpu_exceeded=ending is Ending.CPU or cpu_exceeded(status, used, limits),
            disk_exceeded=ending is Ending.DISK,
            file_full=not refused and file_full(status, disk, limits),
            forks_refused=not refused and forks_refused(status, used, limits),
            host_fault="" if refused or ending or oom_killed else self._host_fault(container, state, used, disk),
            stopped=ending is Ending.STOPPED,
            truncated=output.truncated,
            stderr_tail=output.stderr_tail,
            wall_seconds=wall_seconds(state, opened=self._opened),
            cpu_seconds=used.cpu_seconds,
            peak_memory_bytes=used.peak_memory_bytes,
            peak_processes=used.peak_processes,
            timings=self._timings,
        )

    def _state(self, container: str) -> dict[str, Any]:
        with engine_call("while the agent asked how a container ended"):
            return dict(self._client.inspect_container(container)["State"])

    def _oom_killed(self, container: str, state: dict[str, Any], used: Measured, ending: Ending | None) -> bool:
        if used.host_oom_kills and not used.oom_kills:
            return False  # whatever the engine calls it
        if state.get("OOMKilled") or used.oom_kills:
            return True
        status = int(state["ExitCode"])
        full = used.peak_memory_bytes is not None and used.peak_memory_bytes >= self._program.limits.memory_bytes
        if not full or status == 0 or ending:
            return False
        # The engine's flag comes by another way than the end does, and may be late.
        for _ in range(_FLAG_LOOKS):
            time.sleep(TICK_SECONDS / 2)
            if self._state(container).get("OOMKilled"):
                return True
        return status == KILLED_STATUS

    def _host_fault(self, container: str, state: dict[str, Any], used: Measured, disk: DiskWatch) -> str:
        """What the host had to do with the failure of a program that we did not end; empty for nothing."""
        status = int(state["ExitCode"])
        if status == 0:
            return ""
        if host_oom_killed(status, self._oom_kills_before, host_oom_kills(), used.host_oom_kills):
            return HOST_MEMORY
        if killed_through_engine(self._client, container, state):
            return ENGINE_KILL
        return HOST_DISK if disk.full_disk() else ""

    def _words(self) -> dict[str, str]:
        command = self._program.command or self._program.image.command or ("its entry point",)
        return {"image": self._program.image.name, "command": command[0]}

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._timings[step] = time.monotonic() - began


def wall_seconds(state: dict[str, Any], *, opened: datetime | None = None) -> float:
    """How long a program ran by the engine's own stamps, or since its gate was opened; 0 where they make no sense."""
    try:
        started, finished = (datetime.fromisoformat(state[stamp]) for stamp in ("StartedAt", "FinishedAt"))
    except (KeyError, ValueError):
        return 0.0
    return max(0.0, (finished - (opened or started)).total_seconds())


def _ended_before(state: dict[str, Any], moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(state["FinishedAt"]) < moment
    except (KeyError, ValueError):
        return False


def remove_container(client: APIClient, name: str) -> PodiumError | None:
    """Remove a container, running or not, with its anonymous volumes; answer the error if it is still there."""
    try:
        client.remove_container(name, v=True, force=True)
    except NotFound:
        return None
    except APIError as error:
        if error.status_code == 409:  # it is being removed already
            return None
        return meaning(error, "while it removed a container")
    except ENGINE_ERRORS as error:
        return meaning(error, "while it removed a container")
    return None
