"""What is on a person's disk as the file that Podium takes: folders and single files are packed on the way."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from podium.platform.bundles.folder_zips import PackedFile, write_zip
from podium.platform.client.progress import OnProgress, Progress, Step
from podium.platform.client.transfers import CHUNK_BYTES
from podium.platform.errors import InvalidInput
from podium.platform.image_archives import is_image, is_image_name

# What systems and tools put into folders by themselves.
_JUNK = frozenset({"__MACOSX", ".DS_Store", ".git"})
# Files of programs that are zips inside: sent as they are, they would arrive in pieces.
_ZIPS_THAT_ARE_FILES = frozenset({".npz", ".pt", ".pth", ".keras", ".xlsx", ".docx", ".ods", ".whl", ".jar"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file that is ready to be sent, and the name that it is sent under."""

    path: Path
    name: str


def is_container_name(filename: str) -> bool:
    """Whether a file of this name is sent as the image of a container."""
    return is_image_name(filename)


@contextmanager
def packed_submission(path: Path, on_progress: OnProgress) -> Iterator[Parcel]:
    """A submission as it is sent: a zip, or an image of a container, as it is; a folder, or any other file, in a zip.

    What was packed is gone when the context ends. Images are checked as far as that needs no engine.

    Raises:
        InvalidInput: There is nothing at this path, nothing that can be packed, or a broken zip.
        ImageRefused: It is an image that could not be run; with every reason.
    """
    require_there(path)
    if path.is_file() and is_image(path):
        yield Parcel(path, path.name if is_image_name(path.name) else f"{path.name}.tar")
        return
    if is_archive(path):
        yield Parcel(path, path.name)
        return
    if path.is_file() and path.suffix.lower() == ".zip":
        # Packed into another zip, it would be scored as something that nobody meant.
        raise InvalidInput(f"{path} is called a zip but is none, or its end is missing.", remedy="Make the zip again.")
    with _packed(path, on_progress) as parcel:
        yield parcel


def is_archive(path: Path) -> bool:
    """Whether a file is a zip of what is submitted, and not one file that happens to be a zip inside, as an npz is."""
    return path.is_file() and path.suffix.lower() not in _ZIPS_THAT_ARE_FILES and zipfile.is_zipfile(path)


def is_archive_file(name: str, file: BinaryIO) -> bool:
    """The same of an open file of that name; where it is read from is another place afterwards."""
    return PurePath(name).suffix.lower() not in _ZIPS_THAT_ARE_FILES and zipfile.is_zipfile(file)


@contextmanager
def packed_bundle(path: Path, on_progress: OnProgress) -> Iterator[Parcel]:
    """A bundle as a zip: a folder's content, or a zip as it is.

    Raises:
        InvalidInput: There is nothing at this path, or it is neither a folder nor a zip.
    """
    require_there(path)
    if path.is_dir():
        with _packed(path, on_progress) as parcel:
            yield parcel
    elif zipfile.is_zipfile(path):
        yield Parcel(path, path.name)
    else:
        raise InvalidInput(f"{path} is neither a folder nor a zip, so it is no bundle.")


@contextmanager
def packed_dataset(path: Path, on_progress: OnProgress) -> Iterator[Parcel]:
    """A program or data as a zip: a folder's content, a single file in a zip, or a zip as it is.

    Raises:
        InvalidInput: There is nothing at this path, or nothing that can be packed.
    """
    require_there(path)
    if path.is_file() and zipfile.is_zipfile(path):
        yield Parcel(path, path.name)
        return
    with _packed(path, on_progress) as parcel:
        yield parcel


def require_there(path: Path) -> None:
    """Go on only if there is a file or a folder at this path.

    Raises:
        InvalidInput: There is not.
    """
    if not path.exists():
        raise InvalidInput(f"There is no file or folder {path}.", remedy="Check the path.")
    if not path.is_file() and not path.is_dir():
        raise InvalidInput(f"{path} is neither a file nor a folder.")


@contextmanager
def _packed(path: Path, on_progress: OnProgress) -> Iterator[Parcel]:
    name = f"{path.resolve().name or 'folder'}.zip"
    root = path if path.is_dir() else path.parent
    files, folders = _content(path) if path.is_dir() else ([_entry(path, path.name)], [])
    if not files:
        raise InvalidInput(f"{path} has no files in it.")
    total = sum(file.size for file in files)
    on_progress(Progress(Step.PACKING, name, 0, total))
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        target = Path(folder, "packed.zip")
        try:
            write_zip(target, files, folders, _Reader(root, name, total, on_progress))
        except UnicodeEncodeError:
            raise InvalidInput(
                f"A file in {path} has a name that is not UTF-8, which a zip can't hold.", remedy="Rename it."
            ) from None
        yield Parcel(target, name)


def _content(root: Path) -> tuple[list[PackedFile], list[str]]:
    files: list[PackedFile] = []
    folders: list[str] = []
    for here, folder_names, file_names in os.walk(root, onerror=_refuse_unreadable):
        folder_names[:] = sorted(set(folder_names) - _JUNK)
        for name in folder_names:
            folder = Path(here, name)
            if folder.is_symlink():
                raise InvalidInput(
                    f"{folder} is a link to a folder, which is not followed.", remedy="Put the folder itself there."
                )
            folders.append(folder.relative_to(root).as_posix())
        files += [
            _entry(Path(here, name), Path(here, name).relative_to(root).as_posix()) for name in set(file_names) - _JUNK
        ]
    return files, folders


def _entry(path: Path, inside: str) -> PackedFile:
    if not path.is_file():
        raise InvalidInput(f"{path} is no regular file, so it can't be packed.", remedy="Remove or replace it.")
    status = path.stat()
    return PackedFile(inside, status.st_size, bool(status.st_mode & 0o100))


def _refuse_unreadable(error: OSError) -> None:
    raise InvalidInput(f"{error.filename} can't be read: {error.strerror}.") from error


class _Reader:
    """Reads the files of a folder while they are packed, and tells how far that is."""

    def __init__(self, root: Path, name: str, total: int, on_progress: OnProgress) -> None:
        self._root = root
        self._name = name
        self._total = total
        self._done = 0
        self._on_progress = on_progress

    def __call__(self, inside: str) -> Iterator[bytes]:
        with (self._root / inside).open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
                self._done += len(chunk)
                self._on_progress(Progress(Step.PACKING, self._name, self._done, self._total))
