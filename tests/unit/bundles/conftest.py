"""A small bundle that is right, and ways to make it wrong."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest

from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.reader import BundleReading, read_bundle

COMPETITION = """\
version: 2
title: Iris
image: logo.png
terms: terms.md
pages:
  - title: Overview
    file: pages/overview.md
tasks:
  - index: 0
    name: Classify
    scoring_program: scoring_program/
    reference_data: reference_data/
phases:
  - name: First
    start: 2026-01-01
    end: 2026-06-30
    tasks: [0]
  - name: Second
    start: 2026-07-01
    tasks: [0]
leaderboards:
  - title: Results
    key: main
    columns:
      - index: 0
        title: Accuracy
        key: accuracy
"""

FILES: dict[str, str | bytes] = {
    "competition.yaml": COMPETITION,
    "logo.png": b"\x89PNG",
    "terms.md": "Be fair.",
    "pages/overview.md": "# Iris",
    "scoring_program/metadata.yaml": "command: python3 score.py",
    "scoring_program/score.py": "print('scored')",
    "reference_data/truth.csv": "1,2,3",
}

OLD_COMPETITION = """\
title: Iris
description: Flowers.
image: logo.png
has_registration: true
force_submission_to_leaderboard: true
html:
  overview: overview.html
  evaluation: evaluation.html
  terms: terms.html
  data: data.html
phases:
  1:
    phasenumber: 1
    label: Development
    start_date: 2026-01-01
    max_submissions: 50
    scoring_program: program.zip
    reference_data: reference.zip
  2:
    phasenumber: 2
    label: Final
    start_date: 2026-07-01 12:00:00
    max_submissions_per_day: 1
    auto_migration: true
    scoring_program: program.zip
    reference_data: reference.zip
leaderboard:
  leaderboards:
    Results: &RESULTS
      label: The results
      rank: 1
  columns:
    accuracy:
      leaderboard: *RESULTS
      label: Accuracy
      rank: 1
      numeric_format: 4
    loss:
      leaderboard: *RESULTS
      label: Loss
      rank: 2
      sort: asc
"""


def small_zip(name: str, text: str) -> bytes:
    """A zip of one file."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


OLD_FILES: dict[str, str | bytes | None] = {
    **dict.fromkeys(FILES),
    "logo.png": b"\x89PNG",
    **{f"{name}.html": f"<h1>{name}</h1>" for name in ("overview", "evaluation", "terms", "data")},
    "program.zip": small_zip("metadata", "command: python $program/score.py $input $output"),
    "reference.zip": small_zip("truth.txt", "1"),
}

Files = Mapping[str, str | bytes | None]


@pytest.fixture
def competition_yaml() -> str:
    """The text of a valid competition.yaml; the tests know its lines."""
    return COMPETITION


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Write a bundle's folder: the valid one, with texts replaced, and files added or (with None) left out."""

    def make(*changes: tuple[str, str], files: Files | None = None, name: str = "bundle") -> Path:
        root = tmp_path / name
        text = COMPETITION
        for old, new in changes:
            assert old in text, f"{old!r} is not in the bundle"
            text = text.replace(old, new, 1)
        for path, data in {**FILES, "competition.yaml": text, **(files or {})}.items():
            if data is not None:
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data.encode() if isinstance(data, str) else data)
        return root

    return make


@pytest.fixture
def read(make_bundle: Callable[..., Path]) -> Iterator[Callable[..., BundleReading]]:
    """Make a bundle as `make_bundle` does, and read it."""
    readings: list[BundleReading] = []

    def read_it(*changes: tuple[str, str], files: Files | None = None) -> BundleReading:
        reading = read_bundle(make_bundle(*changes, files=files, name=f"bundle{len(readings)}"))
        readings.append(reading)
        return reading

    yield read_it
    for reading in readings:
        reading.close()


@pytest.fixture
def old_yaml() -> str:
    """The text of a valid competition.yaml of CodaLab's version 1.5; the tests know its lines."""
    return OLD_COMPETITION


@pytest.fixture
def make_old_bundle(make_bundle: Callable[..., Path]) -> Callable[..., Path]:
    """Write the folder of a bundle of version 1.5, with texts replaced and files added or (with None) left out."""

    def make(*changes: tuple[str, str], files: Files | None = None, name: str = "bundle") -> Path:
        text = OLD_COMPETITION
        for old, new in changes:
            assert old in text, f"{old!r} is not in the bundle"
            text = text.replace(old, new, 1)
        return make_bundle(files={**OLD_FILES, "competition.yaml": text, **(files or {})}, name=name)

    return make


@pytest.fixture
def read_old(make_old_bundle: Callable[..., Path]) -> Iterator[Callable[..., BundleReading]]:
    """Make a bundle as `make_old_bundle` does, and read it."""
    readings: list[BundleReading] = []

    def read_it(*changes: tuple[str, str], files: Files | None = None) -> BundleReading:
        reading = read_bundle(make_old_bundle(*changes, files=files, name=f"bundle{len(readings)}"))
        readings.append(reading)
        return reading

    yield read_it
    for reading in readings:
        reading.close()


@pytest.fixture
def accepted(read: Callable[..., BundleReading]) -> Callable[..., CompetitionContent]:
    """Make a bundle as `make_bundle` does, and give its content; it must have no problem at all."""

    def accept(*changes: tuple[str, str], files: Files | None = None) -> CompetitionContent:
        reading = read(*changes, files=files)
        assert [str(problem) for problem in reading.problems] == []
        return reading.accepted()

    return accept


@pytest.fixture
def zipped() -> Callable[..., Path]:
    """Zip a folder, below a folder's name if one is given."""

    def zip_it(folder: Path, inside: str = "") -> Path:
        target = folder.with_suffix(".zip")
        with zipfile.ZipFile(target, "w") as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, f"{inside}{path.relative_to(folder).as_posix()}")
        return target

    return zip_it
