"""Imports without child processes, which take a second to start: the same jobs, done here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from podium.platform.images import session
from podium.platform.images.child_work import answer_to
from podium.platform.images.job_kinds import Answer, Job
from podium.platform.images.limits import ImportLimits
from podium.platform.images.problems import Reason, Refusal
from podium.platform.images.report import ImportReport, MadeImage, RejectedFile

sys.path.insert(0, str(Path(__file__).with_name("support")))


class _Hands:
    isolation = "none"
    peak_bytes = 0
    cpu_seconds = 0.0

    def do(self, jobs: Sequence[Job], *, at_once: int = 1) -> Iterator[tuple[int, Answer | Refusal]]:
        for number, job in enumerate(jobs):
            yield number, answer_to(job)


@dataclass
class Imported:
    """What an import made, with its images as arrays."""

    report: ImportReport
    folder: Path

    @property
    def images(self) -> list[MadeImage]:
        return [made.image for made in self.report.images]

    @property
    def only(self) -> MadeImage:
        (image,) = self.images
        return image

    def read(self, number: int = 0) -> sitk.Image:
        made = self.report.images[number]
        return sitk.ReadImage(str(self.folder / made.folder / made.image.file))

    def voxels(self, number: int = 0) -> np.ndarray[Any, Any]:
        return sitk.GetArrayFromImage(self.read(number))

    def rejected(self, name: str) -> RejectedFile:
        (found,) = [file for file in self.report.rejected if file.path == name]
        return found

    @property
    def reasons(self) -> dict[str, Reason]:
        return {file.path: file.reason for file in self.report.rejected}

    @property
    def flags(self) -> set[str]:
        return {flag.kind.value for flag in self.only.flags}


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


@pytest.fixture
def imported(tmp_path: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Imported]:
    """Imports the uploads, and checks that every file has just one fate."""

    @contextmanager
    def here(*_: object, **__: object) -> Iterator[_Hands]:
        yield _Hands()

    monkeypatch.setattr(session, "children", here)

    def act(folder: Path = uploads, **limits: Any) -> Imported:
        destination = tmp_path / "made"
        report = session.import_files(folder, destination, limits=ImportLimits(**limits))
        once(report)
        return Imported(report, destination)

    return act


def once(report: ImportReport) -> None:
    used = {source.path for made in report.images for source in made.image.sources}
    rejected, ignored = [file.path for file in report.rejected], [file.path for file in report.ignored]
    assert len({*used, *rejected, *ignored}) == len(used) + len(rejected) + len(ignored)
    assert all(file.detail for file in report.rejected)
