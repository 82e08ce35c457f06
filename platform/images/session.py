"""An import from beginning to end: a folder of uploads becomes images, and a report that tells of every file."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from podium.platform.images.children import Children, children
from podium.platform.images.grouping import Found, Group, Grouping, group, group_without
from podium.platform.images.job_kinds import (
    Expanded,
    ExpandJob,
    GroupFile,
    ImportJob,
    Made,
    Member,
    ScanJob,
    Scanned,
)
from podium.platform.images.kinds import ARCHIVES, HEAD_BYTES, SCANNED, Kind, kind_of
from podium.platform.images.limits import ImportLimits
from podium.platform.images.problems import Flag, FlagKind, Reason, Refusal
from podium.platform.images.regular_files import open_regular
from podium.platform.images.report import IgnoredFile, ImportedImage, ImportReport, MadeImage, RejectedFile

Progress = Callable[[str, int, int], None]
"""Told of each step: its name, how much of it is done, and how much there is."""
_LIBRARIES = {
    Kind.NIFTI: ("podium.platform.images.nifti",),
    Kind.TIFF: ("podium.platform.images.tiff",),
    Kind.WHOLE_SLIDE: ("podium.platform.images.whole_slides",),
    Kind.RASTER: ("podium.platform.images.raster",),
    Kind.DICOM: ("podium.platform.images.dicom_series",),
    Kind.METAIMAGE: ("podium.platform.images.metaimage",),
    Kind.NRRD: ("podium.platform.images.nrrd",),
    Kind.OCT: ("podium.platform.images.oct_scans",),
}
_FILES_OF_A_SCAN = 256
_MOST_ROUNDS = 10
"""How many damaged files of one series are left out one after the other, before all of it is refused."""


def silent(_step: str, _done: int, _all: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _File:
    """A file of the session: what was uploaded, or came out of an archive."""

    path: str
    place: Path
    size: int
    kind: Kind
    called: str = ""
    depth: int = 0
    ignored: str = ""
    is_pack: bool = False
    superseded: bool = False
    is_done: bool = False
    scanned: Scanned | None = None
    refusals: list[Refusal] = field(default_factory=list)


def import_files(
    sources: Path,
    destination: Path,
    *,
    limits: ImportLimits | None = None,
    progress: Progress = silent,
    names: Mapping[str, str] | None = None,
    packs: AbstractSet[str] = frozenset(),
    done: AbstractSet[str] = frozenset(),
) -> ImportReport:
    """Import all files of a folder.

    Nothing in the folder is changed. Each image gets a folder of its own in the destination, with its file, a thumbnail
    and a preview.

    Args:
        sources: The folder of uploads; what lies in folders in it counts too.
        destination: An empty folder.
        names: What files are called, by the names that they have in the folder of uploads, in the order in which they
            came; by default what lies there, with the paths that it has.
        packs: Archives, by what they are called, that only hold others: of these alone is told. What came later takes
            the place of what came before with the same path.
        done: Files, by what they are called, that are parts of images since before: others may refer to them, and a
            series of which some are is not made an image of its other slices. They are not told of.

    Raises:
        PlatformFault: The processes that read the files can't be run.
        OSError: The folders can't be used.
    """
    session = _Session(sources, destination, limits or ImportLimits(), progress, packs=packs, done=done)
    return session.run(names)


class _Session:
    def __init__(
        self,
        sources: Path,
        destination: Path,
        limits: ImportLimits,
        progress: Progress,
        *,
        packs: AbstractSet[str],
        done: AbstractSet[str],
    ) -> None:
        self._packs = packs
        self._done = done
        self._sources = sources.resolve()
        self._destination = destination.resolve()
        self._workplace = self._destination / ".work"
        self._limits = limits
        self._progress = progress
        self._files: list[_File] = []
        self._images: list[ImportedImage] = []
        self._folders = 0
        self._members = 0
        self._bytes = 0

    def run(self, names: Mapping[str, str] | None) -> ImportReport:
        began = time.monotonic()
        self._workplace.mkdir(parents=True)
        try:
            self._files = list(self._uploaded() if names is None else self._named(names))
            load = sorted({name for file in self._files for name in _LIBRARIES.get(file.kind, ())})
            with children(self._workplace, [self._sources], self._limits, load=load) as hands:
                self._expand(hands)
                self._files = [
                    file for file in self._files if not file.superseded and not (file.is_pack and file.ignored)
                ]
                for file in self._files:
                    file.is_done = file.path in self._done
                self._scan(hands)
                self._import(hands)
                return self._report(hands, time.monotonic() - began)
        finally:
            shutil.rmtree(self._workplace, ignore_errors=True)

    def _named(self, names: Mapping[str, str]) -> Iterator[_File]:
        for name, shown in names.items():
            file = _looked_at(shown, self._sources / name)
            file.is_pack = shown in self._packs
            yield file

    def _uploaded(self) -> Iterator[_File]:
        """List what was uploaded, never through a link."""
        for folder, folders, names in os.walk(self._sources):
            folders.sort()
            for name in sorted([*names, *(name for name in folders if Path(folder, name).is_symlink())]):
                place = Path(folder, name)
                shown = place.relative_to(self._sources).as_posix()
                if stat.S_ISREG(place.lstat().st_mode):
                    yield _looked_at(shown, place)
                else:
                    refusal = Refusal(Reason.UNSAFE_FILE, "It is a link or a device.", "Upload the file itself.")
                    yield _File(shown, place, 0, Kind.OTHER, refusals=[refusal])

    def _expand(self, hands: Children) -> None:
        """Unpack archives, and those in them, until there are none."""
        while waiting := [
            file
            for file in self._files
            if file.kind in ARCHIVES and not file.ignored and not file.refusals and not file.superseded
        ]:
            jobs = []
            for number, file in enumerate(waiting):
                if file.depth >= self._limits.archive_depth:
                    detail = f"It lies inside of {file.depth} other archives."
                    file.refusals.append(Refusal(Reason.ARCHIVE_REFUSED, detail, "Pack it less deeply."))
                    continue
                folder = self._workplace / f"expanded-{len(self._files):07}-{number:07}"
                folder.mkdir()
                # One after the other, since what is left of the caps is known only then.
                job = ExpandJob(str(file.place), file.kind, str(folder), self._left())
                jobs.append(job)
                for _, answer in hands.do([job]):
                    if isinstance(answer, Expanded):
                        self._take_in(file, folder, answer)
                    else:
                        assert isinstance(answer, Refusal)
                        file.refusals.append(answer)
                        shutil.rmtree(folder, ignore_errors=True)
                self._progress("unpacked", number + 1, len(waiting))

    def _left(self) -> ImportLimits:
        archive = self._limits.archive
        left = replace(
            archive,
            members=max(0, archive.members - self._members),
            total_bytes=max(0, archive.total_bytes - self._bytes),
        )
        return replace(self._limits, archive=left)

    def _take_in(self, archive: _File, folder: Path, expanded: Expanded) -> None:
        archive.ignored = f"archive of {len(expanded.members)} files"
        self._members += len(expanded.members)
        known = {file.path: file for file in self._files if not file.superseded}
        for member in expanded.members:
            path = member.path if archive.is_pack else f"{archive.path}/{member.path}"
            before = known.get(path)
            if archive.is_pack and before is not None and not before.is_pack:
                before.superseded = True
            else:
                path = _unique(path, known)
            file = known[path] = self._member(path, folder, member)
            file.depth = archive.depth + (not archive.is_pack)
            self._bytes += file.size
            self._files.append(file)

    @staticmethod
    def _member(path: str, folder: Path, member: Member) -> _File:
        place = folder / str(member.number)
        refusal = member.refusal
        if refusal is None:
            try:
                return _looked_at(path, place)
            except OSError:
                refusal = Refusal(Reason.CRASHED, "It could not be unpacked.")
        return _File(path, place, 0, Kind.OTHER, refusals=[refusal])

    def _scan(self, hands: Children) -> None:
        scanned = [file for file in self._files if file.kind in SCANNED and not file.refusals and not file.is_done]
        if any(file.kind is Kind.DICOM for file in scanned):
            scanned += [file for file in self._files if file.kind is Kind.DICOM and file.is_done]
        jobs = [ScanJob(str(file.place), file.kind) for file in scanned]
        for done, (number, answer) in enumerate(hands.do(jobs, at_once=_FILES_OF_A_SCAN), 1):
            file = scanned[number]
            if isinstance(answer, Refusal):
                file.refusals.append(answer)
            else:
                assert isinstance(answer, Scanned)
                file.scanned = answer
                file.ignored = answer.ignored
            if done % 100 == 0 or done == len(jobs):
                self._progress("scanned", done, len(jobs))

    def _import(self, hands: Children) -> None:
        found = [_found(file) for file in self._files]
        waiting = self._take_refusals(group(found))
        for _ in range(_MOST_ROUNDS):
            waiting = self._import_groups(waiting, hands)
        for one in waiting:
            self._refuse(one, Refusal(Reason.CORRUPT, "Too many files of its series are damaged."))

    def _take_refusals(self, grouping: Grouping) -> list[Group]:
        for number, refusals in grouping.refused.items():
            self._files[number].refusals += refusals
        return grouping.groups

    def _import_groups(self, groups: Sequence[Group], hands: Children) -> list[Group]:
        """Import groups, and give those that are left of series of which one file is damaged."""
        folders = [self._workplace / f"image-{self._folders + number:06}" for number in range(len(groups))]
        self._folders += len(groups)
        for folder in folders:
            folder.mkdir()
        jobs = [self._job(one, folder) for one, folder in zip(groups, folders, strict=True)]
        left: list[Group] = []
        made: dict[int, MadeImage] = {}
        for done, (number, answer) in enumerate(hands.do(jobs), 1):
            one, folder = groups[number], folders[number]
            if isinstance(answer, Made) and answer.image is not None and _is_whole(folder, answer.image):
                folder.rename(self._destination / folder.name)
                made[number] = answer.image
            else:
                shutil.rmtree(folder, ignore_errors=True)
                left += self._not_imported(one, answer)
            self._progress("imported", done, len(jobs))
        self._images += [ImportedImage(folders[number].name, made[number]) for number in sorted(made)]
        return left

    def _not_imported(self, one: Group, answer: object) -> list[Group]:
        """Refuse a group, or only the one file of it that is to blame."""
        culprit = answer.culprit if isinstance(answer, Made) else None
        refusal = answer.refusal if isinstance(answer, Made) else answer
        if one.kind is not Kind.DICOM or culprit is None or not 0 <= culprit < len(one.files) or len(one.files) == 1:
            self._refuse(one, refusal)
            return []
        assert isinstance(refusal, Refusal)
        self._files[one.files[culprit]].refusals.append(refusal)
        return self._take_refusals(group_without(one, culprit))

    def _job(self, one: Group, folder: Path) -> ImportJob:
        files = tuple(GroupFile(self._files[number].path, str(self._files[number].place)) for number in one.files)
        return ImportJob(one.kind, one.name, files, str(folder), self._limits, one.headers, one.stack, one.part)

    def _refuse(self, one: Group, refusal: object) -> None:
        """Refuse the files of a group: a header for its reason, and its data file for its header."""
        if not isinstance(refusal, Refusal):
            refusal = Refusal(Reason.CRASHED, "The program that read it did not finish its work.")
        for number in one.files:
            told = refusal
            if one.kind is Kind.WHOLE_SLIDE and number != one.files[0]:
                whole = self._files[one.files[0]].path
                told = Refusal(Reason.INCOMPLETE_SET, f"It is a part of {whole!r}, which is rejected: {refusal.detail}")
            if one.kind in (Kind.METAIMAGE, Kind.NRRD) and number != one.files[0]:
                header = self._files[one.files[0]].path
                told = Refusal(Reason.HEADER_REJECTED, f"Its header, {header!r}, is rejected: {refusal.detail}")
            self._files[number].refusals.append(told)

    def _tell_of_missing_parts(self) -> None:
        """Say with the images of a file with several that others of it are refused: the file itself is not."""
        refused = {file.path: file.refusals[0] for file in self._files if file.kind is Kind.OCT and file.refusals}
        for number, made in enumerate(self._images):
            refusal = refused.get(made.image.sources[0].path) if made.image.sources else None
            if refusal is not None:
                told = Flag(FlagKind.INCOMPLETE_FILE, f"Another image of its file is refused: {refusal.detail}")
                self._images[number] = replace(made, image=replace(made.image, flags=(*made.image.flags, told)))

    def _report(self, hands: Children, seconds: float) -> ImportReport:
        self._tell_of_missing_parts()
        used = {source.path for image in self._images for source in image.image.sources}
        ignored = [
            IgnoredFile(file.path, file.size, file.ignored) for file in self._files if file.ignored and not file.is_done
        ]
        skipped = used | {file.path for file in ignored} | {file.path for file in self._files if file.is_done}
        rejected = [_rejected(file) for file in self._files if file.path not in skipped]
        return ImportReport(
            images=tuple(self._images),
            rejected=tuple(rejected),
            ignored=tuple(ignored),
            isolation=hands.isolation,
            seconds=seconds,
            peak_bytes=hands.peak_bytes,
            cpu_seconds=hands.cpu_seconds,
        )


def _found(file: _File) -> Found:
    # What is done is only referred to, save the slices that tell what else belongs to their series.
    is_series = file.scanned is not None and file.scanned.dicom is not None
    is_nothing = file.refusals or (file.is_done and not is_series)
    return Found(
        file.path, Kind.OTHER if is_nothing else file.kind, None if is_nothing else file.scanned, is_done=file.is_done
    )


def _looked_at(shown: str, place: Path) -> _File:
    with open_regular(place) as file:
        kind, called = kind_of(shown, file.read(HEAD_BYTES))
        made = _File(shown, place, os.fstat(file.fileno()).st_size, kind, called)
    if kind is Kind.JUNK:
        made.ignored = "left behind by a system"
    return made


def _unique(path: str, known: Mapping[str, object]) -> str:
    number, found = 2, path
    while found in known:
        found = f"{path} ({number})"
        number += 1
    return found


def _is_whole(folder: Path, image: MadeImage) -> bool:
    """Whether the files that a child speaks of are there, and are files: it may have been made to lie."""
    for name in (image.file, image.thumbnail, image.preview):
        with suppress(OSError):
            if "/" not in name and stat.S_ISREG((folder / name).lstat().st_mode):
                continue
        return False
    return True


def _rejected(file: _File) -> RejectedFile:
    first, *others = file.refusals or [_of_no_image(file)]
    details = dict.fromkeys(other.detail for other in others if other.detail != first.detail)
    return RejectedFile(file.path, file.size, first.reason, first.detail, first.remedy, tuple(details))


def _of_no_image(file: _File) -> Refusal:
    if file.kind is Kind.EMPTY:
        return Refusal(Reason.EMPTY, "It has no bytes.", "Upload it again.")
    if file.kind is Kind.UNSUPPORTED:
        return Refusal(
            Reason.UNSUPPORTED_FORMAT,
            f"It is {file.called}, which isn't read here.",
            "Convert it to MetaImage, NIfTI, NRRD, DICOM, TIFF, PNG or JPEG.",
        )
    if file.kind is Kind.MISNAMED:
        detail = f"It is named like a {file.called} file, but its content is none."
        return Refusal(Reason.CORRUPT, detail, "Upload it again.")
    return Refusal(Reason.NOT_AN_IMAGE, "It is neither an image nor an archive of a kind that is known here.")
