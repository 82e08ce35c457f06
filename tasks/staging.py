"""Getting what an evaluation needs onto the host: downloads, checked by size and SHA-256, unpacked with caps.

Programs and data are kept unpacked by their SHA-256 and shown to containers read-only, so that the next submission
finds them there. A submission is unpacked into its attempt's own folder.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from podium.platform.archives import ArchiveRefused, extract_archive
from podium.platform.bundles.content import Protocol
from podium.platform.errors import PlatformFault
from podium.platform.jobs import Source
from podium.tasks.arrangement import arrange
from podium.tasks.gateway import Transfers
from podium.tasks.tree_removal import remove_tree

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_holders: defaultdict[str, set[str]] = defaultdict(set)
"""Who uses which folder of the cache; a folder's entry changes under its lock alone."""


def stage_dataset(
    source: Source,
    cache: Path,
    transfers: Transfers,
    *,
    stop: threading.Event,
    protocol: Protocol = Protocol.V2,
    holder: str = "",
) -> Path:
    """A program's or dataset's folder, from the cache or fetched into it; never to be written to.

    It stays there until `release_datasets` is told that its holder has gone.

    Folders that CodaLab's protocol arranges (`arrangement`) are kept apart from those of the other.

    Raises:
        PlatformFault: It could not be fetched, or is no archive that can be used: never the participant's doing.
    """
    is_old = protocol is Protocol.V1_5
    folder = cache / (f"{source.sha256}-{protocol}" if is_old else source.sha256)
    with _locks[folder.name]:
        if holder:
            _holders[folder.name].add(holder)
        if folder.is_dir():
            os.utime(folder)
            return folder
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix=".new-") as temporary:
            archive, content = Path(temporary, "archive.zip"), Path(temporary, "content")
            transfers.fetch(source, archive, stop=stop)
            content.mkdir()
            try:
                extract_archive(archive, content)
                if is_old:
                    arrange(content, protocol)
            except ArchiveRefused as refused:
                raise PlatformFault(f"A dataset of this competition can't be unpacked: {refused}") from refused
            content.chmod(0o755)
            content.rename(folder)
    return folder


def stage_submission(source: Source, folder: Path, transfers: Transfers, *, stop: threading.Event) -> Path:
    """The submission's own folder, unpacked.

    Raises:
        ArchiveRefused: It is no archive that can be used: the participant's doing.
        PlatformFault: It could not be fetched.
    """
    archive, content = folder / "submission.zip", folder / "submission"
    transfers.fetch(source, archive, stop=stop)
    content.mkdir(mode=0o755)
    extract_archive(archive, content)
    archive.unlink()
    return content


def fetch_image(source: Source, folder: Path, transfers: Transfers, *, stop: threading.Event) -> Path:
    """A submission that is the image of a container, as it was uploaded.

    Raises:
        PlatformFault: It could not be fetched.
    """
    archive = folder / "image.tar"
    transfers.fetch(source, archive, stop=stop)
    return archive


def release_datasets(holder: str) -> None:
    """A holder needs no dataset any more."""
    for holders in list(_holders.values()):
        holders.discard(holder)


def sweep_attempts(attempts: Path, held: Collection[str] = ()) -> int:
    """Remove the folders of attempts but for those that are `held`; say how many there were.

    An attempt is held from before its folder is made until after it is removed, so this can be done at any time.
    """
    found = list(attempts.iterdir()) if attempts.is_dir() else []
    forgotten = [folder for folder in found if folder.name not in held]
    for folder in forgotten:
        remove_tree(folder)
    return len(forgotten)


def trim_cache(cache: Path, *, max_bytes: int) -> None:
    """Remove the datasets that were not used for longest until the cache fits; what attempts use stays."""
    if not cache.is_dir():
        return
    for leftover in cache.glob(".old-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folders = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")]
    folders.sort(key=lambda path: path.stat().st_mtime)
    sizes = {folder: _bytes_under(folder) for folder in folders}
    total = sum(sizes.values())
    for folder in folders:
        if total <= max_bytes:
            return
        if _remove_unused(folder):
            total -= sizes[folder]


def _remove_unused(folder: Path) -> bool:
    """Remove a dataset unless an attempt uses it; an attempt that comes for it meanwhile fetches it anew."""
    old = folder.with_name(f".old-{folder.name}")
    with _locks[folder.name]:
        if _holders[folder.name]:
            return False
        folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)
    return True


def _bytes_under(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
