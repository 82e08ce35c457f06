"""The fields of a bundle that name files: datasets, programs, pages and the image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from io import BytesIO
from uuid import UUID

from podium.platform.archives import Archive, ArchiveRefused, open_archive
from podium.platform.bundles.archive import BundleFiles
from podium.platform.bundles.content import FileInBundle, StoredDataset
from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import Findings, shown
from podium.platform.bundles.programs import check_program

MAX_PAGE_BYTES = 1 << 20

# Zips up to this size are looked into; larger ones only have to begin like a zip.
_MAX_INSPECTED_BYTES = 16 << 20
_ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

# Looking for the path that was meant is slow, and a hostile bundle could ask for it again and again.
_COMPARED_PATHS = 200
_COMPARED_CHARACTERS = 100
_COMPARISONS = 20


class Sources:
    """Finds what file fields name, in one bundle; each file is looked into once, however often it is named.

    Args:
        folders_for_zips: Whether `data.zip` may be the folder `data`, with a warning: for formats that know zips alone,
            whose organizers keep the folders and zip them with a script.
    """

    def __init__(self, files: BundleFiles, findings: Findings, *, folders_for_zips: bool = False) -> None:
        self._files = files
        self._folders_for_zips = folders_for_zips
        self._findings = findings
        self._checked: set[tuple[str, bool]] = set()
        self._comparisons_left = _COMPARISONS

    def dataset(self, value: Value | None, *, is_program: bool = False) -> FileInBundle | StoredDataset | None:
        """Read a field that names a zip or a folder of the bundle, or a stored dataset by its key.

        Args:
            value: The field, `None` where it is absent.
            is_program: Whether it is to hold a program, with its `metadata.yaml`.

        Returns:
            What it names; `None` where it is absent, or wrong.
        """
        text = value.text() if value else None
        if value is None or text is None:
            return None
        path = self._files.find(text) or self._folder_for(value, text)
        if path is None:
            if is_key(text):
                return StoredDataset(str(UUID(text)))
            self._not_found(value, text, "and is not the key of a stored dataset (a UUID) either")
            return None
        if (path, is_program) not in self._checked:
            self._checked.add((path, is_program))
            self._check_dataset(value, path, is_program=is_program)
        return FileInBundle(path, self._files.is_folder(path))

    def file(self, value: Value | None) -> str:
        """Read a field that names a file of the bundle; `""` stands in for a wrong one."""
        text = value.text() if value else None
        if value is None or text is None:
            return ""
        path = self._files.find(text)
        if path is None:
            self._not_found(value, text, "")
        elif self._files.is_folder(path):
            value.error(f"{shown(text)} is a folder; a file is needed.")
        elif not self._files.files[path].size:
            value.error(f"The file {shown(path)} is empty.", "Write something in it.")
        else:
            return path
        return ""

    def page(self, value: Value | None) -> tuple[str, str]:
        """Read a field that names a Markdown or HTML file, and give its path and its text."""
        path = self.file(value)
        if value is None or not path:
            return "", ""
        data = self._read(value, path, MAX_PAGE_BYTES + 1)
        if len(data) > MAX_PAGE_BYTES:
            value.error(f"The page {shown(path)} is larger than {MAX_PAGE_BYTES >> 10} KiB.", "Link to large things.")
            return path, ""
        return path, self._decoded(value, path, data)

    def _decoded(self, value: Value, path: str, data: bytes) -> str:
        if b"\0" in data:
            value.error(f"{shown(path)} is not a text file.", "Save it as UTF-8 text: Markdown or HTML.")
            return ""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            text = data.decode("latin-1")
            self._findings.warning(
                "The file is not UTF-8, and was read as Latin-1.",
                file=path,
                line=data.count(b"\n", 0, error.start) + 1,
                suggestion="Save it as UTF-8.",
            )
        if data and not text.strip():
            value.error(f"The page {shown(path)} is empty.", "Write something in it.")
        return text

    def _folder_for(self, value: Value, text: str) -> str | None:
        folder = (
            self._files.find(text.removesuffix(".zip")) if self._folders_for_zips and text.endswith(".zip") else None
        )
        if folder is None or not self._files.is_folder(folder):
            return None
        value.warning(f"{shown(text)} is not in the bundle; the folder {shown(folder)} is taken in its place.")
        return folder

    def _not_found(self, value: Value, text: str, also: str) -> None:
        if not text:
            value.error("The name of a file is missing.")
        elif text.startswith("/") or ".." in text.split("/"):
            value.error(f"{shown(text)} leads out of the bundle.", "Name it relative to competition.yaml.")
        else:
            said = f"{shown(text)} is not in the bundle{', ' + also if also else ''}."
            self._comparisons_left -= 1
            paths = [*self._files.files, *sorted(self._files.folders)] if self._comparisons_left >= 0 else []
            value.error(said, _nearest(text, paths))

    def _check_dataset(self, value: Value, path: str, *, is_program: bool) -> None:
        if self._files.is_folder(path):
            names = [name.removeprefix(f"{path}/") for name in self._files.files_under(path)]
            if not names:
                value.warning(f"The folder {shown(path)} is empty.")
            elif is_program:
                check_program(value, path, names, lambda name, size: self._files.read(f"{path}/{name}", max_bytes=size))
        elif not self._read(value, path, 4).startswith(_ZIP_BEGINNINGS):
            value.error(f"{shown(path)} is not a zip.", "A dataset is a zip or a folder: put the file into a folder.")
        elif self._files.files[path].size <= _MAX_INSPECTED_BYTES:
            self._check_zip(value, path, is_program=is_program)

    def _check_zip(self, value: Value, path: str, *, is_program: bool) -> None:
        """Refuse now a zip that every agent would refuse later."""
        data = self._read(value, path, _MAX_INSPECTED_BYTES)
        try:
            with open_archive(BytesIO(data)) as archive:
                if is_program:
                    sizes = {member.path: member for member in archive.members if not member.is_folder}
                    check_program(value, path, list(sizes), lambda name, size: _read_member(archive, name, size))
        except ArchiveRefused as refusal:
            value.error(f"The zip {shown(path)} can't be used: {refusal.faults[0].message}", refusal.remedy)

    def _read(self, value: Value, path: str, max_bytes: int) -> bytes:
        """Read a file of the bundle; what can't be read is noted, and empty."""
        try:
            return self._files.read(path, max_bytes=max_bytes)
        except (ArchiveRefused, OSError) as error:
            value.error(f"{shown(path)} can't be read: {error}")
            return b""


def is_key(text: str) -> bool:
    """Whether a text looks like the key of something stored."""
    return bool(_UUID.fullmatch(text))


def _read_member(archive: Archive, name: str, max_bytes: int) -> bytes:
    member = next(member for member in archive.members if member.path == name)
    collected = bytearray()
    for piece in archive.chunks(member):
        collected += piece
        if len(collected) >= max_bytes:
            break
    return bytes(collected[:max_bytes])


def _nearest(wanted: str, paths: Sequence[str]) -> str:
    """Suggest a path that was perhaps meant: in other letter case, in another folder, or spelt much alike."""
    folded = "/".join(part for part in wanted.split("/") if part not in ("", ".")).casefold()
    if same := next((path for path in paths if path.casefold() == folded), None):
        return f"The bundle has `{same}`: letter case matters."
    name = folded.rpartition("/")[2]
    moved = next((path for path in paths if path.casefold().rpartition("/")[2] == name), None)
    if not moved and len(folded) <= _COMPARED_CHARACTERS:
        comparable = [path for path in paths if len(path) <= _COMPARED_CHARACTERS]
        # Those near the root first: they are the ones that bundles name.
        comparable.sort(key=lambda path: path.count("/"))
        moved = next(iter(get_close_matches(folded, comparable[:_COMPARED_PATHS], n=1)), None)
    return f"Did you mean `{moved}`?" if moved else ""
