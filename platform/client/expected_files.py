"""A file or folder as a phase wants it: checked by what the phase declares, and under the name that it declares.

The same for the command line, for Python and for the pages, so that a slip costs no submission anywhere.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from podium.platform.bundles.submission_formats import SUFFIXES, FormatKind, SubmissionFormat
from podium.platform.client.format_checks import FormatMismatch
from podium.platform.client.format_files import content_problems, path_problems
from podium.platform.client.packing import is_archive, is_archive_file
from podium.platform.errors import PlatformFault
from podium.platform.image_archives import is_image
from podium.platform.records.competitions import PhaseRecord

IS_NO_PATH = "is not the path of a file in a submission"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be sent.

    Attributes:
        path: A file or folder; the client packs it.
        said: What was made of what the participant gave, in a few words; empty where nothing was.
    """

    path: Path
    said: str = ""


@contextmanager
def checked_submission(path: Path, phase: PhaseRecord) -> Iterator[Prepared]:
    """A file or folder as the phase wants it; what was made of it is gone when the context ends.

    Raises:
        FormatMismatch: It is not what the phase takes; with all problems.
        PlatformFault: The gateway names a file that would lie elsewhere.
    """
    require_inside(phase)
    # What is not there, packing says.
    if path.exists():
        require_expected(path, phase)
    with tempfile.TemporaryDirectory(prefix="podium-") as scratch:
        yield renamed(path, phase, Path(scratch))


def require_inside(phase: PhaseRecord) -> None:
    """Go on only if the file's name, which is the gateway's word, leads nowhere but into what is submitted.

    Raises:
        PlatformFault: It does not.
    """
    expected = phase.submission_format
    if expected is not None and expected.kind is not FormatKind.ZIP and not is_inside(expected.file):
        raise PlatformFault(f"The gateway names a file '{expected.file[:80]}', which {IS_NO_PATH}.")


def is_inside(name: str) -> bool:
    """Whether a name is a path to somewhere in the folder that it begins in."""
    return "\\" not in name and not any(part in {"", ".", ".."} for part in name.split("/"))


def require_expected(path: Path, phase: PhaseRecord) -> None:
    """Go on only if a file or folder is what the phase declares; code, and where nothing is declared, is.

    Raises:
        FormatMismatch: It is not; with all problems.
    """
    expected = phase.submission_format
    if expected is None or phase.container_submissions or (path.is_file() and is_image(path)):
        return
    is_packed = path.is_dir() or is_archive(path)
    problems = _kind_problems(expected, path.name, phase, is_packed=is_packed)
    if problems is None:
        problems = path_problems(expected, path, file_is_required=phase.only_result_submissions)
    refuse(phase, problems, path.name)


def file_problems_of(name: str, file: BinaryIO, phase: PhaseRecord, *, most_bytes: int) -> list[str] | None:
    """What is wrong with a file that is not on a disk of this machine's user; as `require_expected` looks at it.

    Args:
        name: As the participant calls it.
        file: Its content.
        most_bytes: Of what is looked through, unpacked: it may have been made to take long.

    Returns:
        All problems; `None` where it can't be told, because nothing is declared or it is too large.
    """
    expected = phase.submission_format
    if expected is None or phase.container_submissions:
        return None
    problems = _kind_problems(expected, name, phase, is_packed=is_archive_file(name, file))
    if problems is None:
        required = phase.only_result_submissions
        return content_problems(expected, name, file, file_is_required=required, most_bytes=most_bytes)
    return problems


def _kind_problems(expected: SubmissionFormat, name: str, phase: PhaseRecord, *, is_packed: bool) -> list[str] | None:
    """What is wrong with a single file by its name; `None` where its content is to be looked at."""
    if is_packed or expected.kind is FormatKind.ZIP or _is_wanted(expected, name):
        return None
    # Code, of which nothing is declared, may be a single file too.
    return [f"'{name}' is not a {expected.kind.value}."] if phase.only_result_submissions else []


def _is_wanted(expected: SubmissionFormat, name: str) -> bool:
    path = PurePosixPath(name)
    return path.name == PurePosixPath(expected.file).name or SUFFIXES.get(path.suffix.lower()) is expected.kind


def renamed(path: Path, phase: PhaseRecord, scratch: Path) -> Prepared:
    """A single file of the wanted kind under the name that the phase wants; anything else as it is.

    What is sent is called as the participant calls the file, by which they find it again.

    Args:
        scratch: A folder in which to lay it out.
    """
    expected = phase.submission_format
    if expected is None or not is_to_be_renamed(path.name, phase):
        return Prepared(path)
    if not path.is_file() or is_archive(path) or is_image(path):
        return Prepared(path)
    folder = scratch / path.name
    target = folder / expected.file
    target.parent.mkdir(parents=True)
    _linked(path.resolve(), target)
    return Prepared(folder, f"{path.name} as {expected.file}")


def is_to_be_renamed(name: str, phase: PhaseRecord) -> bool:
    """Whether a single file of this name, which is no archive, is sent under another one."""
    expected = phase.submission_format
    if expected is None or phase.container_submissions or expected.kind is FormatKind.ZIP or name == expected.file:
        return False
    return is_inside(expected.file) and _is_wanted(expected, name)


def refuse(phase: PhaseRecord, problems: Sequence[str], name: str = "this") -> None:
    """Go on only if there are no problems.

    Args:
        name: Of the file or folder that has them.

    Raises:
        FormatMismatch: There are some.
    """
    if problems:
        words = phase.submission_format.in_words() if phase.submission_format else ""
        raise FormatMismatch(phase.name, words, problems, name)


def _linked(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:
        # Systems on which not everybody may make links.
        shutil.copyfile(source, target)
