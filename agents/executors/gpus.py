"""The GPUs of a host: which there are, and whose they are at the moment.

A GPU is one attempt's at a time. It is set aside before the attempt is claimed, so that nobody waits for one while the
clock of a step runs, and its programs share what the attempt has.

An engine gives a container a GPU in one of two ways. NVIDIA's runtime and its hook take the driver's ids. Devices by
CDI, which newer engines list in their `info`, have names of their own, `nvidia.com/gpu=GPU-…`, and are had by these
alone. Whichever it is, an id here is what the engine has to be asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from podium.platform.errors import InvalidInput
from podium.tasks.programs import ExecutorFault, Program

AUTO = "auto"
ALL = "all"
NVIDIA = "nvidia"
_LISTED = f"{NVIDIA}.com/gpu="
_UNCHANGING = re.compile(r"(GPU|MIG)-.+")
_NUMBER = re.compile(r"(gpu|mig)?\d+(:\d+)?")  # of a GPU, or of a part of one
_DRIVER = Path("/proc/driver/nvidia/gpus")
_QUERY = ("--query-gpu=uuid", "--format=csv,noheader")
_SECONDS = 20.0


class Gpus:
    """Hands GPUs out, each to one holder. Safe to use from many threads."""

    def __init__(self, ids: Sequence[str] = ()) -> None:
        self._all = tuple(dict.fromkeys(ids))
        self._free = list(self._all)
        self._held: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._all)

    @property
    def free(self) -> int:
        """How many are nobody's."""
        with self._lock:
            return len(self._free)

    def take(self, holder: str, count: int) -> bool:
        """Set some aside for a holder that has none; false where there are too few."""
        with self._lock:
            if count > len(self._free):
                return False
            if count:
                self._held[holder] = tuple(self._free[:count])
                del self._free[:count]
            return True

    def pass_on(self, holder: str, to: str) -> None:
        """Give a holder's to another one."""
        with self._lock:
            if holder in self._held:
                self._held[to] = self._held.pop(holder)

    def give_back(self, holder: str) -> None:
        """Take back what a holder has, if anything."""
        with self._lock:
            self._free += self._held.pop(holder, ())
            self._free.sort(key=self._all.index)

    def of(self, holder: str) -> tuple[str, ...]:
        """What a holder has."""
        with self._lock:
            return self._held.get(holder, ())

    @contextmanager
    def for_program(self, program: Program) -> Iterator[tuple[str, ...]]:
        """The GPUs of a program: those of its attempt, or else some for the time that it runs.

        Raises:
            ExecutorFault: There are too few.
        """
        count = program.limits.gpus
        holder = program.labels.get("attempt", "")
        if not count:
            yield ()
        elif len(held := self.of(holder)) >= count:
            yield held[:count]
        elif self.take(program.name, count):
            try:
                yield self.of(program.name)
            finally:
                self.give_back(program.name)
        else:
            raise ExecutorFault(
                f"A program needs {count} GPU{'' if count == 1 else 's'}, and {self.free} of this agent's {self.count} "
                "are free."
            )


def gpu_ids(setting: str, *, by_runtime: bool, by_name: Sequence[str] = ()) -> tuple[str, ...]:
    """The GPUs that an agent hands out, by what its engine has to be asked for.

    Args:
        setting: `auto`, `all`, ids separated by commas, or nothing.
        by_runtime: The engine has NVIDIA's runtime.
        by_name: The names under which the engine lists GPUs.

    Raises:
        InvalidInput: All are to be handed out, and it can't be seen which there are.
    """
    if setting not in {AUTO, ALL}:
        named = (part.strip() for part in setting.split(","))
        return tuple(_LISTED + one if _LISTED + one in by_name else one for one in named if one)
    if listed := _one_name_each(by_name):
        return listed
    if setting == AUTO and not by_runtime:
        return ()
    found = _seen_by_driver()
    if setting == ALL and not found:
        raise InvalidInput(
            "PODIUM_AGENT_GPUS is `all`, and no GPU is to be seen on this host.",
            remedy="Install the driver with nvidia-smi, or name the GPUs: PODIUM_AGENT_GPUS=0,1.",
        )
    return found


def has_runtime(info: Mapping[str, Any]) -> bool:
    """Whether the engine has NVIDIA's runtime, by its `info`."""
    return NVIDIA in (info.get("Runtimes") or {})


def listed_names(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The names under which the engine lists GPUs, by its `info`; one GPU may have several."""
    names = (str(device.get("ID", "")) for device in info.get("DiscoveredDevices") or ())
    return tuple(name for name in names if name.startswith(_LISTED))


def is_listed_name(gpu: str) -> bool:
    """Whether a GPU's id is the name of a device by CDI, which says of itself what kind it is."""
    return "=" in gpu


def _one_name_each(names: Sequence[str]) -> tuple[str, ...]:
    """One name of each GPU: its unchanging id where GPUs are listed by these too, else its number; never `all`."""
    short = [name.removeprefix(_LISTED) for name in names]
    each = [name for name in short if _UNCHANGING.fullmatch(name)] or [one for one in short if _NUMBER.fullmatch(one)]
    return tuple(_LISTED + name for name in each)


def _seen_by_driver() -> tuple[str, ...]:
    """The ids of the host's GPUs: unchanging ones where the driver's program says them, else their numbers."""
    program = shutil.which("nvidia-smi")
    if program:
        try:
            answer = subprocess.run(
                [program, *_QUERY], check=True, capture_output=True, text=True, timeout=_SECONDS
            ).stdout
        except (OSError, subprocess.SubprocessError):
            answer = ""
        if ids := tuple(line.strip() for line in answer.splitlines() if line.strip().startswith("GPU-")):
            return ids
    return tuple(str(number) for number, _ in enumerate(sorted(_DRIVER.glob("*"))))
