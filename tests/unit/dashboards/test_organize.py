"""The page for organizers, run by Streamlit's own test harness over the stand-in gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from stand_in import ACCURACY, StandIn, make_competition, make_person, make_phase, moment
from stand_in_organizing import make_difference, make_preview, make_queue, make_report, make_rerun, make_version
from streamlit.testing.v1 import AppTest

from podium.platform.errors import Conflict, InvalidInput
from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.records.people import ExtraAllowanceRecord

Visit = Callable[..., AppTest]


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


@pytest.fixture
def organized(stand_in: StandIn) -> StandIn:
    """A competition of two phases that ada organizes."""
    phases = (make_phase(1, "Development", start=-9, end=-2), make_phase(2, "Final", start=-2, end=3))
    stand_in.people["ada"] = make_person("ada", may_organize=True)
    stand_in.add(make_competition("iris", "Iris", *phases, may_organize=True))
    return stand_in


def test_visitors_and_others_are_told_who_organizes(organized: StandIn, visit: Visit):
    assert "Sign in to organize" in _html(visit("organize", competition="iris"))
    organized.people["lin"] = make_person("lin")
    assert "You organize no competition" in _html(visit("organize", "lin"))
    organized.add(make_competition("theirs", "Theirs"))
    shown = visit("organize", "lin", competition="theirs")
    assert "ada does." in _html(shown)
    assert not shown.get("button_group")


def test_an_organizer_without_competitions_is_told_how_to_make_one(stand_in: StandIn, visit: Visit):
    stand_in.people["eve"] = make_person("eve", may_organize=True)
    test = visit("organize", "eve")
    assert "You organize no competition yet" in _html(test)
    assert "podium competition create" in test.code[0].value


def test_the_queue_in_figures(organized: StandIn, visit: Visit):
    shown = _html(visit("organize", "ada", competition="iris", section="queue"))
    for words in ("Agents take what is queued.", "<dd>31</dd>", "1 min 35 s", "about 42.5 s"):
        assert words in shown
    organized.organized.queue = make_queue(agents=0, slots=0, reason="No agent of pool 'default' is running.")
    assert "No agent of pool &#x27;default&#x27; is running." in _html(
        visit("organize", "ada", competition="iris", section="queue")
    )


def test_a_phase_is_paused_with_a_message_and_resumed(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="phases")
    test.button(key="pause-pausing-phase-iris-2").click().run()
    assert "Say what participants are told" in _html(test)
    assert organized.done == []
    test.text_input(key="message-pausing-phase-iris-2").set_value("A wrong label")
    test.button(key="pause-pausing-phase-iris-2").click().run()
    assert organized.done == [
        ("PATCH", "/competitions/iris/phases/2", {"paused": True, "pause_message": "A wrong label"})
    ]
    assert "The organizers say: A wrong label." in _html(test)
    test.button(key="resume-pausing-phase-iris-2").click().run()
    assert organized.done[-1][2] == {"paused": False}
    assert "Final takes submissions again." in _html(test)


def test_only_what_was_changed_of_a_phase_is_sent(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="phases")
    next(button for button in test.button if button.label == "Change").click().run()
    assert "Nothing was changed." in _html(test)
    per_day, total, at_once = test.number_input
    per_day.set_value(7)
    total.set_value(None)
    at_once.set_value(2)
    next(button for button in test.button if button.label == "Change").click().run()
    changes = {"max_submissions_per_day": 7, "max_concurrent_submissions": 2, "without_limits": ["max_submissions"]}
    assert organized.done == [("PATCH", "/competitions/iris/phases/2", changes)]
    assert "7 a day (UTC), 2 at a time" in _html(test)


def test_the_gateways_refusal_is_shown_as_it_is(organized: StandIn, visit: Visit):
    organized.refusal = InvalidInput("Phases would overlap:\n- Final", remedy="Move the other one first.")
    test = visit("organize", "ada", competition="iris", section="phases")
    test.number_input[0].set_value(7)
    next(button for button in test.button if button.label == "Change").click().run()
    assert "Phases would overlap:\n- Final Move the other one first." in _html(test)
    assert test.number_input[0].value == 7


def test_extra_allowances_are_listed_and_granted(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="extra-allowances")
    assert "Nobody has more than the others" in _html(test)
    test.button(key="allow-extra-iris-2").click().run()
    assert "Name the participant, and say why" in _html(test)
    test.text_input(key="username-extra-iris-2").set_value(" lin ")
    test.text_input(key="reason-extra-iris-2").set_value("Their upload broke")
    test.number_input(key="per_window-extra-iris-2").set_value(2)
    test.button(key="allow-extra-iris-2").click().run()
    body = {"per_window": 2, "total": 0, "concurrent": 0, "reason": "Their upload broke"}
    assert organized.done == [("PUT", "/competitions/iris/phases/2/extra-allowances/lin", body)]
    for words in ("Granted to lin.", "2 more a day (UTC)", "Their upload broke"):
        assert words in _html(test)
    assert test.text_input(key="username-extra-iris-2").value == ""


def test_what_was_taken_back_says_so(organized: StandIn, visit: Visit):
    organized.organized.extras["2"] = [ExtraAllowanceRecord("lin", "Final", 0, 0, 0, "Over", "ada", moment())]
    assert "nothing more" in _html(visit("organize", "ada", competition="iris", section="extra-allowances"))


def test_a_rerun_is_started_after_a_look_and_with_a_reason(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="reruns")
    assert "Nothing was scored again yet" in _html(test)
    assert "start-button-iris" not in {button.key for button in test.button}
    test.button(key="preview-iris").click().run()
    for words in ("about 21 minutes", "all 4 when nothing else waits", "Classify: version 2, scored by version 1."):
        assert words in _html(test)
    test.button(key="start-button-iris").click().run()
    assert "Say why: all who see the results read it." in _html(test)
    test.text_input(key="reason-iris").set_value("A wrong label")
    test.radio(key="adoption-iris").set_value("Keep them apart until I adopt them")
    test.button(key="start-button-iris").click().run()
    preview, start = organized.done
    assert preview == ("POST", "/competitions/iris/reruns/preview", {"phase": "Development"})
    assert start == (
        "POST",
        "/competitions/iris/reruns",
        {"phase": "Development", "reason": "A wrong label", "adoption": "manual"},
    )
    assert "The rerun has been asked for." in _html(test)
    assert "waits to be adopted by hand" in _html(test)


def test_a_preview_holds_for_its_selection_alone(organized: StandIn, visit: Visit):
    test = visit("organize", "ada", competition="iris", section="reruns")
    test.button(key="preview-iris").click().run()
    assert "What it would do" in _html(test)
    test.radio(key="choice-iris").set_value("Some submissions").run()
    assert "What it would do" not in _html(test)
    test.button(key="preview-iris").click().run()
    assert "No submission is named. Write their numbers, as in 3, 7, 12-20." in _html(test)
    test.text_input(key="numbers-iris").set_value("7, 3-4")
    test.number_input(key="parallel-iris").set_value(2)
    test.button(key="preview-iris").click().run()
    assert organized.done[-1][2] == {"submissions": [3, 4, 7], "parallel": 2}
    test.radio(key="choice-iris").set_value("What Podium failed").run()
    test.button(key="preview-iris").click().run()
    assert organized.done[-1][2] == {"platform_failures": True, "parallel": 2}


def test_a_rerun_of_nothing_can_not_be_started(organized: StandIn, visit: Visit):
    organized.organized.preview = make_preview(total=0, phases=())
    test = visit("organize", "ada", competition="iris", section="reruns")
    test.button(key="preview-iris").click().run()
    assert "There is nothing to score again." in _html(test)
    assert "start-button-iris" not in {button.key for button in test.button}


def test_a_rerun_that_runs_is_paused_and_goes_on(organized: StandIn, visit: Visit):
    organized.organized.reruns = [make_rerun()]
    test = visit("organize", "ada", competition="iris", section="reruns")
    assert "40 of 120 done: 38 finished, 2 failed; 4 under way, 26 queued, 50 not begun" in _html(test)
    assert "about 4 minutes left" in _html(test)
    test.button(key="pause-rerun-iris-1").click().run()
    assert "Rerun 1 is paused." in _html(test)
    test.button(key="resume-rerun-iris-1").click().run()
    assert "Rerun 1 goes on." in _html(test)


def test_results_that_were_held_back_are_adopted_after_a_question(organized: StandIn, visit: Visit):
    rerun = make_rerun(
        RerunStatus.READY, finished=117, failed=3, waiting=0, queued=0, under_way=0, held_back="#7 would now fail"
    )
    report = make_report(
        rerun,
        (ACCURACY,),
        make_difference(7, "lin", (0.9,), (None,), (1, None), new_status=SubmissionStatus.FAILED, message="No scores."),
        make_difference(9, "bob", (0.5,), (0.5,), (3, 3)),
    )
    organized.organized.reruns, organized.organized.reports = [rerun], {1: report}
    test = visit("organize", "ada", competition="iris", section="reruns")
    for words in ("The new results were held back. #7 would now fail.", "leaves the leaderboard", "No scores."):
        assert words in _html(test)
    assert ">bob<" not in _html(test)
    test.toggle(key="unchanged-iris-1").set_value(True).run()
    assert ">bob<" in _html(test)
    test.button(key="adopt-rerun-iris-1").click().run()
    assert "Adopt rerun 1? 120 new results take the place of the old ones, all at once" in _html(test)
    assert organized.done == []
    test.button(key="yes-rerun-iris-1").click().run()
    assert organized.done == [("POST", "/competitions/iris/reruns/1/adopt", {})]
    assert "The results of rerun 1 count now." in _html(test)


def test_a_refused_deed_says_why(organized: StandIn, visit: Visit):
    organized.organized.reruns = [make_rerun()]
    organized.refusal = Conflict("Rerun 1 is over already.")
    test = visit("organize", "ada", competition="iris", section="reruns")
    test.button(key="cancel-rerun-iris-1").click().run()
    assert "Cancel rerun 1? 40 new results are thrown away. The old results stay." in _html(test)
    test.button(key="yes-rerun-iris-1").click().run()
    assert "Rerun 1 is over already." in _html(test)


def test_versions_of_tasks(organized: StandIn, visit: Visit):
    organized.organized.versions["0"] = [
        make_version(2, is_current=True, submissions=0, reason="A wrong <label>"),
        make_version(1, is_current=False, submissions=12),
    ]
    shown = _html(visit("organize", "ada", competition="iris", section="tasks"))
    for words in ("12 results that count come from an earlier version", "A wrong &lt;label&gt;", "as in the bundle"):
        assert words in shown
    assert shown.count(">changed<") == 2


def test_a_silent_gateway_is_said_in_every_section(organized: StandIn, visit: Visit):
    sections = ("queue", "phases", "extra-allowances", "reruns", "tasks")
    tests = [visit("organize", "ada", competition="iris", section=section) for section in sections]
    organized.is_down = True
    for test in tests:
        test.run()
        assert not test.exception
        assert "Podium does not answer at the moment" in _html(test)


def test_the_page_is_offered_to_those_who_may_organize(organized: StandIn, visit: Visit):
    competition = organized.competitions["iris"]
    organized.people["lin"] = make_person("lin")
    assert "Organize" in [link.proto.label for link in visit("competition", "ada", competition="iris").get("page_link")]
    organized.competitions["iris"] = replace(competition, may_organize=False)
    links = visit("competition", "lin", competition="iris").get("page_link")
    assert "Organize" not in [link.proto.label for link in links]
