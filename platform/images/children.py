"""Jobs done in child processes that may crash, hang or eat all memory: only the job that did so fails.

A child does several jobs, one after the other, since most are short. When it dies, the job that it was at is blamed and
those after it go to another child.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from podium.platform.errors import PlatformFault
from podium.platform.images.isolation import bubblewrap, environment, wall
from podium.platform.images.job_kinds import (
    ADAPTERS,
    ANSWERS,
    ANSWERS_FILE,
    COMPLAINTS_FILE,
    DONE,
    JOBS_FILE,
    NAMES,
    Answer,
    ImportJob,
    Job,
)
from podium.platform.images.limits import ImportLimits
from podium.platform.images.problems import NO_ROOM, Reason, Refusal
from podium.platform.images.regular_files import open_regular

logger = logging.getLogger(__name__)
_NAMES = {kind: name for name, kind in NAMES.items()}
_MOST_ANSWER_BYTES = 1 << 28
_JOBS_OF_A_CHILD = 64
SERVER_FILE = "server.txt"
_PATIENCE = 10.0
_MOST_COMPLAINTS = 20_000
_LARGE = 8 << 20
_LITTLE_ROOM = 8 << 20


@dataclass(slots=True)
class _Task:
    number: int
    folder: Path
    jobs: list[int]


class Children:
    """Processes that do jobs. Made by `children`.

    Attributes:
        isolation: What holds them besides limits, for people.
        peak_bytes: The most memory that one of them had.
        cpu_seconds: The processor time of all of them, and of what starts them.
    """

    def __init__(self, server: subprocess.Popen[bytes], workplace: Path, limits: ImportLimits) -> None:
        self._server = server
        self._workplace = workplace
        self._limits = limits
        self._number = 0
        self.peak_bytes = 0
        self.cpu_seconds = 0.0
        self._server_seconds = 0.0
        self.isolation = "bubblewrap" if bubblewrap() else "limits alone"

    def do(self, jobs: Sequence[Job], *, at_once: int = _JOBS_OF_A_CHILD) -> Iterator[tuple[int, Answer | Refusal]]:
        """Do jobs, and give each one's number and answer as they come: a refusal where it was refused, or failed.

        Args:
            at_once: Up to how many jobs a child does.

        Raises:
            PlatformFault: Children can't be started.
        """
        waiting = deque(_portions(range(len(jobs)), jobs, min(at_once, -(-len(jobs) // self._limits.children) or 1)))
        running: dict[int, _Task] = {}
        while waiting or running:
            while waiting and len(running) < self._limits.children:
                task = self._start(waiting.popleft(), jobs)
                running[task.number] = task
            ended = self._next_end()
            task = running.pop(int(ended["number"]))
            self.peak_bytes = max(self.peak_bytes, int(ended["peak_bytes"]))
            self.cpu_seconds += ended["cpu_seconds"] + ended["server_seconds"] - self._server_seconds
            self._server_seconds = ended["server_seconds"]
            answers = _answers(task, jobs)
            _log_complaints(task.folder / COMPLAINTS_FILE)
            yield from zip(task.jobs, answers, strict=False)
            if left := task.jobs[len(answers) :]:
                yield left[0], self._blame(ended)
                if left[1:]:
                    waiting.appendleft(left[1:])

    def _start(self, numbers: list[int], jobs: Sequence[Job]) -> _Task:
        self._number += 1
        folder = self._workplace / f"task-{self._number:06}"
        folder.mkdir()
        with (folder / JOBS_FILE).open("xb") as file:
            for number in numbers:
                job = jobs[number]
                file.write(_NAMES[type(job)].encode() + b" " + ADAPTERS[type(job)].dump_json(job) + b"\n")
        limits = self._limits
        caps = {
            "memory": limits.memory_bytes,
            "cpu": limits.cpu_seconds,
            "wall": limits.wall_seconds,
            "file": limits.file_bytes,
        }
        line = json.dumps({"number": self._number, "folder": str(folder), "limits": caps})
        try:
            _pipe(self._server.stdin).write(line.encode() + b"\n")
            _pipe(self._server.stdin).flush()
        except BrokenPipeError as error:
            raise self._over() from error
        return _Task(self._number, folder, numbers)

    def _next_end(self) -> dict[str, float]:
        line = _pipe(self._server.stdout).readline()
        if not line:
            raise self._over()
        ended: dict[str, float] = json.loads(line)
        return ended

    def _blame(self, ended: dict[str, float]) -> Refusal:
        # On a full disk a child can't even say so.
        if shutil.disk_usage(self._workplace).free < _LITTLE_ROOM:
            return NO_ROOM
        return _blame(ended)

    def _over(self) -> PlatformFault:
        _log_complaints(self._workplace / SERVER_FILE)
        return PlatformFault("The process that reads images has ended.", remedy="Its complaints are in the log.")


@contextmanager
def children(
    workplace: Path, read_only: list[Path], limits: ImportLimits, *, load: Sequence[str] = ()
) -> Iterator[Children]:
    """Be ready to do jobs.

    Args:
        workplace: A folder that children may write to.
        read_only: Folders that they may read.
        load: Modules to load once, before there are children.

    Raises:
        PlatformFault: Children can't be started.
    """
    command = [sys.executable, "-m", "podium.platform.images.child_server", *load]
    with (workplace / SERVER_FILE).open("xb") as complaints:
        server = subprocess.Popen(
            [*wall(read_only, workplace), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=workplace,
            env=environment(),
            start_new_session=True,
        )
    try:
        yield Children(server, workplace, limits)
    finally:
        # It kills its children and ends when its input does.
        _pipe(server.stdin).close()
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        _pipe(server.stdout).close()


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def _portions(numbers: Sequence[int], jobs: Sequence[Job], most: int) -> Iterator[list[int]]:
    """Divide jobs into what a child does; a large image has a child of its own."""
    portion: list[int] = []
    weight = 0.0
    for number in numbers:
        if portion and (len(portion) >= most or weight >= 1):
            yield portion
            portion, weight = [], 0.0
        portion.append(number)
        weight += _weight(jobs[number])
    if portion:
        yield portion


def _weight(job: Job) -> float:
    if not isinstance(job, ImportJob):
        return 0.0
    return sum(Path(file.path).stat().st_size for file in job.files) / _LARGE


def _answers(task: _Task, jobs: Sequence[Job]) -> list[Answer | Refusal]:
    """Read what a child answered, up to where it broke off; it is a child's word, and checked."""
    found: list[Answer | Refusal] = []
    try:
        file = open_regular(task.folder / ANSWERS_FILE)
    except OSError:
        return found
    with file:
        for number, line in zip(task.jobs, iter(lambda: file.readline(_MOST_ANSWER_BYTES), b""), strict=False):
            how, _, content = line.partition(b" ")
            try:
                found.append(ADAPTERS[ANSWERS[type(jobs[number])] if how == DONE else Refusal].validate_json(content))
            except ValidationError:
                break
    return found


def _log_complaints(path: Path) -> None:
    """Keep what a process wrote for those who run the platform: people are told no more than that it failed."""
    try:
        with open_regular(path) as file:
            text = file.read(_MOST_COMPLAINTS).decode(errors="replace")
    except OSError:
        return
    if text:
        logger.warning("A process that read images complained:\n%s", text)


def _blame(ended: dict[str, float]) -> Refusal:
    status = int(ended["status"])
    if ended["timed_out"] or status == -signal.SIGXCPU:
        return Refusal(Reason.OUT_OF_TIME, "Reading it took longer than allowed.")
    if status == -signal.SIGKILL:
        return Refusal(Reason.OUT_OF_MEMORY, "Reading it took more memory than there is.")
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return Refusal(Reason.CRASHED, f"The program that read it broke down ({how}): it may be damaged.")
