"""The images that this agent brought to its host: which of them are in use, and which go when the disk fills.

Only what the agent itself pulled or loaded is ever removed, and of that nothing that an attempt in hand uses, that a
container of anyone's was made from, or that somebody else has given a name of their own since. A small file in the
agent's folder remembers what it brought and when each image was last used.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from podium.agents.executors.engine import inspect_image
from podium.agents.executors.engine_errors import ENGINE_ERRORS, engine_call, engine_words
from podium.agents.images.names import SUBMITTED_IMAGE

log = logging.getLogger(__name__)

LOW_MARK = 0.9
"""Once there is too much, images go until there is this share of what there may be."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much there may be.

    Attributes:
        bytes: Of all images that the agent brought, together.
        disk_percent: How full the disk with the engine's data may be, whatever fills it.
    """

    bytes: int = 50 << 30
    disk_percent: float = 85.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An image that the agent brought to the host.

    Attributes:
        names: What the agent called it, the newest name last.
        used: When it was last used, in seconds since 1970.
        submitted: A participant's, which goes as soon as nobody uses it.
    """

    id: str
    names: tuple[str, ...]
    bytes: int
    used: float
    submitted: bool = False


def removable(kept: Iterable[Kept], held: Collection[str], spared: Collection[str]) -> list[Kept]:
    """What may go, in the order in which it goes: submitted images first, then what was not used for longest."""
    free = [one for one in kept if one.id not in held and not any(name in spared for name in one.names)]
    return sorted(free, key=lambda one: (not one.submitted, one.used, one.id))


class ImageCache:
    """Keeps count of the agent's images. Safe to use from many threads.

    Args:
        file: Where it remembers them; without one it remembers them as long as it lives.
        spared: Names that are never removed: the aliases that the operator has set.
        data: The folder with the engine's data, where the agent can see it.
    """

    def __init__(
        self,
        client: APIClient,
        *,
        file: Path | None = None,
        room: Room | None = None,
        spared: Collection[str] = (),
        data: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._file = file
        self._room = room or Room()
        self._spared = frozenset(spared)
        self._data = data if data and data.is_dir() else None
        self._clock = clock
        self._lock = threading.Lock()
        self._tidying = threading.Lock()
        self._kept: dict[str, Kept] = self._read()
        self._holders: dict[str, set[str]] = {}
        self._gone: set[str] = set()
        self._is_full = False

    def hold(self, image_id: str, holder: str) -> bool:
        """Have an image stay for a holder; false where it was removed just before, and must be looked for anew."""
        with self._lock:
            if image_id in self._gone:
                if not self._is_here(image_id):
                    return False
                self._gone.discard(image_id)  # somebody else has brought it back
            self._hold(image_id, holder)
            kept = self._kept.get(image_id)
            if kept:
                self._kept[image_id] = replace(kept, used=self._clock())
                self._write()
        return True

    def arrived(self, image_id: str, name: str, size: int, holder: str, *, submitted: bool = False) -> None:
        """Note an image that the agent has just brought, which was not there before; it is held."""
        with self._lock:
            before = self._kept.get(image_id)
            names = tuple(dict.fromkeys((*(before.names if before else ()), name)))
            self._kept[image_id] = Kept(image_id, names, size, self._clock(), submitted)
            self._gone.discard(image_id)
            self._hold(image_id, holder)
            self._write()

    def knows(self, image_id: str) -> bool:
        """Whether the agent brought this image."""
        with self._lock:
            return image_id in self._kept

    def not_ours(self) -> frozenset[str]:
        """The ids of what is on the host and the agent did not bring.

        Raises:
            ExecutorFault: The engine can't be asked.
        """
        # While an image is removed, the engine still lists it for a moment after its name has gone; whoever saw it then
        # and pulled it anew would take it for somebody else's for good. Removals hold the lock, too.
        with self._lock, engine_call("while the agent looked for an image"):
            return frozenset(self._client.images(all=True, quiet=True)) - self._kept.keys()

    def release(self, holder: str) -> None:
        """A holder uses no image any more; submitted images that nobody holds now are removed at once."""
        with self._lock:
            freed = [image_id for image_id, holders in self._holders.items() if holder in holders]
            for image_id in freed:
                self._holders[image_id].discard(holder)
                if not self._holders[image_id]:
                    del self._holders[image_id]
            submitted = [self._kept[one] for one in freed if one in self._kept and self._kept[one].submitted]
        for kept in submitted:
            self._remove(kept)

    def tidy(self) -> list[str]:
        """Remove images that are not needed until there is room again; answer the names of those that went.

        Nothing is removed while there is room, but for participants' images that a crash left behind.
        """
        with self._tidying:
            removed = [kept.names[-1] for kept in self._free() if kept.submitted and self._remove(kept)]
            if not self._is_above(1.0):
                self._is_full = False
                return removed
            for kept in self._free():
                if not self._is_above(LOW_MARK):
                    break
                if self._remove(kept):
                    log.info("Removed the image %s to make room.", kept.names[-1])
                    removed.append(kept.names[-1])
            still = self._is_above(1.0)
            if still and not self._is_full:
                log.warning("There is no room for images, and none may be removed: %s.", self._in_words())
            self._is_full = still
            return removed

    def _hold(self, image_id: str, holder: str) -> None:
        if holder:
            self._holders.setdefault(image_id, set()).add(holder)

    def _is_here(self, image_id: str) -> bool:
        with engine_call("while the agent looked for an image"):
            try:
                inspect_image(self._client, image_id)
            except ImageNotFound:
                return False
        return True

    def _free(self) -> list[Kept]:
        with self._lock:
            return removable(self._kept.values(), self._holders, self._spared)

    def _is_above(self, share: float) -> bool:
        with self._lock:
            total = sum(kept.bytes for kept in self._kept.values())
        return total > share * self._room.bytes or self._disk_percent() > share * self._room.disk_percent

    def _disk_percent(self) -> float:
        if self._data is None:
            return 0.0
        usage = shutil.disk_usage(self._data)
        # As `df` has it: what only root may use is not free.
        return 100 * usage.used / max(1, usage.used + usage.free)

    def _in_words(self) -> str:
        total = sum(kept.bytes for kept in self._kept.values())
        disk = f", the disk is {self._disk_percent():.0f} % full" if self._data else ""
        return f"this agent's take {total / 1e9:.1f} GB{disk}"

    def _remove(self, kept: Kept) -> bool:
        """Remove an image, unless it is held by now; tell whether it has gone."""
        with self._lock:
            if kept.id in self._holders or kept.id not in self._kept:
                return False
            try:
                went = self._remove_from_engine(kept)
            except ENGINE_ERRORS as error:
                log.warning("The image %s could not be removed: %s", kept.names[-1], engine_words(error))
                return False
            if went is None:
                return False
            del self._kept[kept.id]
            if went:
                self._gone.add(kept.id)
            self._write()
            return went

    def _remove_from_engine(self, kept: Kept) -> bool | None:
        """True when it has gone, false when it is not ours any more, `None` when a container needs it."""
        try:
            found: dict[str, Any] = inspect_image(self._client, kept.id)
        except ImageNotFound:
            return True
        if set(found.get("RepoTags") or ()) - set(kept.names):
            return False  # somebody has given it a name of their own since
        if self._client.containers(all=True, quiet=True, filters={"ancestor": kept.id}):
            return None
        try:
            # Without force, the engine refuses what a container needs; each name goes by itself.
            for name in [*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ()), kept.id]:
                self._remove_name(name)
        except APIError as error:
            if error.status_code == 409:
                return None
            raise
        return True

    def _remove_name(self, name: str) -> None:
        try:
            self._client.remove_image(name)
        except ImageNotFound:
            return  # with the last name the image itself has gone

    def _read(self) -> dict[str, Kept]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            entries = json.loads(self._file.read_text())
            return {entry["id"]: Kept(**{**entry, "names": tuple(entry["names"])}) for entry in entries}
        except (OSError, ValueError, TypeError, KeyError) as error:
            # Without it the agent removes nothing that it brought before, which is safe.
            log.warning("The list of the agent's images, %s, can't be read: %s", self._file, error)
            return {}

    def _write(self) -> None:
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps([asdict(kept) for kept in self._kept.values()]))
            new.replace(self._file)
        except OSError as error:
            # What is not remembered is not removed either; a full disk is no reason to give an attempt up.
            log.warning("The list of the agent's images, %s, can't be written: %s", self._file, error.strerror)


def submitted_name(image_id: str) -> str:
    """The name that a participant's image has on the host: nothing else is ever called so."""
    return f"{SUBMITTED_IMAGE}:{image_id.removeprefix('sha256:')[:24]}"
