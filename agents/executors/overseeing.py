"""When a running program is to be ended from outside, and for which reason: the same for containers and processes."""

from __future__ import annotations

import threading
import time
from enum import StrEnum

from podium.agents.executors.disk_use import DiskWatch
from podium.agents.executors.measuring import Measured
from podium.platform.jobs import Limits

TICK_SECONDS = 0.1
"""How often a running program is looked at."""
CPU_TIME_STATUS = 128 + 24  # SIGXCPU, where the kernel keeps a process to the limit by itself
FILE_SIZE_STATUS = 128 + 25  # SIGXFSZ


class Ending(StrEnum):
    """Why a program is ended from outside."""

    STOPPED = "stopped"  # nobody wants it any more
    WALL = "wall"
    CPU = "cpu"
    DISK = "disk"
    CONSUMER = "consumer"  # its output can't be taken any more


class Overseer:
    """Looks at one running program."""

    def __init__(self, limits: Limits, *, deadline: float, stop: threading.Event, disk: DiskWatch) -> None:
        self._limits = limits
        self._deadline = deadline
        self._stop = stop
        self._disk = disk

    def patience(self) -> float:
        """Seconds until the program should be looked at again."""
        return max(0.0, min(TICK_SECONDS, self._deadline - time.monotonic()))

    def reason(self, used: Measured, *, consumer_failed: bool) -> Ending | None:
        """Why it is to be ended now, if it is: the first that holds, in the order of `Ending`."""
        if self._stop.is_set():
            return Ending.STOPPED
        if time.monotonic() >= self._deadline:
            return Ending.WALL
        if over_cpu_limit(used.cpu_seconds, self._limits):
            return Ending.CPU
        if self._disk.exceeded():
            return Ending.DISK
        return Ending.CONSUMER if consumer_failed else None


def over_cpu_limit(cpu_seconds: float | None, limits: Limits) -> bool:
    """Whether a program had more CPU time than it may; false where that is not known."""
    return limits.cpu_seconds is not None and cpu_seconds is not None and cpu_seconds > limits.cpu_seconds


def cpu_exceeded(status: int, used: Measured, limits: Limits) -> bool:
    """Whether a program that ended had more CPU time than it may, as measured or by the kernel's own signal."""
    by_signal = limits.cpu_seconds is not None and status == CPU_TIME_STATUS
    return by_signal or over_cpu_limit(used.cpu_seconds, limits)


def forks_refused(status: int, used: Measured, limits: Limits) -> bool:
    """Whether a program that failed was refused a process or a thread.

    The kernel's count of refusals may be out of reach once the program is gone. One that was at its limit then most
    likely wanted more.
    """
    at_limit = used.peak_processes is not None and used.peak_processes >= limits.processes
    return status != 0 and (bool(used.forks_refused) or at_limit)


def file_full(status: int, disk: DiskWatch, limits: Limits) -> bool:
    """Whether a program that failed had written a file up to the size limit.

    The kernel ends it with a signal; but many, all of Python's among them, ignore that and see an error instead.
    """
    return status != 0 and (status == FILE_SIZE_STATUS or disk.count().largest >= limits.file_bytes)
