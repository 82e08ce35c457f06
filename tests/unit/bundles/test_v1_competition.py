"""The competition of a CodaLab bundle: its own fields, pages and rule for the leaderboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from podium.platform.bundles.content import FileInBundle, Protocol, SubmissionRule, TaskContent, TeamRules
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import BundleReading, read_bundle
from podium.platform.bundles.v1_ignored import IGNORED_COMPETITION_FIELDS, IGNORED_PHASE_FIELDS

Read = Callable[..., BundleReading]


def said(reading: BundleReading) -> list[tuple[int | None, str, str]]:
    return [(problem.line, problem.field, problem.message) for problem in reading.problems]


def test_a_small_one(read_old: Read):
    reading = read_old()
    assert reading.problems == ()
    content = reading.accepted()
    assert (content.title, content.description, content.image) == ("Iris", "Flowers.", "logo.png")
    assert (content.terms, content.terms_file) == ("<h1>terms</h1>", "terms.html")
    assert [(page.title, page.text) for page in content.pages] == [
        ("Overview", "<h1>overview</h1>"),
        ("Evaluation", "<h1>evaluation</h1>"),
        ("Data", "<h1>data</h1>"),
    ]
    assert content.docker_image == "codalab/codalab-legacy:py37"
    assert not content.registration_auto_approve
    assert not content.forum_enabled
    assert content.auto_run_submissions
    assert content.tasks == (
        TaskContent(
            index="0",
            name="Development",
            description="",
            scoring_program=FileInBundle("program.zip", is_folder=False),
            ingestion_program=None,
            input_data=None,
            reference_data=FileInBundle("reference.zip", is_folder=False),
            ingestion_only_during_scoring=False,
            protocol=Protocol.V1_5,
        ),
    )


@pytest.mark.parametrize("version", ["1", "1.0", "1.5", "'1.8'", "~"])
def test_its_versions(version: str, read_old: Read):
    assert read_old(("title: Iris", f"version: {version}\ntitle: Iris")).problems == ()


def test_without_a_shape_of_its_own_the_version_counts(read_old: Read):
    reading = read_old(files={"competition.yaml": "version: 1.5\ntitle: x\n"})
    assert "`html` is missing." in [problem.message for problem in reading.problems]


def test_what_is_missing_is_told_at_once(read_old: Read):
    reading = read_old(files={"competition.yaml": "version: 1.5\nhtml: {}\nphases: {}\nleaderboard: {}\n"})
    errors = {problem.field for problem in reading.problems if problem.severity is Severity.ERROR}
    assert errors == {
        "title",
        "image",
        "html.terms",
        "phases",
        "leaderboard.leaderboards",
        "leaderboard.columns",
    }


@pytest.mark.parametrize(
    ("change", "line", "field", "message"),
    [
        (("html:\n", "html: x\n  #"), None, "", "YAML"),
        (("overview.html", "gone.html"), 7, "html.overview", "'gone.html' is not in the bundle."),
        (("has_registration: true", "has_registration: perhaps"), 4, "has_registration", "Expected true or false"),
        (("description:", "end_date: 2026-06-01\ndescription:"), 2, "end_date", "is not after Phase 'Final' starts"),
        (("description:", "end_date: soon\ndescription:"), 2, "end_date", "is not a date"),
        (("description:", "competition_docker_image: a b\ndescription:"), 2, "competition_docker_image", "has a space"),
    ],
)
def test_errors(change: tuple[str, str], line: int | None, field: str, message: str, read_old: Read):
    reading = read_old(change)
    assert reading.refused
    problem = next(problem for problem in reading.problems if problem.severity is Severity.ERROR)
    assert message in str(problem)
    if field:
        assert (problem.line, problem.field) == (line, field)


def test_a_page_is_called_by_its_name(read_old: Read):
    content = read_old(
        ("  data: data.html", "  Prizes and honours: prizes.html"), files={"prizes.html": "Gold."}
    ).accepted()
    assert [page.title for page in content.pages] == ["Overview", "Evaluation", "Prizes and honours"]


def test_an_image_that_is_blank_is_the_default(read_old: Read):
    changed = ("title: Iris", 'title: Iris\ncompetition_docker_image: ""')
    assert read_old(changed).accepted().docker_image == "codalab/codalab-legacy:py37"
    changed = ("title: Iris", "title: Iris\ncompetition_docker_image: python:3.11")
    assert read_old(changed).accepted().docker_image == "python:3.11"


def test_without_a_word_on_registration_everyone_may_take_part(read_old: Read):
    reading = read_old(("has_registration: true\n", ""))
    assert reading.accepted().registration_auto_approve
    assert [(problem.severity, problem.field) for problem in reading.problems] == [
        (Severity.WARNING, "has_registration")
    ]


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        ("", SubmissionRule.ADD_AND_DELETE),
        ("disallow_leaderboard_modifying: true", SubmissionRule.ADD),
        ("force_submission_to_leaderboard: true", SubmissionRule.FORCE_LAST),
        ("force_submission_to_leaderboard: true\ndisallow_leaderboard_modifying: true", SubmissionRule.FORCE_LAST),
    ],
)
def test_what_stands_on_the_leaderboard(flags: str, rule: SubmissionRule, read_old: Read):
    content = read_old(("force_submission_to_leaderboard: true", flags)).accepted()
    assert [board.submission_rule for board in content.leaderboards] == [rule]


def test_an_unknown_field_is_told_with_the_nearest_one(read_old: Read):
    reading = read_old(
        ("has_registration", "has_registrations"), ("label: Final", "label: Final\n    max_submision: 3")
    )
    suggestions = [problem.suggestion for problem in reading.problems]
    assert "Did you mean `has_registration`?" in suggestions
    assert "Did you mean `max_submissions`?" in suggestions


def test_ignored_fields_are_told_once_with_what_is_done_instead(read_old: Read):
    reading = read_old(
        ("title: Iris", "title: Iris\nadmin_names: ada,bob\nallow_organizer_teams: true\nallow_teams: false"),
        ("label: Development", "label: Development\n    color: green"),
        ("label: Final", "label: Final\n    color: red\n    phase_never_ends: true"),
    )
    assert not reading.refused
    assert [(line, field) for line, field, _ in said(reading)] == [
        (2, "admin_names"),
        (3, "allow_organizer_teams"),
        (18, "phases.1.color"),
        (27, "phases.2.phase_never_ends"),
    ]
    assert [problem.suggestion for problem in reading.problems] == [
        "The competition belongs to whoever creates it.",
        "Teams are made by those who take part.",
        "Phases have no colours.",
        "A phase ends when the next one begins; the last one ends with the competition.",
    ]


@pytest.mark.parametrize("name", ["enable_teams", "allow_teams"])
def test_participants_may_be_teams_where_codalab_let_them(read_old: Read, name: str):
    reading = read_old(("title: Iris", f"title: Iris\n{name}: true\nrequire_team_approval: true"))
    assert reading.accepted().teams == TeamRules(100)
    assert said(reading) == [
        (2, name, "Teams are of up to 100 here, and participants make them without an organizer's approval.")
    ]
    assert read_old(("title: Iris", f"title: Iris\n{name}: false")).accepted().teams is None


def test_every_ignored_field_is_no_mistake(read_old: Read):
    top = "".join(f"{name}: off\n" for name in IGNORED_COMPETITION_FIELDS)
    inner = "".join(f"    {name}: off\n" for name in IGNORED_PHASE_FIELDS)
    reading = read_old(("title: Iris\n", f"title: Iris\n{top}"), ("    label: Final\n", f"    label: Final\n{inner}"))
    assert reading.problems == ()


def test_a_folder_stands_in_for_the_zip_that_is_made_of_it(read_old: Read):
    reading = read_old(files={"program.zip": None, "program/metadata": "command: python score.py"})
    assert reading.accepted().tasks[0].scoring_program == FileInBundle("program", is_folder=True)  # type: ignore[union-attr]
    assert {problem.message for problem in reading.problems} == {
        "'program.zip' is not in the bundle; the folder 'program' is taken in its place."
    }


def test_another_name_for_the_file(read_old: Read, old_yaml: str):
    reading = read_old(files={"competition.yaml": None, "iris.yaml": old_yaml, "a/b.yaml": "x: 1"})
    assert reading.accepted().title == "Iris"
    assert [problem.message for problem in reading.problems] == [
        "The competition is in `iris.yaml`, which CodaLab finds and Codabench does not."
    ]
    assert read_old(files={"competition.yaml": None, "iris.yaml": "title: x\n"}).refused


def test_a_parent_folder_is_entered(read_old: Read, tmp_path: Path):
    read_old()
    (tmp_path / "whole").mkdir()
    (tmp_path / "bundle0").rename(tmp_path / "whole" / "iris")
    with read_bundle(tmp_path / "whole") as inside:
        assert inside.accepted().title == "Iris"


@pytest.mark.parametrize(("said_so", "anonymous"), [("", False), ("\nanonymous_leaderboard: true", True)])
def test_a_leaderboard_may_be_anonymous(said_so: str, *, anonymous: bool, read_old: Read):
    reading = read_old(("title: Iris", f"title: Iris{said_so}"))
    assert [board.anonymous for board in reading.accepted().leaderboards] == [anonymous]
    assert "anonymous_leaderboard" not in [field for _, field, _ in said(reading)]
