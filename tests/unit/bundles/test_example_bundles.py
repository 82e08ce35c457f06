"""Real bundles, if the machine has them: each is read as a folder and as a zip."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podium.platform.bundles.dates import shift_schedule
from podium.platform.bundles.reader import read_bundle

ROOT = os.environ.get("PODIUM_EXAMPLE_BUNDLES", "")

pytestmark = pytest.mark.skipif(
    not ROOT,
    reason="PODIUM_EXAMPLE_BUNDLES names no folder of bundles (codalab/competition-examples has some of all versions)",
)


def holds_competition(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "competition.yaml" in archive.namelist()


def bundles() -> list[Path]:
    if not ROOT:
        return []
    zips = [path for path in sorted(Path(ROOT).rglob("*.zip")) if holds_competition(path)]
    return [*sorted(path.parent for path in Path(ROOT).rglob("competition.yaml")), *zips]


@pytest.mark.parametrize("path", bundles(), ids=str)
def test_a_real_bundle_is_read(path: Path, tmp_path: Path):
    with read_bundle(path) as reading:
        said = [str(problem) for problem in reading.problems] if reading.refused else []
        if path.is_dir() and any("not in the bundle" in problem for problem in said):
            pytest.skip("the folder lacks files that its bundle names")
        if any("`terms` is missing" in problem for problem in said):
            pytest.skip("the bundle has no terms, which every version requires")
        content = reading.accepted()
        assert reading.files
        now = datetime.now(UTC)
        assert shift_schedule(content, now).phases[0].start == now
        for number, folder in enumerate(sorted(reading.files.folders)):
            assert reading.files.write_folder_zip(folder, tmp_path / f"{number}.zip") > 0
