"""Containers made before they are asked for: started, they wait at a gate to become the program.

Most of what a container costs is its start. A program that was run twice in the same way will be run so again: the
image, the command, the limits, the programs and data that it is shown are the same, and only the folders of its own
differ. So the next container is made ahead, from the same configuration as every other, with new folders in place of
its own. Its only process reads one line and then becomes the program. When the program is asked for, the folders take
the place of the attempt's, with their content, and the line is sent.

Each such container runs one program and is removed, as all are: nothing is shared and nothing is used twice.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from docker import APIClient

from podium.agents.executors.container_config import ready_config
from podium.agents.executors.engine_errors import ENGINE_ERRORS
from podium.agents.executors.folders import can_take_place, take_place
from podium.agents.executors.measuring import Meter
from podium.agents.executors.program_output import raw_socket
from podium.agents.executors.recipes import Recipe
from podium.tasks.programs import ExecutorFault, Program
from podium.tasks.tree_removal import remove_tree

log = logging.getLogger(__name__)

GATE = ("sh", "-c", 'read -r _ && unset PWD OLDPWD && exec "$@" </dev/null', "podium")
"""Waits for a line and becomes the command after it. When the agent dies its input ends, and so does the container."""

_USES = 2  # a recipe is worth a container once it has come back
_REMEMBERED = 200
_PAUSE_SECONDS = 0.2  # what ends an evaluation has the host's cores for itself
_TROUBLE_SECONDS = 60.0
_IDLE_SECONDS = 600.0


class NotBegun(Exception):
    """The prepared container was no good; the program did not run."""


@dataclass(slots=True)
class Ready:
    """A container that waits at its gate.

    Attributes:
        attached: What the SDK returned for its input and output.
        folders: Folders of the host by where the program sees them, in place of its own.
    """

    container: str
    name: str
    attached: object
    meter: Meter
    folder: Path
    folders: dict[str, Path]
    since: float = field(default_factory=time.monotonic)

    def waits(self) -> bool:
        """Whether it still waits, and has said nothing."""
        try:
            raw_socket(self.attached).recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        return False  # it ended, or it spoke: its image has no shell, or one that is not to be trusted

    def put_folders_in_place(self, program: Program) -> None:
        """Have the program's own folders be those that the container was made with.

        Raises:
            NotBegun: That would take too long; nothing was changed.
            ExecutorFault: The host failed at it.
        """
        own = [(self.folders[mount.target], mount.source) for mount in program.mounts if mount.own]
        if not all(can_take_place(new, old) for new, old in own):
            raise NotBegun
        try:
            for new, old in own:
                take_place(new, old)
            self.folder.rmdir()
        except OSError as error:
            raise ExecutorFault(f"A program's folder could not be put in place ({error.strerror}).") from error

    def open(self) -> None:
        """Have it become the program.

        Raises:
            NotBegun: It does not listen any more.
        """
        try:
            raw_socket(self.attached).sendall(b"\n")
        except OSError as error:
            raise NotBegun from error

    def close(self) -> None:
        """Let go of its input, which ends it, and of its folders."""
        with contextlib.suppress(OSError, ExecutorFault):
            # The SDK has an object of its own on the socket, so closing it alone would not end it.
            raw_socket(self.attached).shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, ExecutorFault):
            raw_socket(self.attached).close()
        with contextlib.suppress(OSError):  # the next sweep removes it
            remove_tree(self.folder)


class PreparedContainers:
    """The containers that wait, of the recipes that were used last. Safe to use from many threads."""

    def __init__(
        self,
        client: APIClient,
        *,
        folder: Path,
        limit: int,
        starts: threading.Semaphore,
        meter_of: Callable[[str], Meter],
        hold: Callable[[str], None],
        remove: Callable[[str, Meter], None],
    ) -> None:
        """Keep up to `limit` containers, half of them of one recipe at most.

        Args:
            folder: Where their folders are made, on the same disk as those of attempts.
            hold: Told a container's name before it is made; `remove` is told when it is not wanted any more.
        """
        self._client = client
        self._folder = folder
        self._limit = limit
        self._starts = starts
        self._meter_of = meter_of
        self._hold = hold
        self._remove = remove
        self._ready: OrderedDict[str, list[Ready]] = OrderedDict()  # the recipe that was used last comes last
        self._uses: OrderedDict[str, int] = OrderedDict()
        self._wanted: OrderedDict[str, tuple[Recipe, float]] = OrderedDict()
        self._unfit: set[str] = set()  # images whose containers do not wait
        self._in_trouble_until = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="podium-prepare", daemon=True)
        if limit:
            self._thread.start()

    @property
    def limit(self) -> int:
        """How many containers there may be; 0 where none are made ahead."""
        return self._limit

    @property
    def waiting(self) -> int:
        """How many containers wait."""
        with self._changed:
            return sum(map(len, self._ready.values()))

    def take(self, recipe: Recipe) -> Ready | None:
        """A container that can become the recipe's program, which the caller must remove; `None` if there is none."""
        while True:
            with self._changed:
                waiting = self._ready.get(recipe.key)
                if not waiting:
                    return None
                ready = waiting.pop()
            if ready.waits():
                return ready
            self._found_dead(ready, recipe)

    def used(self, recipe: Recipe) -> None:
        """A program of this recipe was run; if it comes back, the next one finds its container made."""
        with self._changed:
            self._uses[recipe.key] = self._uses.pop(recipe.key, 0) + 1
            while len(self._uses) > _REMEMBERED:
                self._uses.popitem(last=False)
            if recipe.key in self._ready:
                self._ready.move_to_end(recipe.key)
            if self._limit and self._uses[recipe.key] >= _USES and recipe.image not in self._unfit:
                self._wanted.setdefault(recipe.key, (recipe, time.monotonic() + _PAUSE_SECONDS))
                self._changed.notify_all()

    def trim(self) -> None:
        """Let those go that nobody asked for in a while, and those that do not wait any more."""
        with self._changed:
            old = time.monotonic() - _IDLE_SECONDS
            going = [one for many in self._ready.values() for one in many if one.since < old or not one.waits()]
            self._forget(going)
        for ready in going:
            self._let_go(ready)

    def sweep_folders(self, held: Collection[str]) -> None:
        """Remove the folders of containers that are not held: an earlier life of the agent made them."""
        if self._limit and self._folder.is_dir():
            for folder in list(self._folder.iterdir()):
                if folder.name not in held:
                    remove_tree(folder)

    def close(self) -> None:
        """Let all of them go; the caller removes those that it was told to hold."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            going = [one for many in self._ready.values() for one in many]
            self._ready.clear()
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        for ready in going:
            ready.close()

    def _work(self) -> None:
        while (recipe := self._next()) is not None:
            try:
                ready = self._prepare(recipe)
            except Exception as error:  # noqa: BLE001 -- whatever it is, programs are run without
                log.warning("A container could not be made ahead: %s", error)
                self._in_trouble_until = time.monotonic() + _TROUBLE_SECONDS
                continue
            for unwanted in self._added(recipe, ready):
                self._let_go(unwanted)

    def _added(self, recipe: Recipe, ready: Ready) -> list[Ready]:
        """Have the container wait; return those that are too many, of the recipes that were used longest ago."""
        with self._changed:
            if self._closed:
                return [ready]
            self._ready.setdefault(recipe.key, []).append(ready)
            self._ready.move_to_end(recipe.key)
            every = [one for many in self._ready.values() for one in many]
            too_many = every[: max(0, len(every) - self._limit)]
            self._forget(too_many)
            return too_many

    def _next(self) -> Recipe | None:
        """Wait for a recipe that is due and that still lacks a container; `None` at the end."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                due = next((key for key, (_, at) in self._wanted.items() if at <= now), None)
                if due is not None:
                    recipe, _ = self._wanted.pop(due)
                    enough = len(self._ready.get(due, ())) >= max(1, self._limit // 2)
                    if not enough and now >= self._in_trouble_until:
                        return recipe
                    continue
                next_at = min((at for _, at in self._wanted.values()), default=None)
                self._changed.wait(None if next_at is None else next_at - now)
            return None

    def _prepare(self, recipe: Recipe) -> Ready:
        name = f"podium-ready-{uuid.uuid4().hex[:12]}"
        folder = self._folder / name
        folder.mkdir(parents=True, mode=0o700)
        folders = {target: folder / str(number) for number, target in enumerate(recipe.own)}
        for own in folders.values():
            own.mkdir(mode=0o700)
        meter = self._meter_of(name)
        self._hold(name)
        try:
            with self._starts:
                config = ready_config(
                    recipe.config, name=name, gate=GATE, sources=folders, cgroup_parent=meter.cgroup_parent
                )
                container = str(self._client.create_container(**config)["Id"])
                attached = self._client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
                self._client.start(container)
        except ENGINE_ERRORS:
            remove_tree(folder)
            self._remove(name, meter)
            raise
        return Ready(container, name, attached, meter, folder, folders)

    def _found_dead(self, ready: Ready, recipe: Recipe) -> None:
        if _spoke(ready):
            log.info("Containers of the image %s do not wait at a gate, and are not made ahead.", recipe.image)
            self._unfit.add(recipe.image)
        self._let_go(ready)

    def _forget(self, going: list[Ready]) -> None:
        names = {ready.name for ready in going}
        for key, many in list(self._ready.items()):
            self._ready[key] = [one for one in many if one.name not in names]
            if not self._ready[key]:
                del self._ready[key]

    def _let_go(self, ready: Ready) -> None:
        ready.close()
        self._remove(ready.name, ready.meter)


def _spoke(ready: Ready) -> bool:
    try:
        return bool(raw_socket(ready.attached).recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except (OSError, ValueError):
        return False
