"""What programs take of the host's disk while they run, counted without trusting anything that they made.

A program can make links, a million files, or folders deeper than any path goes, and change all of it while it is being
counted. So each folder is opened relative to the one above it without following links, nothing is opened but folders,
and the work has a bound: what can't be counted within it is too much. A file that was unlinked while it is open takes
its room still, and is found through the processes that have it open, where the agent may look at these.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from podium.platform.limits import MOST_FILES_ON_DISK
from podium.platform.quantities import Unit, shown_amount
from podium.tasks.programs import ExecutorFault

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEPTH = 200
_BLOCK_BYTES = 512  # what the kernel counts blocks in, whatever the file system's are
_MOST_OPEN_FILES = 20_000
_INTERVAL_SECONDS = 0.5
_SHARE = 20
"""A look that took long is followed by a pause of so many times its length."""
_ALMOST_FULL_BYTES = 8 * 1024 * 1024
_ALMOST_FULL_FILES = 16
_LEAST_BYTES = 256 * 1024 * 1024  # an agent with less takes no work
_CLOSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What some folders hold.

    Attributes:
        bytes: On disk, so that holes in files do not count, and a file with several names counts once.
        files: Files and folders.
        largest: The size of the largest file, as it is read.
        uncounted: There is more than could be counted: too many files, or too deep.
    """

    bytes: int = 0
    files: int = 0
    largest: int = 0
    uncounted: bool = False


def disk_use(folders: Sequence[Path], *, most_files: int = MOST_FILES_ON_DISK) -> DiskUse:
    """Count what is in the folders; one that is not there holds nothing."""
    count = _Count(most_files)
    for folder in folders:
        try:
            descriptor = os.open(folder, _FOLDER)
        except OSError:
            continue
        try:
            count.add_folder(descriptor, depth=0)
        finally:
            os.close(descriptor)
    return count.found()


def unlinked_use(processes: Sequence[int], devices: frozenset[int]) -> int:
    """Bytes of the files on these devices that have no name any more and that some of the processes have open."""
    seen: dict[tuple[int, int], int] = {}
    for status in islice(_open_files(processes), _MOST_OPEN_FILES):
        if status.st_nlink == 0 and stat.S_ISREG(status.st_mode) and status.st_dev in devices:
            seen[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK_BYTES
    return sum(seen.values())


def require_room(folder: Path, *, least_bytes: int = _LEAST_BYTES) -> None:
    """See that there is room for work in a folder.

    Raises:
        ExecutorFault: There is not.
    """
    if full_disk([folder], least_bytes=least_bytes):
        raise ExecutorFault(
            f"The disk that {folder} is on is full: less than {shown_amount(least_bytes, Unit.BYTES)}, or no more "
            "files, are left.",
            remedy="Make room; the agent takes work again by itself.",
        )


def full_disk(
    folders: Sequence[Path],
    *,
    least_bytes: int = _ALMOST_FULL_BYTES,
    statvfs: Callable[[Path], os.statvfs_result] = os.statvfs,
) -> Path | None:
    """The first of the folders whose disk has no room left for anybody; `None` where all have."""
    for folder in folders:
        try:
            found = statvfs(folder)
        except OSError:
            continue
        # Some file systems have no fixed number of files, and say 0 of 0.
        no_files = found.f_files > 0 and found.f_favail < _ALMOST_FULL_FILES
        if found.f_bavail * found.f_frsize < least_bytes or no_files:
            return folder
    return None


class DiskWatch:
    """Looks again and again, in a thread of its own, at what a program's writable folders hold.

    Args:
        processes: The program's processes, as the host numbers them.
    """

    def __init__(self, folders: Sequence[Path], *, most_bytes: int, processes: Callable[[], list[int]] = list) -> None:
        self._folders = tuple(folders)
        self._most_bytes = most_bytes
        self._processes = processes
        self._devices = frozenset(folder.stat().st_dev for folder in self._folders)
        self._exceeded = threading.Event()
        self._next = time.monotonic() + _INTERVAL_SECONDS
        self._looking: threading.Thread | None = None

    def exceeded(self) -> bool:
        """Whether it was too much; looks again where that is due, without waiting for what it finds."""
        due = self._folders and time.monotonic() >= self._next
        if due and not (self._looking and self._looking.is_alive()) and not self._exceeded.is_set():
            self._looking = threading.Thread(target=self._look, name="disk-use", daemon=True)
            self._looking.start()
        return self._exceeded.is_set()

    def count(self) -> DiskUse:
        """Count now."""
        return disk_use(self._folders)

    def full_disk(self) -> bool:
        """Whether the host's disk is full though the program had no more of it than it may."""
        if not full_disk(self._folders):
            return False
        found = self.count()
        return not found.uncounted and found.bytes <= self._most_bytes

    def close(self) -> None:
        """Wait for the look that goes on, so that nothing of the folders is open any more."""
        if self._looking:
            self._looking.join(_CLOSE_SECONDS)

    def _look(self) -> None:
        began = time.monotonic()
        found = self.count()
        unlinked = unlinked_use(self._processes(), self._devices)
        if found.uncounted or found.bytes + unlinked > self._most_bytes:
            self._exceeded.set()
        ended = time.monotonic()
        self._next = ended + max(_INTERVAL_SECONDS, _SHARE * (ended - began))


class _Count:
    """One count through some folders."""

    def __init__(self, most_files: int) -> None:
        self._most_files = most_files
        self._bytes = self._files = self._largest = 0
        self._uncounted = False
        self._several_names: set[tuple[int, int]] = set()

    def found(self) -> DiskUse:
        return DiskUse(self._bytes, self._files, self._largest, self._uncounted)

    def add_folder(self, folder: int, *, depth: int) -> None:
        inner: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._files += 1
                if self._files > self._most_files:
                    self._uncounted = True
                    return
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:  # it has gone meanwhile
                    continue
                self._add(status)
                if stat.S_ISDIR(status.st_mode):
                    inner.append(entry.name)
        if inner and depth >= _DEPTH:
            self._uncounted = True
            return
        for name in inner:
            descriptor = _opened(folder, name)
            if descriptor is None:
                continue
            try:
                self.add_folder(descriptor, depth=depth + 1)
            finally:
                os.close(descriptor)
            if self._uncounted:
                return

    def _add(self, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            self._largest = max(self._largest, status.st_size)
            if status.st_nlink > 1:
                identity = (status.st_dev, status.st_ino)
                if identity in self._several_names:
                    return
                self._several_names.add(identity)
        self._bytes += status.st_blocks * _BLOCK_BYTES


def _opened(folder: int, name: str) -> int | None:
    """A folder in another, open for listing; `None` for one that has gone, or is a folder no more."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        return _opened_up(folder, name)
    except OSError:
        return None


def _opened_up(folder: int, name: str) -> int | None:
    # An agent that is not root runs programs as its own user, and they can close folders to it, and so hide files.
    try:
        descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _open_files(processes: Sequence[int]) -> Iterator[os.stat_result]:
    for process in processes:
        # The second has files that are mapped into memory and closed again.
        for where in (f"/proc/{process}/fd", f"/proc/{process}/map_files"):
            try:
                found = list(Path(where).iterdir())
            except OSError:  # the process has gone, or the agent may not look
                continue
            for path in found:
                try:
                    yield path.stat()
                except OSError:
                    continue
