"""One program as a process of this host, sandboxed or not: start, watch, kill, measure."""

from __future__ import annotations

import contextlib
import math
import os
import re
import selectors
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from podium.agents.executors.bubblewrap import FILTER_DESCRIPTOR
from podium.agents.executors.disk_use import DiskWatch
from podium.agents.executors.limited_group import LimitedGroup
from podium.agents.executors.measuring import Measured, host_oom_kills
from podium.agents.executors.outside_causes import HOST_DISK, HOST_MEMORY, host_oom_killed
from podium.agents.executors.overseeing import Ending, Overseer, cpu_exceeded, file_full, forks_refused
from podium.agents.executors.program_output import CappedOutput
from podium.platform.jobs import Limits
from podium.tasks.programs import ExecutorFault, OnOutput, ProgramEnd, Stream

_KILL_SECONDS = 30.0
_SANDBOX_KILLED = "its sandbox was killed from outside"
_DRAIN_SECONDS = 10.0
_PIECE_BYTES = 64 * 1024

# Standard input is a line to the agent at first. One shell waits on it until the agent has put it under its limits; a
# second one, inside the sandbox, says by it that all was set up, and lets go of it as it becomes the program. A
# program never holds the line, so it can't pretend that the sandbox failed.
_WAIT = 'read -r _ && exec "$@"'
_WAIT_FILTERED = f'read -r _ && exec "$@" {FILTER_DESCRIPTOR}<"$0"'  # the shell's own name is the filter's path
_SAY_READY = 'printf r >&0; exec "$@" </dev/null'


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a program.

    Attributes:
        prefix: What comes before the program's command: the sandbox, or nothing.
        user: The uid to become first, or `None` to stay the agent's own.
        group: What limits and measures it; without one, the limits are each process's own.
        writable: Folders of the host that it writes to.
        call_filter: A file with the filter of system calls that the sandbox reads.
    """

    name: str
    prefix: list[str]
    command: tuple[str, ...]
    environment: dict[str, str]
    working_folder: str
    limits: Limits
    user: int | None
    group: LimitedGroup | None
    writable: tuple[Path, ...] = ()
    call_filter: Path | None = None


class ProcessRun:
    """Runs a program once."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._ended = threading.Event()
        self._status = 0
        self._cpu_seconds = 0.0
        self._oom_kills_before = host_oom_kills()
        self._disk = DiskWatch(
            launch.writable,
            most_bytes=launch.limits.disk_bytes,
            processes=launch.group.processes if launch.group else list,
        )

    def run(self, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run it to its end.

        Raises:
            ExecutorFault: The host could not start it.
        """
        began = time.monotonic()
        output = CappedOutput(on_output, log_bytes=self._launch.limits.log_bytes)
        process, line = self._start()
        started = time.monotonic()
        try:
            reader = threading.Thread(target=_read, args=(process, output), daemon=True)
            reader.start()
            threading.Thread(target=self._wait, args=(process,), daemon=True).start()
            overseer = Overseer(self._launch.limits, deadline=deadline, stop=stop, disk=self._disk)
            ending = self._watch(process, overseer, output)
            ended = time.monotonic()
            self._kill(process)  # what the program left running
            reader.join(_DRAIN_SECONDS)
            if reader.is_alive():
                output.lost("stdout", "stderr")
            was_ready = _said_ready(line)
        finally:
            if not self._ended.is_set():
                self._kill(process)
            line.close()
            self._disk.close()
        if output.failure:
            raise output.failure
        if not was_ready and not ending:
            raise _not_set_up(output.stderr_head)
        timings = {"start": started - began, "run": ended - started}
        return self._end(output, ending, wall=ended - started, timings=timings)

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        launch = self._launch
        inner = ["/bin/sh", "-c", _SAY_READY, "sh", *launch.command]
        waiting = (_WAIT_FILTERED, str(launch.call_filter)) if launch.call_filter else (_WAIT, "sh")
        line, its_end = socket.socketpair()
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", *waiting, *self._rlimits(), *launch.prefix, *inner],
                stdin=its_end.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=launch.environment,
                cwd="/" if launch.prefix else launch.working_folder,
                start_new_session=True,
                user=launch.user,
                group=launch.user,
                extra_groups=[] if launch.user is not None else None,
            )
        except OSError as error:
            line.close()
            raise ExecutorFault(f"The host could not start a process: {error}.") from error
        finally:
            its_end.close()
        try:
            if launch.group:
                launch.group.add(process.pid)
            line.sendall(b"\n")
        except OSError as error:
            process.kill()
            process.wait()
            line.close()
            raise ExecutorFault(f"The host could not put a program under its limits: {error}.") from error
        return process, line

    def _rlimits(self) -> list[str]:
        limits = self._launch.limits
        arguments = ["prlimit", f"--nofile={limits.open_files}", f"--fsize={limits.file_bytes}", "--core=0"]
        if limits.cpu_seconds is not None:
            # Each process by itself; all of them together are for the group, or for nobody where there is none.
            seconds = math.ceil(limits.cpu_seconds)
            arguments.append(f"--cpu={seconds}:{seconds + 1}")
        if self._launch.group is None:
            arguments += [f"--as={limits.memory_bytes}", f"--nproc={limits.processes}"]
        return [*arguments, "--"]

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        try:
            _, status, usage = os.wait4(process.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
            process.returncode = self._status  # or Popen would wait for it again
            self._cpu_seconds = usage.ru_utime + usage.ru_stime
        finally:
            self._ended.set()

    def _watch(self, process: subprocess.Popen[bytes], overseer: Overseer, output: CappedOutput) -> Ending | None:
        group = self._launch.group
        while not self._ended.wait(overseer.patience()):
            used = group.measured() if group else Measured()
            ending = overseer.reason(used, consumer_failed=output.failure is not None)
            if ending:
                self._kill(process)
                if not self._ended.wait(_KILL_SECONDS):
                    raise ExecutorFault(f"A process did not end within {_KILL_SECONDS:.0f} s of being killed.")
                return ending
        return None

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if self._launch.group:
            with contextlib.suppress(OSError):
                self._launch.group.kill()

    def _measured_without_group(self) -> Measured:
        # The kernel adds up the time of children that were waited for, and the sandbox does not wait for its own. The
        # peak memory that it gives is the agent's, from which the process was forked.
        return Measured(cpu_seconds=None if self._launch.prefix else self._cpu_seconds)

    def _end(
        self, output: CappedOutput, ending: Ending | None, *, wall: float, timings: dict[str, float]
    ) -> ProgramEnd:
        group, limits = self._launch.group, self._launch.limits
        used = group.measured() if group else self._measured_without_group()
        status = self._status if self._status >= 0 else 128 - self._status
        start_error = _start_error(output.stderr_head, self._launch.command[0]) if status in {126, 127} else ""
        oom_killed = bool(used.oom_kills)
        return ProgramEnd(
            exit_status=status,
            start_error=start_error,
            oom_killed=oom_killed,
            timed_out=ending is Ending.WALL,
            cpu_exceeded=ending is Ending.CPU or cpu_exceeded(status, used, limits),
            disk_exceeded=ending is Ending.DISK,
            file_full=not start_error and file_full(status, self._disk, limits),
            forks_refused=not start_error and forks_refused(status, used, limits),
            host_fault="" if start_error or ending or oom_killed else self._host_fault(status, used),
            stopped=ending is Ending.STOPPED,
            truncated=output.truncated,
            stderr_tail=output.stderr_tail,
            wall_seconds=wall,
            cpu_seconds=used.cpu_seconds,
            peak_memory_bytes=used.peak_memory_bytes,
            peak_processes=used.peak_processes,
            timings=timings,
        )

    def _host_fault(self, status: int, used: Measured) -> str:
        """What the host had to do with the failure of a program that we did not end; empty for nothing."""
        if status == 0:
            return ""
        if host_oom_killed(status, self._oom_kills_before, host_oom_kills(), used.host_oom_kills):
            return HOST_MEMORY
        # What is in the sandbox can't reach the sandbox's own process, which tells of a program's end by its status.
        if self._launch.prefix and self._status == -signal.SIGKILL:
            return _SANDBOX_KILLED
        return HOST_DISK if self._disk.full_disk() else ""


def _said_ready(line: socket.socket) -> bool:
    line.settimeout(0)
    try:
        return line.recv(1) == b"r"
    except OSError:
        return False


def _not_set_up(stderr_head: bytes) -> ExecutorFault:
    words = " ".join(stderr_head.decode(errors="replace").split()).rstrip(".") or "no reason given"
    remedy = ""
    if "source path" in words:
        remedy = "Every folder above the agent's work folder must let others through (`chmod o+x`)."
    return ExecutorFault(f"The host could not set up the program's sandbox: {words}.", remedy=remedy)


def _read(process: subprocess.Popen[bytes], output: CappedOutput) -> None:
    streams: dict[Stream, IO[bytes]] = {"stdout": _there(process.stdout), "stderr": _there(process.stderr)}
    with selectors.DefaultSelector() as selector:
        for name, stream in streams.items():
            selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                piece = os.read(key.fd, _PIECE_BYTES)
                if piece:
                    output.take(key.data, piece)
                else:
                    selector.unregister(key.fileobj)
    for stream in streams.values():
        stream.close()


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the process was started without its pipes")
    return stream


def _start_error(stderr_head: bytes, command: str) -> str:
    said = re.match(rb"sh: \d+: exec: .*: (?P<why>[^:]+)\n", stderr_head)
    if not said:
        return ""
    why = said["why"].decode(errors="replace").strip()
    if "not found" in why.lower():
        return f"The host has no command `{command}`."
    return f"The command `{command}` can't be executed on this host: {why.lower()}."
