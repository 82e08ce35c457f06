"""What organizers look through and edit, run by Streamlit's own test harness over the stand-in gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from stand_in import StandIn, make_competition, make_person
from stand_in_lists import make_content, make_health, make_line, make_participant
from stand_in_organizing import make_queue
from streamlit.testing.v1 import AppTest

from podium.dashboards.organizing_overview import warnings_card
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.records.teams import TeamRecord

Visit = Callable[..., AppTest]


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


@pytest.fixture
def organized(stand_in: StandIn) -> StandIn:
    stand_in.people["ada"] = make_person("ada", may_organize=True)
    stand_in.add(make_competition("iris", "Iris", may_organize=True))
    return stand_in


def test_every_warning_leads_to_where_something_is_done(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris")
    assert "7 submissions failed alike. Look at one of them." in _html(test)
    test.button(key="go-iris-participants").click().run()
    assert "Nobody takes part yet" in _html(test)
    assert "All is well" in warnings_card(())
    assert "1 person waits" in warnings_card(make_health(make_queue()).warnings)


def test_some_are_decided_about_and_the_choice_is_empty_again(organized: StandIn, visit: Visit):
    people = organized.organized.lists.people
    people += [make_participant(name, ParticipantStatus.PENDING) for name in ("ben", "caro", "dan")]
    test = visit("organize", "ada", competition="iris", section="participants")
    test.button(key="approved-participants-iris").click().run()
    assert "Choose whom you mean first" in _html(test)
    assert organized.done == []
    test.button(key="all-participants-iris").click().run()
    assert test.multiselect[0].value == ["ben", "caro", "dan"]
    test.multiselect[0].unselect("dan").run()
    test.text_input(key="reason-participants-iris").set_value("Of this course")
    test.button(key="approved-participants-iris").click().run()
    body = {"usernames": ["ben", "caro"], "status": "approved", "reason": "Of this course"}
    assert organized.done == [("POST", "/competitions/iris/participants/decisions", body)]
    assert "Done: 2." in _html(test)
    assert test.multiselect[0].value == []


def test_an_act_on_several_is_looked_at_first_and_needs_a_reason(organized: StandIn, visit: Visit):
    organized.organized.lists.lines += [make_line(2, SubmissionStatus.FAILED), make_line(1)]
    test = visit("organize", "ada", competition="iris", section="submissions")
    assert "The scoring program wrote no scores." in _html(test)
    test.button(key="preview-submissions-iris").click().run()
    assert "Choose submissions first" in _html(test)
    test.button(key="all-submissions-iris").click().run()
    test.selectbox(key="act-submissions-iris").set_value("Take off the leaderboard").run()
    test.button(key="preview-submissions-iris").click().run()
    assert "Would be done: 2." in _html(test)
    test.button(key="do-submissions-iris").click().run()
    assert "Say why" in _html(test)
    test.text_input(key="reason-submissions-iris").set_value("Copied")
    test.button(key="do-submissions-iris").click().run()
    assert "Done: 2." in _html(test)
    body = {"act": "take_off_leaderboard", "submissions": [1, 2], "reason": "Copied"}
    assert organized.done[-1] == ("POST", "/competitions/iris/submissions/bulk", body)


def test_the_table_of_a_phase_is_offered_where_it_is_not_too_long(organized: StandIn, visit: Visit):
    organized.organized.lists.lines.append(make_line(1))
    test = visit("organize", "ada", competition="iris", section="submissions")
    assert {one.proto.label for one in test.get("download_button")} >= {"CSV", "Parquet"}
    assert [one.value for one in test.code] == ["podium competition export-submissions iris"]
    test.selectbox(key="ph-iris").set_value(1).run()
    assert [one.value for one in test.code] == ["podium competition export-submissions iris --phase 1"]


def test_nothing_is_saved_where_nothing_was_changed(organized: StandIn, visit: Visit):
    organized.organized.lists.content = make_content("iris")
    test = visit("organize", "ada", competition="iris", section="edit")
    for name in ("save", "look"):
        test.button(key=f"{name}-iris").click().run()
        assert "Nothing was changed." in _html(test)
    assert organized.done == []


def test_a_limit_that_is_emptied_is_no_limit(organized: StandIn, visit: Visit):
    content = make_content("iris")
    organized.organized.lists.content = content
    test = visit("organize", "ada", competition="iris", section="edit")
    limit = next(one for one in test.number_input if one.label == "Submissions in all")
    assert limit.value == 100
    limit.set_value(None).run()
    assert "Changed and not saved yet: phases." in _html(test)
    test.button(key="save-iris").click().run()
    changes = organized.done[-1][2]["changes"]
    assert list(changes) == ["phases"]
    assert [one["max_submissions"] for one in changes["phases"]] == [None, 100]
    assert replace(content.content.phases[1], name="Final").max_submissions == 100


def test_teams_are_listed_where_there_may_be_some(organized: StandIn, visit: Visit):
    assert "Teams" not in _html(visit("organize", "ada", competition="iris", section="participants"))
    organized.add(make_competition("iris", "Iris", may_organize=True, max_team_members=4))
    assert "No team yet" in _html(visit("organize", "ada", competition="iris", section="participants"))
    made = datetime(2026, 1, 2, tzinfo=UTC)
    owls = TeamRecord("<Owls>", "caro", ("ben", "caro"), max_members=4, deadline=None, created=made)
    organized.organized.lists.teams.append(owls)
    page = _html(visit("organize", "ada", competition="iris", section="participants"))
    assert "Up to 4 participants may be a team." in page
    assert "&lt;Owls&gt;" in page
    assert "caro (captain), ben" in page
