"""The process that forks a child for each task: started once, it has everything loaded that children need.

    python -m podium.platform.images.child_server MODULE...

Each line of its input is a task: `{"number": 1, "folder": "...", "limits": {...}}`. The folder has the
files that `job_kinds` names: one job a line, and an answer a line, which the child adds as soon as it has it, so that
whoever reads them sees which job a dead child was at. Each line of its output tells how a child ended. It has no
threads before it forks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import selectors
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn


@dataclass(slots=True)
class _Child:
    number: int
    ends: float
    timed_out: bool = False


def serve() -> None:
    """Fork children for tasks until the input ends and all of them have ended."""
    wakes, waking = os.pipe()
    for end in (wakes, waking):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wakes, selectors.EVENT_READ)
        _loop(selector, wakes)


def _loop(selector: selectors.DefaultSelector, wakes: int) -> None:
    children: dict[int, _Child] = {}
    held = b""
    is_open = True
    while is_open or children:
        for key, _ in selector.select(_patience(children)):
            if key.fd == wakes:
                os.read(wakes, 4096)
                continue
            piece = os.read(0, 1 << 16)
            if not piece:
                # Whoever wanted answers is gone.
                selector.unregister(0)
                is_open = False
                for pid in children:
                    os.killpg(pid, signal.SIGKILL)
            held += piece
            *lines, held = held.split(b"\n")
            for line in lines:
                task = json.loads(line)
                children[_start(task)] = _Child(task["number"], time.monotonic() + task["limits"]["wall"])
        _stop_the_late(children)
        _reap(children)


def _patience(children: dict[int, _Child]) -> float | None:
    ends = [child.ends for child in children.values() if not child.timed_out]
    return max(0.0, min(ends) - time.monotonic()) if ends else None


def _stop_the_late(children: dict[int, _Child]) -> None:
    for pid, child in children.items():
        if not child.timed_out and time.monotonic() >= child.ends:
            child.timed_out = True
            os.killpg(pid, signal.SIGKILL)


def _reap(children: dict[int, _Child]) -> None:
    while children:
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        child = children.pop(pid, None)
        if child is None:
            continue
        ended = {
            "number": child.number,
            "status": os.waitstatus_to_exitcode(status),
            "timed_out": child.timed_out,
            "peak_bytes": used.ru_maxrss * 1024,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "server_seconds": time.process_time(),
        }
        os.write(1, json.dumps(ended).encode() + b"\n")


def _start(task: dict[str, Any]) -> int:
    pid = os.fork()
    if not pid:
        _be_child(task)
    with contextlib.suppress(OSError):  # it did so itself, or has ended
        os.setpgid(pid, pid)
    return pid


def _be_child(task: dict[str, Any]) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        folder = Path(task["folder"])
        for descriptor, path in ((0, Path(os.devnull)), (1, Path(os.devnull)), (2, folder / "complaints.txt")):
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        _limit(task["limits"])
        from podium.platform.images.child_work import work  # noqa: PLC0415 -- loaded already, before any fork

        work(folder)
        status = 0
    finally:
        os._exit(status)


def _limit(limits: dict[str, int]) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails then, and says why
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu"], limits["cpu"] + 5))


def main() -> int:
    """Load what children need, and serve."""
    for name in ("podium.platform.images.child_work", *sys.argv[1:]):
        importlib.import_module(name)
    serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
