"""docs/bundles.md has every field, and shows a bundle that is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.platform.bundles import v1, v1_leaderboards, v1_phases
from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.v1_ignored import IGNORED_COMPETITION_FIELDS, IGNORED_PHASE_FIELDS
from podium.platform.bundles.v2 import COMPETITION_FIELDS, PAGE_FIELDS
from podium.platform.bundles.v2_fact_sheet import QUESTION_FIELDS
from podium.platform.bundles.v2_leaderboards import COLUMN_FIELDS, LEADERBOARD_FIELDS
from podium.platform.bundles.v2_phases import PHASE_FIELDS
from podium.platform.bundles.v2_submission_format import FORMAT_COLUMN_FIELDS, FORMAT_FIELDS
from podium.platform.bundles.v2_tasks import SOLUTION_FIELDS, TASK_FIELDS

REFERENCE = (Path(__file__).parents[3] / "docs" / "bundles.md").read_text("utf-8")


def fields_of(heading: str) -> set[str]:
    rows = REFERENCE.split(heading, 1)[1].split("| field |", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `(\w+)`", rows, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("## The competition", COMPETITION_FIELDS),
        ("### `pages`", PAGE_FIELDS),
        ("### `tasks`", TASK_FIELDS),
        ("### `solutions`", SOLUTION_FIELDS),
        ("### `phases`", PHASE_FIELDS),
        ("### `fact_sheet`", QUESTION_FIELDS),
        ("### `submission_format`", FORMAT_FIELDS),
        ("Each of its `columns` is", FORMAT_COLUMN_FIELDS),
        ("### `leaderboards`", LEADERBOARD_FIELDS),
        ("Each of the `columns`:", COLUMN_FIELDS),
        ("### The CodaLab competition", v1.COMPETITION_FIELDS),
        ("### CodaLab phases", v1_phases.PHASE_FIELDS),
        ("### The CodaLab leaderboard", v1_leaderboards.COLUMN_FIELDS),
    ],
)
def test_every_field_is_in_its_table(heading: str, fields: tuple[str, ...]):
    assert fields_of(heading) == set(fields)


def test_the_example_is_right(accepted: Callable[..., CompetitionContent]):
    example = REFERENCE.split("```yaml\n", 1)[1].split("```", 1)[0]
    content = accepted(files={"competition.yaml": example, "pages/terms.md": "Be fair."})
    assert [phase.name for phase in content.phases] == ["Development", "Final"]


def test_what_is_not_used_is_named():
    section = REFERENCE.split("### What is not used", 1)[1].split("\n## ", 1)[0]
    for what, fields in (("competition", IGNORED_COMPETITION_FIELDS), ("phase", IGNORED_PHASE_FIELDS)):
        row = next(line for line in section.splitlines() if line.startswith(f"| {what} |"))
        assert set(re.findall(r"`(\w+)`", row)) == {name for name, field in fields.items() if field.instead}
