"""What a step asks an executor to run, and what the executor answers. The executors live in `podium.agents`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from podium.platform.bundles.content import Relaxations
from podium.platform.errors import PodiumError
from podium.platform.jobs import Limits

Stream = Literal["stdout", "stderr"]
OnOutput = Callable[[Stream, bytes], None]
"""Called with each piece of a program's output, in order, from one thread per program."""


class ImageUnavailable(PodiumError):
    """The host has no such image and can't get it; the message says what was tried."""

    status = 422
    type = "image-unavailable"
    title = "The image is not available"


class ExecutorFault(PodiumError):
    """The executor itself failed: the engine is down, the disk is full. Never the program's doing."""

    status = 503
    type = "executor-fault"
    title = "The host could not run the program"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host, shown to the program.

    Attributes:
        own: It is made for this step and shown to no other; an executor may put another folder with the same content
            in its place.
    """

    source: Path
    target: str
    read_only: bool
    own: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the host: the name that was asked for, the one that was taken, and its digest."""

    asked: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run.

    Attributes:
        name: Unique on the host; the container's name.
        command: Arguments, never a shell line.
        labels: What a sweep finds a forgotten container by (attempt, evaluation, step).
        trusted: The organizer's own program (scoring, ingestion), as opposed to a participant's.
        relaxations: Rules of the sandbox that the competition does without.
        runtime: The engine's runtime to use; empty for the host's default.
        preparable: An executor may make the container of its next run before that run is asked for: it is alone in
            its step, and its image is the organizer's, who has nothing to gain from being started early.
    """

    name: str
    image: Image
    command: tuple[str, ...]
    mounts: tuple[Mount, ...]
    limits: Limits
    working_folder: str = "/app/program"
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    trusted: bool = True
    relaxations: Relaxations = field(default_factory=Relaxations)
    runtime: str = ""
    preparable: bool = False


@dataclass(frozen=True, slots=True)
class ProgramEnd:
    """How a program ended, as measured by the host.

    Attributes:
        exit_status: The status, 128 + signal for a signal; `None` if it could not be started (`start_error`).
        start_error: Why it could not be started, where that is the program's doing (no such command in the image).
        oom_killed: The kernel killed one of its processes for memory.
        timed_out: It was killed for the wall clock.
        stopped: It was killed because the attempt was stopped.
        truncated: Streams of which output was dropped.
        peak_memory_bytes: With the files it had in the page cache, as the limit counts them.
        peak_processes: The most processes and threads it had at once. At the limit, a further one was most likely
            refused.
        timings: Seconds of `create`, `start`, `run`, `remove`.
    """

    exit_status: int | None
    start_error: str = ""
    oom_killed: bool = False
    timed_out: bool = False
    stopped: bool = False
    truncated: frozenset[Stream] = frozenset()
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_processes: int | None = None
    timings: dict[str, float] = field(default_factory=dict)


class Executor(Protocol):
    """Runs programs on this host."""

    name: str

    def check(self) -> str:
        """Prove that programs can be run, and how they are isolated; return a line for people.

        Raises:
            ExecutorFault: They can't; the message says what to do.
        """

    def labels(self) -> dict[str, str]:
        """What this host has: `cpus`, `memory_bytes`, `engine`, ..."""

    def find_image(self, asked: str) -> Image:
        """Map a bundle's image name to an image on the host.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked.
        """

    def run(self, program: Program, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run a program to its end; `deadline` is on `time.monotonic()`. Leaves nothing behind.

        Raises:
            ExecutorFault: The engine failed.
        """

    def writable_folder(self, path: Path) -> None:
        """Make an empty folder that programs may write to."""

    def sweep(self, keep: set[str]) -> int:
        """Remove what dead attempts left behind, but for the attempts in `keep`; return how many things it was."""

    def close(self) -> None:
        """Let go of everything; nothing may be run afterwards."""
