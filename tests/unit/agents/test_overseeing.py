"""When and why a running program is ended."""

from __future__ import annotations

import threading
import time

from podium.agents.executors.disk_use import DiskWatch
from podium.agents.executors.measuring import Measured
from podium.agents.executors.outside_causes import host_oom_killed
from podium.agents.executors.overseeing import Ending, Overseer, cpu_exceeded, file_full, forks_refused
from podium.platform.jobs import Limits

LIMITS = Limits(cpu_seconds=10, processes=64)
NO_DISK = DiskWatch([], most_bytes=0)


class FullDisk(DiskWatch):
    def exceeded(self) -> bool:
        return True


def overseer(*, seconds: float = 60, disk: DiskWatch = NO_DISK, stop: bool = False) -> Overseer:
    stopped = threading.Event()
    if stop:
        stopped.set()
    return Overseer(LIMITS, deadline=time.monotonic() + seconds, stop=stopped, disk=disk)


def test_reasons_in_their_order() -> None:
    busy, full = Measured(cpu_seconds=10.1), FullDisk([], most_bytes=0)
    assert overseer().reason(Measured(cpu_seconds=10), consumer_failed=False) is None
    assert overseer().reason(Measured(), consumer_failed=False) is None
    assert overseer().reason(Measured(), consumer_failed=True) is Ending.CONSUMER
    assert overseer(disk=full).reason(Measured(), consumer_failed=True) is Ending.DISK
    assert overseer(disk=full).reason(busy, consumer_failed=True) is Ending.CPU
    assert overseer(disk=full, seconds=-1).reason(busy, consumer_failed=True) is Ending.WALL
    assert overseer(disk=full, seconds=-1, stop=True).reason(busy, consumer_failed=True) is Ending.STOPPED


def test_the_next_look_is_not_after_the_deadline() -> None:
    assert overseer(seconds=-5).patience() == 0
    assert 0 < overseer(seconds=60).patience() <= 0.1


def test_cpu_time_counts_whoever_ended_the_program() -> None:
    assert cpu_exceeded(0, Measured(cpu_seconds=10.5), LIMITS)
    assert cpu_exceeded(152, Measured(), LIMITS)
    assert not cpu_exceeded(152, Measured(cpu_seconds=99), Limits())
    assert not cpu_exceeded(0, Measured(cpu_seconds=9.5), LIMITS)


def test_processes_count_only_for_a_program_that_failed() -> None:
    assert forks_refused(1, Measured(peak_processes=64), LIMITS)
    assert forks_refused(1, Measured(peak_processes=10, forks_refused=3), LIMITS)
    assert not forks_refused(1, Measured(peak_processes=63, forks_refused=0), LIMITS)
    assert not forks_refused(0, Measured(peak_processes=64, forks_refused=3), LIMITS)
    assert not forks_refused(1, Measured(), LIMITS)


def test_file_size_by_the_kernels_signal_needs_no_look() -> None:
    assert file_full(153, NO_DISK, LIMITS)
    assert not file_full(0, NO_DISK, LIMITS)
    assert not file_full(1, NO_DISK, LIMITS)


def test_out_of_memory_of_the_host() -> None:
    assert host_oom_killed(137, 5, 6, None)
    assert not host_oom_killed(137, 5, 5, None)
    assert not host_oom_killed(1, 5, 6, None)
    assert host_oom_killed(137, 5, 5, 1)
    assert not host_oom_killed(137, 5, 6, 0), "the kernel says whose they were, and they were not this program's"
