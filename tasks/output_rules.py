"""What may leave a folder that a program could write to: kinds, names, sizes and numbers, and how it is said. Pure."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from os import stat_result

from podium.platform.errors import PodiumError

_SHOWN_CHARACTERS = 200
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)  # control characters, line ends, marks that turn the direction of text, and what is not UTF-8

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "it is a symbolic link"),
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISBLK, "it is a device"),
    (stat.S_ISCHR, "it is a device"),
)


class OutputRefused(PodiumError):
    """Something in a program's output can't be taken; the message names it and the rule.

    Attributes:
        path: What was refused, fit to be shown.
        limit: The name of the limit in `Limits` that it exceeds (`output_bytes`, `output_files`), or an empty string.
    """

    status = 422
    type = "output-refused"
    title = "The output can't be taken"

    def __init__(self, path: str, reason: str, *, limit: str = "", remedy: str = "") -> None:
        self.path = printable(path)
        self.limit = limit
        super().__init__(f"The output `{self.path}` is refused: {reason}.", remedy=remedy)


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """What may leave a folder.

    Attributes:
        bytes: Sum of all files, a sparse one counted as if it were written in full.
        files: Number of files and folders together.
        depth: Folders within each other.
        name_bytes: Length of one name.
        path_bytes: Length of a path inside the folder: what is longer could not be made again elsewhere.
    """

    bytes: int = 2048 * 1024 * 1024
    files: int = 10_000
    depth: int = 32
    name_bytes: int = 255
    path_bytes: int = 1024


def check_name(name: str, path: str, limits: OutputLimits) -> None:
    """Go on only with a name that means the same everywhere it is shown or unpacked.

    Raises:
        OutputRefused: It has characters that steer or deceive, or it or its path is too long.
    """
    if is_unfit(name):
        raise OutputRefused(path, "its name has control characters, a backslash, or is not UTF-8")
    if len(name.encode()) > limits.name_bytes:
        raise OutputRefused(path, f"its name is longer than {limits.name_bytes} bytes")
    if len(path.encode()) > limits.path_bytes:
        raise OutputRefused(path, f"its path is longer than {limits.path_bytes} bytes")


def check_kind(status: stat_result, path: str, device: int) -> None:
    """Go on only with a plain file that has a single name and lies on the tree's own file system.

    Raises:
        OutputRefused: It is a link, a device, a pipe, a socket, a folder, or lies elsewhere.
    """
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise OutputRefused(path, reason, remedy="Only plain files and folders can be taken.")
    if not stat.S_ISREG(status.st_mode):
        raise OutputRefused(path, "it is not a plain file")
    if status.st_nlink != 1:
        raise OutputRefused(path, "it is a hard link", remedy="Write a file of its own instead.")
    check_device(status, path, device)


def check_device(status: stat_result, path: str, device: int) -> None:
    """Go on only with what lies on the file system of the tree.

    Raises:
        OutputRefused: It lies on another one.
    """
    if status.st_dev != device:
        raise OutputRefused(path, "it is on another file system")


def too_many_files(path: str, limit: int) -> OutputRefused:
    """That there are more files and folders than may leave."""
    return OutputRefused(
        path,
        f"there are more than {limit} files and folders",
        limit="output_files",
        remedy="Write fewer files, or put them into one archive.",
    )


def too_many_bytes(path: str, limit: int) -> OutputRefused:
    """That the files are larger together than may leave."""
    reason = f"with it, the output has more than {limit} bytes"
    return OutputRefused(path, reason, limit="output_bytes", remedy="Write less, or ask for a higher limit.")


def is_unfit(name: str) -> bool:
    """Whether a name has characters that steer a terminal, deceive a reader, or are not UTF-8."""
    return _UNFIT.search(name) is not None


def printable(path: str) -> str:
    """A path that a program chose, fit for a message: no control characters, no endless length."""
    shown = _UNFIT.sub("?", path)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
