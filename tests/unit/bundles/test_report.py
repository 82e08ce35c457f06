"""Problems, written for people and for programs."""

from __future__ import annotations

import json

from podium.platform.bundles.problems import Problem, Severity
from podium.platform.bundles.report import problem_counts, problems_json, problems_text

PROBLEMS = (
    Problem(Severity.WARNING, "The bundle is inside a folder.", suggestion="Zip its content."),
    Problem(Severity.ERROR, "`title` is missing.", "competition.yaml", 1, "title"),
    Problem(Severity.ERROR, "The file is empty.", "competition.yaml"),
)


def test_the_text_goes_file_by_file():
    assert problems_text(PROBLEMS) == (
        "The bundle\n"
        "  warning: The bundle is inside a folder.\n"
        "      Zip its content.\n"
        "\n"
        "competition.yaml\n"
        "  error: line 1, title: `title` is missing.\n"
        "  error: The file is empty.\n"
        "\n"
        "2 errors and 1 warning: the bundle is refused."
    )


def test_the_counts_say_what_follows():
    assert problem_counts(()) == problems_text(()) == "No problems found."
    assert problem_counts(PROBLEMS[:1]) == "1 warning: the bundle can be used."


def test_the_json_has_every_field():
    report = problems_json(PROBLEMS)
    assert json.loads(json.dumps(report)) == report
    assert (report["errors"], report["warnings"]) == (2, 1)
    assert report["problems"][1] == {
        "severity": "error",
        "message": "`title` is missing.",
        "file": "competition.yaml",
        "line": 1,
        "field": "title",
        "suggestion": "",
    }
