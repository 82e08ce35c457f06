"""CPU time of processes, so that a benchmark can say where a host's cores went."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
ENGINE = ("dockerd", "containerd")


def host_seconds() -> float:
    """CPU time that everything on this host has had."""
    user, nice, system, _idle, _waiting, irq, softirq, *_ = (
        int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / _TICKS


def seconds_by_part(processes: Mapping[str, int]) -> dict[str, float]:
    """CPU time of each of these processes with all below them, those that have ended too; and of the engine itself."""
    times: dict[int, float] = {}
    below: defaultdict[int, list[int]] = defaultdict(list)
    engine = 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "stat").read_text()
        except OSError:  # it has ended
            continue
        name, fields = words[words.index("(") + 1 : words.rindex(")")], words[words.rindex(")") + 2 :].split()
        own = sum(int(fields[place]) for place in (11, 12, 13, 14)) / _TICKS
        times[int(folder.name)] = own
        below[int(fields[1])].append(int(folder.name))
        if name in ENGINE:
            engine += sum(int(fields[place]) for place in (11, 12)) / _TICKS
    parts = {name: _with_all_below(pid, times, below) for name, pid in processes.items()}
    if "supervisor" in parts:  # the parts are its children
        parts["supervisor"] = times.get(processes["supervisor"], 0.0)
    return {**parts, "dockerd and containerd": engine, "this benchmark": sum(os.times()[:4])}


def _with_all_below(pid: int, times: Mapping[int, float], below: Mapping[int, list[int]]) -> float:
    return times.get(pid, 0.0) + sum(_with_all_below(child, times, below) for child in below.get(pid, ()))
