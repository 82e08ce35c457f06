"""The report of an import: in a sentence, for the database, and as Prefect's pages show it."""

from __future__ import annotations

from uuid import UUID

import pytest

from podium.platform.image_records import plain, summary
from podium.platform.images.problems import Reason
from podium.platform.images.report import IgnoredFile, ImportReport, RejectedFile
from podium.tasks.images import ImportPlan, UploadedFile, report_in_markdown

LETTER = RejectedFile("Jane Doe/letter.txt", 5, Reason.NOT_AN_IMAGE, "It is no image.")
STORE = IgnoredFile("Jane Doe/.DS_Store", 1, "left behind by a system")


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (ImportReport(), "there was nothing left to import"),
        (ImportReport(rejected=(LETTER,)), "no images of 1 file, 1 file rejected"),
        (
            ImportReport(rejected=(LETTER,) * 2, ignored=(STORE,)),
            "no images of 3 files, 2 files rejected, 1 file ignored",
        ),
    ],
)
def test_the_sentence(report: ImportReport, told: str):
    assert summary(report) == told


def test_prefect_is_told_no_names():
    plan = ImportPlan(UUID(int=7), 2, (UploadedFile("Jane Doe/letter.txt", "k", is_pack=False),), frozenset({"a", "b"}))
    report = ImportReport(
        rejected=(LETTER, LETTER), ignored=(STORE,), isolation="bubblewrap", seconds=1.26, peak_bytes=3 << 20
    )
    text = report_in_markdown(plan, report, summary(report))
    assert "Jane" not in text
    assert "| not_an_image | 2 |" in text
    assert "* run 2, 1 uploads, 2 files imported before" in text
    assert "* 1.3 s, of processors 0.0 s\n* 3 MiB at most in one process\n* processes held by bubblewrap" in text


@pytest.mark.parametrize(("text", "kept"), [("ä\0b", "ä\ufffdb"), ("\ud800x", "?x"), ("日本", "日本")])
def test_texts_that_the_database_does_not_take(text: str, kept: str):
    assert plain(text) == kept
