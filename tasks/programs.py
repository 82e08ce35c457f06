"""What a step asks an executor to run, and what the executor answers. The executors live in `podium.agents`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from podium.platform.bundles.content import Relaxations
from podium.platform.errors import PodiumError
from podium.platform.jobs import Limits

Number = TypeVar("Number", int, float)
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
    """An image on the host: the name that was asked for, the one that was taken, and its digest.

    Attributes:
        digest: The registry's digest of it, or its id where no registry has it.
        id: The engine's own id of its content, which containers are made by: a name may move meanwhile.
        volumes: Paths that the image declares as volumes; nothing but the sandbox's own folders is writable.
        submitted: It is a participant's own, and nothing that it says about itself is to be believed.
        command: Its own entry point and command, where that is known.
    """

    asked: str
    name: str
    digest: str
    id: str = ""
    volumes: tuple[str, ...] = ()
    submitted: bool = False
    command: tuple[str, ...] = ()


def _say_nothing(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Someone who uses images: they stay on the host until `Executor.release_images` is told of it.

    Attributes:
        key: Whoever it is, unique; empty for one who holds nothing.
        say: Told, in a line for people, what takes its time: how far a pull is.
        stop: Set when the images are not wanted any more.
    """

    key: str = ""
    say: Callable[[str], None] = _say_nothing
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run.

    Attributes:
        name: Unique on the host; the container's name.
        command: Arguments, never a shell line; none for the image's own entry point and command.
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
    working_folder: str = "/app/program"  # empty for the image's own
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
        oom_killed: The kernel killed one of its processes for its memory limit; the program itself may have gone on.
        timed_out: It was killed for the wall clock.
        cpu_exceeded: It had more CPU time than its limit, and was killed for it unless it ended before.
        disk_exceeded: It was killed for what its step had on disk.
        file_full: It failed, and a file of its has the size that is the limit.
        forks_refused: It failed, and had as many processes and threads as it may.
        host_fault: What of the host's doing ended it or kept it from working: somebody killed it, the disk is full.
            Empty where nothing is known of the kind.
        stopped: It was killed because the attempt was stopped.
        truncated: Streams of which output was dropped.
        stderr_tail: The last bytes that it wrote to stderr, be they in the log or not.
        peak_memory_bytes: With the files it had in the page cache, as the limit counts them.
        peak_processes: The most processes and threads it had at once. At the limit, a further one was most likely
            refused.
        notes: Lines about the run that belong into its log.
        timings: Seconds of `create`, `start`, `run`, `remove`.
    """

    exit_status: int | None
    start_error: str = ""
    oom_killed: bool = False
    timed_out: bool = False
    cpu_exceeded: bool = False
    disk_exceeded: bool = False
    file_full: bool = False
    forks_refused: bool = False
    host_fault: str = ""
    stopped: bool = False
    truncated: frozenset[Stream] = frozenset()
    stderr_tail: bytes = b""
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_processes: int | None = None
    timings: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class GpuStock(Protocol):
    """The GPUs of a host, each of which is one holder's at a time."""

    @property
    def free(self) -> int:
        """How many are nobody's."""

    def take(self, holder: str, count: int) -> bool:
        """Set some aside for a holder that has none; false where there are too few."""

    def pass_on(self, holder: str, to: str) -> None:
        """Give a holder's to another one: to an attempt, by its id."""

    def give_back(self, holder: str) -> None:
        """Take back what a holder has, if anything."""


def together(first: ProgramEnd, second: ProgramEnd) -> ProgramEnd:
    """Two commands of one program, run one after the other, as one: how the second ended, and what both used."""
    return replace(
        second,
        truncated=first.truncated | second.truncated,
        wall_seconds=first.wall_seconds + second.wall_seconds,
        cpu_seconds=_both(first.cpu_seconds, second.cpu_seconds, sum),
        peak_memory_bytes=_both(first.peak_memory_bytes, second.peak_memory_bytes, max),
        peak_processes=_both(first.peak_processes, second.peak_processes, max),
        oom_killed=second.oom_killed or (first.oom_killed and second.exit_status == 0),
        timings={
            step: first.timings.get(step, 0.0) + second.timings.get(step, 0.0)
            for step in {**first.timings, **second.timings}
        },
    )


def _both(first: Number | None, second: Number | None, how: Callable[[list[Number]], Number]) -> Number | None:
    known = [one for one in (first, second) if one is not None]
    return how(known) if known else None


def left_of(limits: Limits, used: ProgramEnd) -> Limits:
    """What is left for a program's next command: its CPU time is limited in all."""
    if limits.cpu_seconds is None or not used.cpu_seconds:
        return limits
    return limits.model_copy(update={"cpu_seconds": max(0.001, limits.cpu_seconds - used.cpu_seconds)})


class Executor(Protocol):
    """Runs programs on this host."""

    name: str

    @property
    def gpus(self) -> GpuStock:
        """The host's GPUs, to be set aside for attempts."""

    def check(self) -> str:
        """Prove that programs can be run, and how they are isolated; return a line for people.

        Raises:
            ExecutorFault: They can't; the message says what to do.
        """

    def labels(self) -> dict[str, str]:
        """What this host has: `cpus`, `memory_bytes`, `engine`, ..."""

    def find_image(self, asked: str, holder: Holder | None = None) -> Image:
        """Map a bundle's image name to an image on the host, which stays there until the holder lets it go.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked, or a registry can't be reached.
        """

    def load_image(self, archive: Path, holder: Holder) -> Image:
        """Bring the image of a participant to the host, as `docker save` wrote it into a file.

        Raises:
            ImageRefused: It is not one that can be run here; the participant's doing.
            ExecutorFault: The engine failed, or this host runs no images.
        """

    def release_images(self, holder: Holder) -> None:
        """Let go of all images that a holder has found or loaded."""

    def tidy(self) -> None:
        """Make room where there is too little, at the cost of what nobody uses; called from time to time."""

    def run(self, program: Program, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run a program to its end; `deadline` is on `time.monotonic()`. Leaves nothing behind.

        Raises:
            ExecutorFault: The engine failed.
        """

    def writable_folder(self, path: Path, *, root: bool = False) -> None:
        """Make an empty folder that programs may write to; those that run as `root`, if they do."""

    def sweep(self, keep: set[str]) -> int:
        """Remove what dead attempts left behind, but for the attempts in `keep`; return how many things it was."""

    def close(self) -> None:
        """Let go of everything; nothing may be run afterwards."""
