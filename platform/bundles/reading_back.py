"""Whether a competition that was written as a bundle reads back as what it was, without its datasets at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass

from podium.platform.bundles.archive import BundleFiles, FileEntry
from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import EnoughFound, Findings, plain, shown
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.v2 import read_v2
from podium.platform.bundles.v2_writer import WrittenBundle
from podium.platform.bundles.yaml_source import load_yaml

_FILE = "competition.yaml"
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
_MOST = 20


def faults_of(content: CompetitionContent, written: WrittenBundle, stored: Collection[str]) -> tuple[str, ...]:
    """What the bundle would not say, or could not be read for: a sentence each; none where it reads back whole.

    Args:
        content: What was written.
        written: What it was written as.
        stored: Paths of the files that are to lie beside it; they are taken for good zips.
    """
    document = load_yaml(written.document.encode())
    if document.root is None:
        return tuple(fault.message for fault in document.faults) or ("The bundle would be empty.",)
    findings = Findings()
    try:
        read = read_v2(Value(document.root, _FILE, 1, "", findings), _beside(written.texts, stored), findings)
    except EnoughFound:
        read = None
    errors = [problem for problem in findings.in_order() if problem.severity is Severity.ERROR]
    if errors:
        return tuple(f"`{problem.field}`: {problem.message}" for problem in errors[:_MOST])
    different = list(_differences(content, read, ""))
    return tuple(
        f"`{plain(path)}` can't be said in a bundle as it is: {shown(str(value))}." for path, value in different
    )


class _Beside:
    """The files of a bundle that was not packed yet: its texts, and empty zips in place of what is stored."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def chunks(self, path: str) -> Iterator[bytes]:
        yield self._files[path]

    def close(self) -> None:
        """Nothing stays open."""


def _beside(texts: Mapping[str, str], stored: Collection[str]) -> BundleFiles:
    files = {**dict.fromkeys(stored, _EMPTY_ZIP), **{path: text.encode() for path, text in texts.items()}}
    entries = {path: FileEntry(len(data), is_executable=False) for path, data in files.items()}
    return BundleFiles(_Beside(files), entries, frozenset())


def _differences(one: object, other: object, path: str) -> Iterator[tuple[str, object]]:
    """The places at which two contents differ, with the value of the first."""
    if one == other:
        return
    if is_dataclass(one) and type(one) is type(other):
        for field in fields(one):
            yield from _differences(
                getattr(one, field.name), getattr(other, field.name), f"{path}.{field.name}".lstrip(".")
            )
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        for position, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{path}[{position}]")
    else:
        yield path, one
