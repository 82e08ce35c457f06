"""Runs programs as processes of this host, where no Docker engine can be had.

Sandboxed with `bwrap` where that works, and then fit for participants' programs. Without it only programs that the
operator trusts are run: those that the organizer wrote, and only if the settings say so.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from podium.agents.executors import folders
from podium.agents.executors.bubblewrap import sandbox_arguments
from podium.agents.executors.forgotten_groups import kill_forgotten, remove_empty_groups
from podium.agents.executors.gpus import Gpus
from podium.agents.executors.limited_group import LimitedGroup
from podium.agents.executors.measuring import groups_version, owned_groups
from podium.agents.executors.process_run import Launch, ProcessRun
from podium.agents.executors.program_environment import program_environment
from podium.agents.executors.system_calls import call_filter
from podium.platform.bundles.destinations import relaxation_names
from podium.platform.errors import PodiumError
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import ExecutorFault, Holder, Image, OnOutput, Program, ProgramEnd
from podium.tasks.tree_removal import remove_tree

log = logging.getLogger(__name__)

_PATH = "/usr/local/bin:/usr/bin:/bin"
_PYTHON = "/usr/bin/python3"
_CHECK_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How an agent runs programs as processes.

    Attributes:
        owner: Whose programs these are; agents on the same host differ in it.
        bwrap: The sandbox program; empty to do without.
        trust_plain_processes: Run organizers' programs with no sandbox where there is none. They can then read and
            change whatever the agent can.
    """

    owner: str = "agent"
    bwrap: str = "bwrap"
    trust_plain_processes: bool = False


class ProcessExecutor:
    """Runs programs as processes. Safe to use from many threads; `close` it at the end."""

    name = "process"
    gpus = Gpus()

    def __init__(self, settings: ProcessSettings | None = None) -> None:
        self._settings = settings or ProcessSettings()
        self._bwrap = shutil.which(self._settings.bwrap) if self._settings.bwrap else None
        self._user = folders.program_user()
        self._cpus = os.cpu_count() or 1
        # An agent that is killed leaves it; the name says whose it was.
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self._folders_prefix()}{os.getpid()}-"))
        self._folder.chmod(0o711)
        self._etc = self._make_etc()
        self._call_filter = self._make_call_filter()
        self._no_sandbox: str | None = None
        self._running: set[str] = set()

    def check(self) -> str:
        """Prove that programs can be run, and how they are isolated; return a line for people.

        Raises:
            ExecutorFault: There is no sandbox that works, and plain processes are not trusted.
        """
        trouble = self._sandbox_trouble()
        if not trouble:
            return f"Processes in bubblewrap on {self._cpus} cores; no network, proven; {self._limits_in_words()}"
        if not self._settings.trust_plain_processes:
            raise _no_sandbox(trouble)
        return f"Plain processes, for organizers' programs alone: {trouble}; {self._limits_in_words()}"

    def labels(self) -> dict[str, str]:
        """What this host has: `cpus`, `memory_bytes`, `engine`; there is no rule here that could be relaxed."""
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        engine = "bubblewrap" if self._bwrap else "plain processes"
        none = {"gpus": "0", "runtimes": "", "relaxations": ""}
        return {"cpus": str(self._cpus), "memory_bytes": str(memory), "engine": engine, **none, "images": "host"}

    def find_image(self, asked: str, holder: Holder | None = None) -> Image:  # noqa: ARG002 -- the host stays
        """Answer the host itself, whatever is asked for: there is no other image here."""
        log.info("Programs that ask for the image %s get the host's own Python: this agent has no images.", asked)
        return Image(asked=asked, name="host", digest=f"host:python-{_python_version()}")

    def load_image(self, archive: Path, holder: Holder) -> Image:  # noqa: ARG002 -- as the other executors have it
        """Refuse: there is nothing here that could run an image.

        Raises:
            ExecutorFault: Always.
        """
        raise ExecutorFault(
            "This agent runs processes and no containers; a participant's image can't be run here.",
            remedy="Give the competition a pool whose agents have a Docker engine.",
        )

    def release_images(self, holder: Holder) -> None:
        """Do nothing: the host stays."""

    def tidy(self) -> None:
        """Do nothing: there are no images here."""

    def run(self, program: Program, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run a program to its end; `deadline` is on `time.monotonic()`.

        Raises:
            ExecutorFault: The host could not run it, or may not: it is a participant's and there is no sandbox, or it
                asks for what only containers have.
        """
        _require_plain(program)
        trouble = self._sandbox_trouble()
        if trouble and not (program.trusted and self._settings.trust_plain_processes):
            raise _no_sandbox(trouble)
        if stop.is_set() or time.monotonic() > deadline:
            return ProgramEnd(exit_status=None, stopped=stop.is_set(), timed_out=not stop.is_set())
        self._running.add(program.name)
        group = self._group(program)
        try:
            if trouble:
                return self._run_plain(program, group, deadline, stop, on_output)
            return ProcessRun(self._sandboxed(program, group)).run(deadline=deadline, stop=stop, on_output=on_output)
        finally:
            if group:
                group.remove()
            self._running.discard(program.name)

    def writable_folder(self, path: Path, *, root: bool = False) -> None:  # noqa: ARG002 -- nobody is root here
        """Make an empty folder that programs may write to."""
        folders.make_writable(path, user=self._user)

    def sweep(self, keep: set[str]) -> int:  # noqa: ARG002 -- as the other executors have it
        """Remove what earlier lives of this agent left: plain processes (sandboxes died with it), groups, folders."""
        killed = kill_forgotten(self._owned_groups(), version=groups_version(), held=self._running)
        remove_empty_groups(self._owned_groups(), version=groups_version(), keep=self._running)
        forgotten = [folder for folder in self._folder.parent.glob(f"{self._folders_prefix()}*") if _is_dead(folder)]
        for folder in forgotten:
            remove_tree(folder)
        return killed + len(forgotten)

    def close(self) -> None:
        """Remove the executor's own files and control groups."""
        remove_empty_groups(self._owned_groups(), version=groups_version())
        remove_tree(self._folder)

    def _owned_groups(self) -> str:
        return owned_groups(self._settings.owner)

    def _folders_prefix(self) -> str:
        return f"podium-process-{Path(self._owned_groups()).name}-"

    def _sandbox_trouble(self) -> str:
        """Why the sandbox does not work; empty where it does. Tried once."""
        if self._no_sandbox is None:
            self._no_sandbox = self._try_sandbox() if self._bwrap else "bubblewrap is not installed"
        return self._no_sandbox

    def _try_sandbox(self) -> str:
        written: list[bytes] = []
        program = Program(
            name=f"check-{os.getpid()}-{time.monotonic_ns()}",
            image=Image("host", "host", "host"),
            command=("/bin/sh", "-c", "tail -n +3 /proc/net/dev; readlink /proc/self/ns/net"),
            mounts=(),
            limits=Limits(memory_bytes=256 * MIB, temporary_bytes=16 * MIB),
            working_folder="/",
        )
        try:
            end = ProcessRun(self._sandboxed(program, None)).run(
                deadline=time.monotonic() + _CHECK_SECONDS,
                stop=threading.Event(),
                on_output=lambda _, piece: written.append(piece),
            )
        except PodiumError as error:
            return error.detail.rstrip(".")
        *interfaces, namespace = b"".join(written).decode().splitlines() or [""]
        alone = [line.split(":")[0].strip() for line in interfaces] == ["lo"]
        if end.exit_status or not alone or namespace == str(Path("/proc/self/ns/net").readlink()):
            return "its sandbox is not cut off from the network"
        return ""

    def _sandboxed(self, program: Program, group: LimitedGroup | None) -> Launch:
        environment = {"PATH": _PATH, "LANG": "C.UTF-8", **program_environment(program, cpus=self._cpus_for(program))}
        filtered = self._call_filter is not None
        prefix = sandbox_arguments(self._bwrap or "", program, environment, etc=self._etc, filtered=filtered)
        launch = self._launch(program, group, prefix, program.command, {"PATH": _PATH}, program.working_folder)
        return replace(launch, call_filter=self._call_filter)

    def _run_plain(
        self,
        program: Program,
        group: LimitedGroup | None,
        deadline: float,
        stop: threading.Event,
        on_output: OnOutput,
    ) -> ProgramEnd:
        root = self._folder / program.name
        try:
            command, working_folder, environment = self._laid_out(program, root)
            launch = self._launch(program, group, [], command, environment, working_folder)
            return ProcessRun(launch).run(deadline=deadline, stop=stop, on_output=on_output)
        finally:
            remove_tree(root)

    def _laid_out(self, program: Program, root: Path) -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Links that stand for the mounts, and the command with its paths turned to them."""
        for mount in sorted(program.mounts, key=lambda mount: mount.target):
            link = root / mount.target.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(mount.source.absolute())
        (root / "app").mkdir(parents=True, exist_ok=True)
        self.writable_folder(root / "tmp")
        root.chmod(0o711)

        def here(text: str) -> str:
            return re.sub(r"(?<![\w/.])/app(?=/|$)", f"{root}/app", text)

        plain = program_environment(program, cpus=self._cpus_for(program))
        environment = {"PATH": _PATH, "LANG": "C.UTF-8", **{name: here(value) for name, value in plain.items()}}
        own = str(root / "tmp")
        environment |= {"HOME": own, "TMPDIR": own, "MPLCONFIGDIR": f"{own}/matplotlib"}
        return tuple(here(part) for part in program.command), here(program.working_folder), environment

    def _launch(
        self,
        program: Program,
        group: LimitedGroup | None,
        prefix: list[str],
        command: tuple[str, ...],
        environment: dict[str, str],
        working_folder: str,
    ) -> Launch:
        return Launch(
            name=program.name,
            prefix=prefix,
            command=command,
            environment=environment,
            working_folder=working_folder,
            limits=program.limits,
            user=self._user if os.geteuid() == 0 else None,
            group=group,
            writable=tuple(mount.source for mount in program.mounts if not mount.read_only),
        )

    def _group(self, program: Program) -> LimitedGroup | None:
        try:
            return LimitedGroup(f"{self._owned_groups()}/{program.name}", program.limits, cpus=self._cpus_for(program))
        except OSError:
            return None

    def _cpus_for(self, program: Program) -> float:
        return min(program.limits.cpus, float(self._cpus))

    def _limits_in_words(self) -> str:
        probe = Program("probe", Image("host", "host", "host"), ("true",), (), Limits())
        group = self._group(probe)
        if not group:
            return "memory and processes are limited per process, as this agent may not make control groups"
        group.remove()
        return "memory, CPU and processes are limited and measured by control groups"

    def _make_etc(self) -> Path:
        etc = self._folder / "etc"
        etc.mkdir()
        (etc / "passwd").write_text("nobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n")
        (etc / "group").write_text("nogroup:x:65534:\n")
        return etc

    def _make_call_filter(self) -> Path | None:
        content = call_filter()
        if not content:
            log.warning("No filter of system calls is known for this machine: programs may make all of them.")
            return None
        path = self._folder / "call-filter"
        path.write_bytes(content)
        path.chmod(0o644)
        return path


def _require_plain(program: Program) -> None:
    asked = [f"the relaxation {name}" for name in relaxation_names(program.relaxations)]
    asked += [f"the runtime {program.runtime}"] if program.runtime else []
    asked += ["a GPU"] if program.limits.gpus else []
    if asked:
        raise ExecutorFault(
            f"This agent runs processes and no containers; it does not have {' and '.join(asked)}.",
            remedy="Give the competition a pool whose agents have a Docker engine.",
        )


def _python_version() -> str:
    try:
        said = subprocess.run([_PYTHON, "-V"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.python_version()
    return said.split()[-1]


def _is_dead(folder: Path) -> bool:
    """Whether the process whose number is in the folder's name has gone."""
    return not Path("/proc", folder.name.split("-")[-2]).exists()


def _no_sandbox(trouble: str) -> ExecutorFault:
    return ExecutorFault(
        f"This agent has no sandbox for programs: {trouble}.",
        remedy="Start a Docker engine and use the docker executor, or install bubblewrap where user namespaces are "
        "allowed.",
    )
