"""Reading a bundle: what it says, and all that is wrong with it.

    with read_bundle(Path("bundle.zip")) as reading:
        print(problems_text(reading.problems))
        content = reading.accepted()

Nothing is unpacked and nothing is run. What is wrong with the bundle is never raised by `read_bundle` itself,
whatever the bundle holds: it is in `problems`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from podium.platform.archives import ArchiveLimits, ArchiveRefused
from podium.platform.bundles.archive import BundleFiles, open_bundle
from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import EnoughFound, Findings, shown
from podium.platform.bundles.problems import BundleRefused, Problem, Severity
from podium.platform.bundles.v1 import looks_like_v1, read_v1
from podium.platform.bundles.v2 import read_v2
from podium.platform.bundles.yaml_source import MAX_YAML_BYTES, Items, Mapping, Scalar, load_yaml

COMPETITION_FILE = "competition.yaml"

_OTHER_COMPETITION_FILE = "competition.yml"
_MAX_TRIED = 10
"""Files that are tried in place of a missing `competition.yaml`."""
_OLD_VERSIONS = frozenset({"1", "1.0", "1.5", "1.8"})
_VERSIONS = frozenset({"2", "2.0"})


@dataclass(frozen=True, slots=True)
class BundleReading:
    """What came of reading a bundle. A context manager: the bundle stays open for its files until it is closed.

    Attributes:
        content: The competition; `None` when the bundle is refused.
        problems: Everything that is wrong, by file and line.
        files: The bundle's files; `None` when it can't be opened at all.
    """

    content: CompetitionContent | None
    problems: tuple[Problem, ...]
    files: BundleFiles | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the bundle's files."""
        if self.files:
            self.files.close()

    @property
    def refused(self) -> bool:
        """Whether there is an error, so that no competition can be made of the bundle."""
        return self.content is None

    def accepted(self) -> CompetitionContent:
        """Give the competition.

        Raises:
            BundleRefused: There is an error; the exception has all problems.
        """
        if self.content is None:
            raise BundleRefused(self.problems)
        return self.content


def read_bundle(path: Path, *, limits: ArchiveLimits | None = None) -> BundleReading:
    """Read a bundle, a zip or a folder, and find everything that is wrong with it.

    Args:
        path: The zip or folder.
        limits: Caps on its size; the defaults of `ArchiveLimits` without it.

    Returns:
        The competition, or the reasons why there is none, and the open bundle; close it, or use it in a `with`.
    """
    findings = Findings()
    try:
        files = _opened(path, limits, findings)
    except EnoughFound:
        files = None
    if files is None:
        return BundleReading(None, findings.in_order(), None)
    try:
        files, content = _read(files, findings)
    except EnoughFound:
        content = None
    except BaseException:
        files.close()
        raise
    return BundleReading(None if findings.refused else content, findings.in_order(), files)


def _opened(path: Path, limits: ArchiveLimits | None, findings: Findings) -> BundleFiles | None:
    try:
        return open_bundle(path, limits)
    except ArchiveRefused as refusal:
        for fault in refusal.faults:
            findings.error(fault.message, suggestion=fault.remedy)
    except OSError as error:
        # The name alone: on a server, the folders before it are nobody's business.
        name = Path(str(error.filename or path)).name
        findings.error(f"{shown(name)} can't be read: {error.strerror or 'reading failed'}.")
    return None


def _read(files: BundleFiles, findings: Findings) -> tuple[BundleFiles, CompetitionContent | None]:
    files = _rooted(files, findings)
    file = _competition_file(files, findings)
    root = _root(files, file, findings) if file else None
    match _version(root) if root else None:
        case 1:
            return files, read_v1(root, files, findings) if root else None
        case 2:
            return files, read_v2(root, files, findings) if root else None
    return files, None


def _rooted(files: BundleFiles, findings: Findings) -> BundleFiles:
    """Find the folder with the competition's file: zipping the folder and not what is in it is the usual mistake."""
    names = (COMPETITION_FILE, _OTHER_COMPETITION_FILE)
    folders = [folder for folder in sorted(files.folders) if "/" not in folder]
    holding = [folder for folder in folders if any(files.is_file(f"{folder}/{name}") for name in names)]
    if any(files.is_file(name) for name in names) or len(holding) != 1:
        return files
    findings.warning(
        f"The bundle is inside the folder {shown(holding[0])}, which is taken as its root.",
        suggestion="Zip what is in the folder, and not the folder: Codabench refuses this.",
    )
    return files.rooted_at(holding[0])


def _competition_file(files: BundleFiles, findings: Findings) -> str | None:
    has_other = files.is_file(_OTHER_COMPETITION_FILE)
    if files.is_file(COMPETITION_FILE):
        if has_other:
            findings.warning(f"`{_OTHER_COMPETITION_FILE}` is ignored: there is a `{COMPETITION_FILE}` too.")
        return COMPETITION_FILE
    if has_other:
        findings.warning(
            f"The bundle has a `{_OTHER_COMPETITION_FILE}`, which Codabench does not find.",
            suggestion=f"Rename it to `{COMPETITION_FILE}`.",
        )
        return _OTHER_COMPETITION_FILE
    if old := _old_competition_file(files):
        findings.warning(
            f"The competition is in `{old}`, which CodaLab finds and Codabench does not.",
            suggestion=f"Rename it to `{COMPETITION_FILE}`.",
        )
        return old
    at_root = sorted({path.split("/")[0] + ("/" if "/" in path else "") for path in (*files.files,)})
    listed = ", ".join(at_root[:10]) + (", …" if len(at_root) > 10 else "")
    findings.error(
        f"There is no `{COMPETITION_FILE}` at the root of the bundle, where there is {listed or 'nothing'}.",
        suggestion=_elsewhere(files),
    )
    return None


def _old_competition_file(files: BundleFiles) -> str | None:
    """Find a file with another name that is a CodaLab competition: CodaLab takes any file whose name has `.yaml`."""
    named = sorted((path for path in files.files if ".yaml" in path), key=lambda path: (path.count("/"), path))
    for path in named[:_MAX_TRIED]:
        quiet = Findings()
        root = _root(files, path, quiet)
        if root and not quiet.refused and looks_like_v1(root):
            return path
    return None


def _elsewhere(files: BundleFiles) -> str:
    """Say where a file that could be the competition's lies instead."""
    candidates = [
        path
        for path in files.files
        if path.rpartition("/")[2].casefold() in (COMPETITION_FILE, _OTHER_COMPETITION_FILE)
    ]
    if not candidates:
        return "Zip the folder's content together with that file."
    path = min(candidates, key=lambda candidate: candidate.count("/"))
    if "/" in path:
        return f"There is a `{path}`: make a bundle of that folder's content alone."
    return f"Rename `{path}` to `{COMPETITION_FILE}`."


def _root(files: BundleFiles, file: str, findings: Findings) -> Value | None:
    try:
        data = files.read(file, max_bytes=MAX_YAML_BYTES + 1)
    except (ArchiveRefused, OSError) as error:
        findings.error(f"The file can't be read: {error}", file=file)
        return None
    document = load_yaml(data)
    for fault in document.faults:
        severity = Severity.WARNING if fault.is_harmless else Severity.ERROR
        findings.add(Problem(severity, fault.message, file, fault.line, "", fault.suggestion))
    if document.root is None:
        if not document.faults:
            findings.error("The file is empty.", file=file)
        return None
    return Value(document.root, file, document.root.line, "", findings)


def _version(root: Value) -> int | None:
    """The version that a bundle is to be read as, by `version`, and without one by the fields; 1 is CodaLab's.

    Returns:
        `None` for one that can't be read; why is noted as the one error.
    """
    if not isinstance(root.node, Mapping):
        root.expected("the fields of a competition")
        return None
    entry = root.node.get("version")
    if entry is None or (isinstance(entry.value, Scalar) and entry.value.tag == "null"):
        return _guessed_version(root, root.node)
    version = entry.value.text.strip() if isinstance(entry.value, Scalar) else ""
    if version in _VERSIONS:
        return 2
    if version in _OLD_VERSIONS:
        return 1
    place = Value(entry.value, root.file, entry.line, "version", root.findings)
    place.expected("the version 2 (Codabench), or 1, 1.5 or 1.8 (CodaLab)", "Write `version: 2`.")
    return None


def _guessed_version(root: Value, mapping: Mapping) -> int | None:
    if looks_like_v1(root):
        return 1
    phases = mapping.get("phases")
    if any(mapping.get(name) for name in ("tasks", "leaderboards")) or (phases and isinstance(phases.value, Items)):
        root.findings.warning(
            "`version` is missing; the bundle is read as version 2.",
            file=root.file,
            line=root.line,
            field="version",
            suggestion="Write `version: 2`: Codabench takes a bundle without it for version 1.5.",
        )
        return 2
    root.error("`version` is missing, and the file has no tasks, phases or leaderboards.", "Write `version: 2`.")
    return None
