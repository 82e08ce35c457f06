"""`podium competition edit`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import edited_content
import pytest

from podium.platform.cli.editing_file import changes_in_file
from podium.platform.client.conversion import record_to_json
from podium.platform.errors import InvalidInput
from podium.platform.records.content import (
    ContentPreview,
    ContentRecord,
    FieldChange,
)

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

CONTENT = replace(edited_content.CONTENT, title="Iris", phases=(replace(edited_content.PHASE, max_submissions=None),))
FILE = """
version: 2
title: Irises
terms: terms.html
tasks: [{index: 0, scoring_program: program}]
pages: [{title: All, file: all.md}]
phases: [{index: 0, name: Only, start: 2030-05-02, tasks: [0], max_submissions_per_day: 3}]
leaderboards: [{title: Board, key: main, columns: [{index: 0, key: a, title: Exactness}]}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "terms.html").write_text("<p>Be kind.</p>")
    (tmp_path / "all.md").write_text("# All\n")
    path = tmp_path / "competition.yaml"
    path.write_text(FILE)
    return path


def test_a_file_changes_what_it_has(file: Path):
    changes = changes_in_file(file, CONTENT)
    assert changes["title"] == "Irises"
    assert (changes["terms"], changes["terms_is_html"]) == ("<p>Be kind.</p>", True)
    assert changes["pages"] == [{"title": "All", "text": "# All\n", "is_html": False}]
    (phase,) = changes["phases"]
    assert (phase["name"], phase["start"], phase["max_submissions_per_day"]) == ("Only", "2030-05-02", 3)
    assert (phase["time_zone"], "tasks" in phase, "tasks" in changes) == ("UTC", False, False)
    assert changes["leaderboards"] == [
        {
            "title": "Board",
            "hidden": False,
            "columns": [{"key": "a", "title": "Exactness", "precision": 2, "hidden": False}],
        }
    ]


@pytest.mark.parametrize("text", ["title: [", "- a", "terms: ../secret.md", "pages: [{title: A, file: gone.md}]"])
def test_a_file_that_is_none_is_refused(file: Path, text: str):
    file.write_text(text)
    with pytest.raises(InvalidInput):
        changes_in_file(file, CONTENT)


def test_it_is_looked_at_and_then_saved(gateway: Gateway, podium: Podium):
    record = record_to_json(ContentRecord("iris", "v.1", CONTENT))
    preview = record_to_json(ContentPreview("v.1", (FieldChange("title", "Iris", "Irises"),), (), ("It is so.",)))
    gateway.on("GET /competitions/iris/content", record)
    gateway.on("POST /competitions/iris/content/preview", preview)
    gateway.on("PATCH /competitions/iris/content", record)
    assert podium("competition", "edit", "iris", "--title", "Irises", "--dry-run").code == 0
    assert not gateway.called("PATCH /competitions/iris/content")
    ran = podium("competition", "edit", "iris", "--title", "Irises", "--yes")
    assert ran.code == 0
    assert gateway.called("PATCH /competitions/iris/content")[-1].json == {
        "changes": {"title": "Irises"},
        "version": "v.1",
    }
    assert "title: Iris → Irises" in ran.out
    assert podium("competition", "edit", "iris").code != 0
