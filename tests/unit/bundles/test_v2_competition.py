"""The competition's own fields, its pages and its fact sheet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.platform.bundles.content import (
    CompetitionContent,
    CompetitionType,
    FactSheetQuestion,
    FactSheetType,
    PageContent,
)
from podium.platform.bundles.reader import BundleReading

TITLE = "title: Iris\n"


def test_defaults_are_those_of_codabench(accepted: Callable[..., CompetitionContent]):
    content = accepted()
    assert content.title == "Iris"
    assert content.description == ""
    assert content.image == "logo.png"
    assert (content.terms_file, content.terms) == ("terms.md", "Be fair.")
    assert content.docker_image == "codalab/codalab-legacy:py37"
    assert content.competition_type is CompetitionType.COMPETITION
    assert (content.queue, content.reward, content.contact_email) == (None, None, None)
    assert content.fact_sheet == ()
    assert content.solutions == ()
    assert content.pages == (PageContent("Overview", "pages/overview.md", "# Iris"),)
    on = {
        name
        for name in CompetitionContent.__dataclass_fields__
        if isinstance(getattr(content, name), bool) and getattr(content, name)
    }
    assert on == {
        "show_detailed_results_in_submission_panel",
        "show_detailed_results_in_leaderboard",
        "auto_run_submissions",
        "can_participants_make_submissions_public",
        "forum_enabled",
    }


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("description", "|\n  Two\n  lines", "Two\nlines"),
        ("description", "2026-01-01", "2026-01-01"),
        ("description", "yes", "yes"),
        ("docker_image", "python:3.12", "python:3.12"),
        ("docker_image", "", "codalab/codalab-legacy:py37"),
        ("queue", "anything at all", "anything at all"),
        ("reward", "1000 €", "1000 €"),
        ("contact_email", "a.b@example.org", "a.b@example.org"),
        ("competition_type", "benchmark", CompetitionType.BENCHMARK),
        ("fact_sheet", "null", ()),
        *[
            (field, word, value)
            for field in (
                "registration_auto_approve",
                "enable_detailed_results",
                "show_detailed_results_in_submission_panel",
                "show_detailed_results_in_leaderboard",
                "auto_run_submissions",
                "can_participants_make_submissions_public",
                "make_programs_available",
                "make_input_data_available",
                "forum_enabled",
            )
            for word, value in (("True", True), ("no", False))
        ],
        *[("forum_enabled", word, True) for word in ("yes", "On", "1", '"true"', '"True"', "y")],
        *[("forum_enabled", word, False) for word in ("false", "No", "0", '"false"', "off")],
    ],
)
def test_fields_are_read(field: str, text: str, value: object, accepted: Callable[..., CompetitionContent]):
    assert getattr(accepted((TITLE, f"{TITLE}{field}: {text}\n")), field) == value


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("title: Iris", "title:"), 2, "title", "`title` is empty."),
        (("title: Iris", "title: ''"), 2, "title", "`title` is empty."),
        (("title: Iris", f"title: {'x' * 257}"), 2, "title", "The text has 257 characters; up to 256 are allowed."),
        (("title: Iris", "title: [Iris]"), 2, "title", "Expected a text, got a list."),
        (("title: Iris", 'title: "a\\0b"'), 2, "title", "can't be stored"),
        (("title: Iris\n", ""), 1, "title", "`title` is missing."),
        (("image: logo.png\n", ""), 1, "image", "`image` is missing."),
        (("terms: terms.md\n", ""), 1, "terms", "`terms` is missing."),
        (("image: logo.png", "image: Logo.PNG"), 3, "image", "'Logo.PNG' is not in the bundle."),
        (("image: logo.png", "image: pages"), 3, "image", "'pages' is a folder; a file is needed."),
        (("image: logo.png", "image: ../logo.png"), 3, "image", "leads out of the bundle"),
        (("image: logo.png", "image: /logo.png"), 3, "image", "leads out of the bundle"),
        ((TITLE, f"{TITLE}forum_enabled: maybe\n"), 3, "forum_enabled", "Expected true or false, got the text 'maybe'"),
        ((TITLE, f"{TITLE}forum_enabled: 2\n"), 3, "forum_enabled", "Expected true or false, got the number 2."),
        ((TITLE, f"{TITLE}competition_type: benchmrk\n"), 3, "competition_type", "Expected one of competition, bench"),
        ((TITLE, f"{TITLE}contact_email: nobody\n"), 3, "contact_email", "'nobody' is not an e-mail address."),
        ((TITLE, f"{TITLE}docker_image: a b\n"), 3, "docker_image", "has a space"),
        ((TITLE, f"{TITLE}docker_image: {'a' * 129}\n"), 3, "docker_image", "129 characters; up to 128"),
        ((TITLE, f"{TITLE}reward: {'a' * 257}\n"), 3, "reward", "257 characters; up to 256"),
        (("  - title: Overview\n    file", "  - file"), 6, "pages[0].title", "`title` is missing."),
        (("    file: pages/overview.md\n", ""), 6, "pages[0].file", "`file` is missing."),
        (("overview.md", "overveiw.md"), 7, "pages[0].file", "'pages/overveiw.md' is not in the bundle."),
        (("pages:\n", "pages:\n  - Overview\n"), 6, "pages[0]", "Expected the fields of a page, got the text 'Over"),
        (("tasks: [0]", "tasks: 0"), 17, "phases[0].tasks", "Expected a list, got the number 0."),
        (("leaderboards:", "leaderboards: 3\nold:"), 21, "leaderboards", "Expected a list, got the number 3."),
        (("phases:", "phases: {a: b}\nold:"), 13, "phases", "Expected a list, got a mapping."),
        (("phases:", "phases: []\nold:"), 13, "phases", "`phases` is empty."),
        (("tasks:\n  -", "tasks:\nold:\n  -"), 8, "tasks", "`tasks` is empty."),
    ],
)
def test_what_is_wrong_is_said_at_its_line(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    reading = read(change)
    assert reading.refused
    found = [problem for problem in reading.problems if problem.field == field]
    assert len(found) == 1
    assert (found[0].file, found[0].line) == ("competition.yaml", line)
    assert message in found[0].message


@pytest.mark.parametrize(
    ("change", "suggestion"),
    [
        (("image: logo.png", "image: Logo.PNG"), "The bundle has `logo.png`: letter case matters."),
        (("pages/overview.md", "overview.md"), "Did you mean `pages/overview.md`?"),
        (("scoring_program/", "scoring_progam"), "Did you mean `scoring_program`?"),
        ((TITLE, f"{TITLE}competition_type: benchmrk\n"), "Did you mean `benchmark`?"),
        (("tasks: [0]", "tasks: 0"), "Write `[0]`."),
    ],
)
def test_the_nearest_right_thing_is_suggested(
    change: tuple[str, str], suggestion: str, read: Callable[..., BundleReading]
):
    assert suggestion in [problem.suggestion for problem in read(change).problems]


def test_unknown_fields_are_warnings_with_the_nearest_name(read: Callable[..., BundleReading]):
    reading = read(
        (TITLE, f"{TITLE}registration_autoapprove: true\nbananas: 3\n"),
        ("    name: Classify", "    name: Classify\n    refrence_data: x"),
        ("        key: accuracy", "        key: accuracy\n        Sorting: asc"),
    )
    assert not reading.refused
    assert [(problem.line, problem.field, problem.suggestion) for problem in reading.problems] == [
        (3, "registration_autoapprove", "Did you mean `registration_auto_approve`?"),
        (4, "bananas", ""),
        (13, "tasks[0].refrence_data", "Did you mean `reference_data`?"),
        (31, "leaderboards[0].columns[0].Sorting", "Did you mean `sorting`?"),
    ]
    assert reading.problems[0].message == "'registration_autoapprove' is not a field of a competition, and is ignored."


def test_every_problem_is_told_at_once_in_order(read: Callable[..., BundleReading]):
    reading = read(
        ("title: Iris", "titel: Iris"),
        ("image: logo.png", "image: log.png"),
        ("index: 0\n    name: Classify", "name: Classify"),
        ("end: 2026-06-30", "end: never"),
        ("        key: accuracy", "        key: accuracy\n        sorting: up"),
    )
    assert [(problem.line, problem.severity.value, problem.field) for problem in reading.problems] == [
        (1, "error", "title"),
        (2, "warning", "titel"),
        (3, "error", "image"),
        (9, "error", "tasks[0].index"),
        (15, "error", "phases[0].end"),
        (27, "error", "leaderboards[0].columns[0].sorting"),
    ]


@pytest.mark.parametrize("pages", ["", "pages:\n", "pages: []\n"])
def test_a_competition_without_pages_gets_a_warning(pages: str, read: Callable[..., BundleReading]):
    reading = read(("pages:\n  - title: Overview\n    file: pages/overview.md\n", pages))
    assert not reading.refused
    assert [problem.field for problem in reading.problems] == ["pages"]


def test_pages_are_text(read: Callable[..., BundleReading], accepted: Callable[..., CompetitionContent]):
    assert accepted(files={"terms.md": b"\xef\xbb\xbfBe fair."}).terms == "Be fair."
    latin = read(files={"terms.md": "Line\nCafé".encode("latin-1")})
    assert latin.accepted().terms == "Line\nCafé"
    assert [str(problem) for problem in latin.problems] == [
        "terms.md:2: The file is not UTF-8, and was read as Latin-1. Save it as UTF-8."
    ]
    for data, message in (
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"a\0b", "not a text file"),
        (b"x" * ((1 << 20) + 1), "larger than 1024 KiB"),
    ):
        refused = read(files={"terms.md": data})
        assert [problem.field for problem in refused.problems] == ["terms"]
        assert message in refused.problems[0].message


SHEET = """\
fact_sheet:
  method:
    key: method
    type: select
    title: Method
    selection: [a, b]
    is_required: "true"
    is_on_leaderboard: false
  notes: {key: notes, type: text, title: Notes, selection: "", is_required: "false", is_on_leaderboard: "true"}
  sure:
    type: checkbox
    title: Sure?
"""


def test_the_fact_sheet_is_read(accepted: Callable[..., CompetitionContent]):
    assert accepted((TITLE, TITLE + SHEET)).fact_sheet == (
        FactSheetQuestion("method", FactSheetType.SELECT, "Method", ("a", "b"), True, False),  # noqa: FBT003
        FactSheetQuestion("notes", FactSheetType.TEXT, "Notes", (), False, True),  # noqa: FBT003
        FactSheetQuestion("sure", FactSheetType.CHECKBOX, "Sure?", (), False, False),  # noqa: FBT003
    )


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("key: method", "key: methods"), 5, "method.key", "differs from 'method'"),
        (("type: select", "type: selct"), 6, "method.type", "Expected one of checkbox, text, select"),
        (("    type: select\n", ""), 4, "method.type", "`type` is missing."),
        (("    title: Method\n", ""), 4, "method.title", "`title` is missing."),
        (("[a, b]", "[]"), 8, "method.selection", "needs answers"),
        (("[a, b]", '""'), 8, "method.selection", "needs answers"),
        (("[a, b]", "a, b"), 8, "method.selection", "Expected a list"),
        (("[a, b]", "[a, null]"), 8, "method.selection[1]", "Expected a text, got nothing."),
        (("[a, b]", "[a, a]"), 8, "method.selection[1]", "listed twice"),
        (('is_required: "true"', "is_required: perhaps"), 9, "method.is_required", "Expected true or false"),
        (("  sure:\n", "  sure: 3\n  more:\n"), 12, "sure", "Expected the fields of a question, got the number 3."),
    ],
)
def test_what_is_wrong_with_a_question_is_said(
    change: tuple[str, str], line: int, field: str, message: str, read: Callable[..., BundleReading]
):
    problem = read((TITLE, TITLE + SHEET.replace(*change))).problems[0]
    assert (problem.line, problem.field) == (line, f"fact_sheet.{field}")
    assert message in problem.message


def test_a_fact_sheet_is_a_mapping(read: Callable[..., BundleReading]):
    assert "Expected questions by their keys" in read((TITLE, f"{TITLE}fact_sheet: [a]\n")).problems[0].message
