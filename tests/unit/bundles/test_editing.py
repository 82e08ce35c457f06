"""Changes of a competition's content, read by the rules of bundles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import edited_content
import pytest
from edited_content import MAY, PHASE
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import ColumnContent, LeaderboardContent, Sorting, SubmissionRule
from podium.platform.bundles.editing import Edited, Fixed, document_of, read_edit
from podium.platform.bundles.problems import Severity
from podium.platform.edit_consequences import Circumstances, consequences_of
from podium.platform.records.competitions import PageRecord

JUNE, JULY = (datetime(2030, month, 1, tzinfo=UTC) for month in (6, 7))
FIRST = replace(PHASE, end=JUNE)
SECOND = replace(FIRST, name="Second", start=JUNE, end=None)  # begins when the first ends, as CodaLab's do
CONTENT = replace(edited_content.CONTENT, phases=(FIRST, SECOND))
COLUMN = ColumnContent(0, "A", "a", Sorting.DESC, None, (), precision=2, hidden=False)
FIXED = Fixed(
    tasks=(("0", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"),),
    phase_tasks=(("0",), ("0",)),
    migrating=(False, False),
    leaderboards=(
        LeaderboardContent("Results", "main", SubmissionRule.ADD, hidden=False, primary_index=0, columns=(COLUMN,)),
    ),
)


def read(**change: object) -> Edited:
    plain = document_of(replace(CONTENT, **change))
    return read_edit(CONTENT, {name: plain[name] for name in change}, FIXED, maxima={})


def errors(edited: Edited) -> set[str]:
    return {one.field for one in edited.problems if one.severity is Severity.ERROR}


def test_without_a_change_nothing_is_wrong_and_nothing_differs():
    edited = read()
    assert (edited.changes, errors(edited), edited.before == edited.after) == ((), set(), True)


def test_a_text_stands_in_its_field():
    edited = read(pages=(PageRecord("Data", "<p>hm</p>", is_html=True), PageRecord("More", "mhm", is_html=False)))
    assert edited.after is not None
    assert [(one.file, one.text) for one in edited.after.pages] == [("page.html", "<p>hm</p>"), ("page.md", "mhm")]
    assert [one.field for one in edited.changes] == ["pages[0].text", "pages[0].is_html", "pages[1]"]


def test_dates_are_held_to_their_order_without_speaking_of_lines():
    edited = read(phases=(replace(FIRST, end=JULY), SECOND))
    (problem,) = (one for one in edited.problems if one.severity is Severity.ERROR)
    assert problem.field == "phases[1].start"
    assert "`phases[0].end`" in problem.message
    assert "line" not in problem.message


def test_what_was_wrong_already_hinders_nobody():
    present = replace(CONTENT, terms="")
    edited = read_edit(present, {"title": "Other"}, FIXED, maxima={})
    assert errors(edited) == set()
    assert errors(read_edit(CONTENT, {"terms": " "}, FIXED, maxima={})) == {"terms"}


def test_the_operators_maxima_hold():
    assert errors(read_edit(CONTENT, {}, FIXED, maxima={"wall_seconds": 60.0})) == set()
    edited = read_edit(
        CONTENT,
        {"phases": document_of(replace(CONTENT, phases=(replace(FIRST, execution_time_limit=700), SECOND)))["phases"]},
        FIXED,
        maxima={"wall_seconds": 650.0},
    )
    assert errors(edited) == {"phases[0].execution_time_limit"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tasks": []}, "tasks"),
        ({"phases": []}, "phases"),
        ({"phases": [{"name": "x", "evil": 1}, {}]}, "phases[0].evil"),
        ({"leaderboards": [{"title": "x", "hidden": False, "columns": []}]}, "leaderboards[0].columns"),
        ({"pages": "x"}, "pages"),
        ({"pages": [{"title": "x", "text": 3}]}, "pages[0].text"),
        ({"title": None}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"terms": "a\0b"}, "terms"),
    ],
)
def test_values_of_another_make_are_refused(change: dict[str, object], field: str):
    assert field in errors(read_edit(CONTENT, change, FIXED, maxima={}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(change=st.dictionaries(st.sampled_from([*document_of(CONTENT), "evil"]), JSON, max_size=4))
def test_whatever_is_sent_is_read_or_refused(change: dict[str, object]):
    edited = read_edit(CONTENT, change, FIXED, maxima={})
    assert edited.refused or edited.after is not None


def test_what_follows_is_said():
    now = Circumstances(MAY + timedelta(days=1), participants=3, waiting=2, under_way=1)
    edited = read(
        terms="Be kind.",
        docker_image="podium/scientific:3.11",
        registration_auto_approve=False,
        phases=(replace(FIRST, end=MAY + timedelta(hours=1), max_submissions=3), SECOND),
        leaderboards=(replace(CONTENT.leaderboards[0], hidden=True),),
    )
    assert edited.before is not None
    assert edited.after is not None
    said = " ".join(consequences_of(edited.before, edited.after, now))
    for words in (
        "Each of the 3 participants has to accept",
        "First takes no submissions any more",
        "The new limits of First hold",
        "the 2 that are queued",
        "waits for your approval",
        "Only organizers see the leaderboard",
    ):
        assert words in said
