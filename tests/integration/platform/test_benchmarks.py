"""What the benchmarks put into the database and read there, on a board of a few rows: they follow the schema."""

from __future__ import annotations

import csv
import importlib
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from sqlalchemy import func, select
from world import World

from podium.platform.models import Submission
from podium.platform.records.exports import TableForm

FOLDER = Path(__file__).parents[3] / "benchmarks"


class Load(Protocol):
    def __call__(self, name: str) -> ModuleType: ...


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_benchmarks_of_the_database_follow_its_schema(world: World, load: Load, tmp_path: Path) -> None:
    board, exports = load("leaderboard"), load("exports")
    programs = json.dumps([exports.PROGRAM])
    load("filled_board").fill(world.database, tmp_path / "files", size=30, participants=6, programs=programs)
    rows = list(csv.DictReader(io.StringIO(b"".join(exports.table(world.database, TableForm.CSV)).decode())))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 31)]
    assert all(row["score.accuracy"] and row["wall_seconds"] == "1.25" for row in rows)
    bare = list(csv.reader(io.StringIO(b"".join(bytes(piece) for piece in exports.bare_copy(world.database)).decode())))
    assert [row[0] for row in bare] == [row["number"] for row in rows]
    found = board.measure(world.database, 6, rounds=1)
    assert "update by a result" in found
    assert all(milliseconds > 0 for milliseconds in found.values())


def test_benchmarks_of_queues_and_crowds_follow_the_schema(world: World, load: Load, slug: str) -> None:
    load("board_crowd").fill(world.database, slug, 4)
    load("dispatch")._fill(world.database, 5)
    with world.session() as session:
        count = select(func.count()).select_from(Submission)
        assert session.scalar(count) == 4 + 5
        assert session.scalar(count.where(Submission.ended.is_(None))) == 5
        assert session.scalar(count.where(Submission.on_leaderboard)) == 4
