"""Each page, run by Streamlit's own test harness over the stand-in gateway."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from stand_in import (
    StandIn,
    make_board,
    make_competition,
    make_person,
    make_phase,
    make_row,
    make_submission,
    moment,
)
from streamlit.testing.v1 import AppTest

from podium.platform.bundles.content import Relaxations
from podium.platform.errors import Conflict
from podium.platform.lifecycle import EvaluationStatus, MigrationStatus, SubmissionStatus, Verdict
from podium.platform.records.competitions import MigrationRecord, PageRecord
from podium.platform.records.people import ExtraAllowanceRecord
from podium.platform.records.submissions import EvaluationRecord, LogPiece

Visit = Callable[..., AppTest]


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


def test_the_list_shows_what_is_published(stand_in: StandIn, visit: Visit):
    stand_in.add(make_competition("iris", "Iris & friends"))
    shown = _html(visit("competitions"))
    assert "4 days 23 hours left" in shown
    assert "123" in shown


def test_the_list_can_be_searched(stand_in: StandIn, visit: Visit):
    stand_in.add(make_competition("iris", "Iris"))
    test = visit("competitions")
    test.text_input(key="competitions-search").set_value("brain").run()
    assert "Nothing found" in _html(test)


def test_a_competition_shows_its_phases_pages_rules_and_commands(stand_in: StandIn, visit: Visit):
    phases = (
        make_phase(1, "Warm-up", start=-9, end=-2),
        make_phase(2, "Final", start=-2, end=3.5),
        make_phase(3, "Later", start=4),
    )
    stand_in.add(make_competition("iris", "Iris", *phases))
    test = visit("competition", competition="iris")
    shown = _html(test)
    for words in (
        "over since 2 days",
        "open, 3 days 11 hours left",
        "opens in 3 days 23 hours",
        "5 a day (UTC), 100 in all",
    ):
        assert words in shown
    assert [tab.label for tab in test.tabs] == ["Overview", "Files", "Rules", "Terms", "Take part"]
    assert any(r"Win \$500" in markdown.value for markdown in test.markdown)
    assert "podium login https://podium.example.org" in test.code[0].value


def test_relaxed_rules_are_shown_to_everybody(stand_in: StandIn, visit: Visit):
    stand_in.add(make_competition("strict", "Strict"))
    assert "may connect" not in _html(visit("competition", competition="strict"))
    stand_in.add(make_competition(relaxations=Relaxations(network=("data.example:443",), root=True)))
    shown = _html(visit("competition", competition="iris"))
    assert "may connect to data.example:443; what they can read can leave that way." in shown
    assert "run as root inside of their container" in shown


def test_an_organizers_html_is_made_harmless(stand_in: StandIn, visit: Visit):
    page = PageRecord("Data", "<p onclick=alert(1)>Hello<script>alert(1)</script></p>", is_html=True)
    stand_in.add(make_competition(pages=(page,)))
    shown = _html(visit("competition", competition="iris"))
    assert "<p>Hello</p>" in shown
    assert "alert" not in shown


def test_an_unknown_competition_says_so(visit: Visit):
    assert "There is no such competition" in _html(visit("competition", competition="nothing"))
    assert "There is no such competition" in _html(visit("leaderboard", competition="nothing"))


def test_the_leaderboard_shows_the_rows_of_the_open_phase(stand_in: StandIn, visit: Visit):
    phases = (make_phase(1, "Warm-up", start=-9, end=-2), make_phase(2, "Final", start=-2, end=3))
    first, second = make_board(make_row(1, "early", 0.5, 0.5)), make_board(make_row(1, "ada", 0.9, 0.1), phase="Final")
    stand_in.add(make_competition("iris", "Iris", *phases), first, second)
    assert ">ada<" in _html(visit("leaderboard", competition="iris"))
    assert ">early<" in _html(visit("leaderboard", competition="iris", phase="1"))
    assert ">early<" in _html(visit("leaderboard", competition="iris", phase="Warm-up"))


@pytest.mark.parametrize(
    ("changes", "start", "words"),
    [
        ({"leaderboard_hidden": True}, -1, "This leaderboard is hidden"),
        ({}, 2, "has not begun"),
        ({}, -1, "No scored submission yet"),
    ],
)
def test_a_leaderboard_without_rows_says_why(
    stand_in: StandIn, visit: Visit, changes: dict[str, object], start: float, words: str
):
    stand_in.add(make_competition("iris", "Iris", make_phase(start=start), **changes), make_board())
    assert words in _html(visit("leaderboard", competition="iris"))


def test_a_silent_gateway_is_said_on_every_page(stand_in: StandIn, visit: Visit):
    stand_in.is_down = True
    for page in ("competitions", "competition", "leaderboard"):
        assert "Podium does not answer at the moment" in _html(visit(page, competition="never-seen-before"))


def test_the_leaderboard_can_be_searched_and_drawn(stand_in: StandIn, visit: Visit):
    stand_in.add(make_competition(), make_board(make_row(1, "ada", 0.9, 0.1), make_row(2, "bob", 0.8, 0.1)))
    test = visit("leaderboard", competition="iris")
    assert "data:image/svg+xml" not in _html(test)
    test.segmented_control(key="figure-iris-1").set_value("Distribution").run()
    assert "Distribution of Accuracy over 2 rows" in _html(test)
    test.text_input(key="search-iris-1").set_value("BO").run()
    assert ">bob<" in _html(test)
    assert ">ada<" not in _html(test)
    test.text_input(key="search-iris-1").set_value("<zed>").run()
    assert "contains “&lt;zed&gt;”" in _html(test)


def test_the_own_row_is_found_on_a_later_page(stand_in: StandIn, visit: Visit):
    rows = [make_row(rank, f"p{rank}", 1 / rank, 0.1) for rank in range(1, 250)]
    stand_in.people["good"] = make_person("p200")
    stand_in.add(make_competition(), make_board(*rows))
    assert "200th of 249" in _html(visit("leaderboard", "good", competition="iris"))


def _sign_in(test: AppTest, token: str) -> None:
    test.text_input(key="sign-in-token").set_value(token)
    test.button[0].click().run()


def test_signing_in_and_out(stand_in: StandIn, visit: Visit):
    stand_in.people["good"] = make_person("lin", may_organize=True)
    test = visit("sign-in")
    _sign_in(test, " good ")
    assert "Lin Example" in _html(test)
    assert not test.query_params
    test.button[0].click().run()
    assert test.text_input(key="sign-in-token").value == ""


def test_a_token_that_is_not_known_is_refused(stand_in: StandIn, visit: Visit):
    test = visit("sign-in")
    _sign_in(test, "bad")
    assert "This token is not known here" in _html(test)
    stand_in.is_down = True
    _sign_in(test, "bad")
    assert "Podium does not answer" in _html(test)


def test_visitors_are_asked_to_sign_in(visit: Visit):
    assert "Sign in to see yours" in _html(visit("submissions"))


def test_a_failed_submission_says_what_to_do_and_shows_its_logs(stand_in: StandIn, visit: Visit):
    failed = make_submission(
        SubmissionStatus.FAILED,
        evaluations=(
            EvaluationRecord(
                uuid4(), "0", EvaluationStatus.FAILED, Verdict.MEMORY_LIMIT, "Used 4 GB of 4 GB.", (), (), (), {}
            ),
        ),
    )
    stand_in.people["good"] = make_person()
    stand_in.add(make_competition())
    stand_in.submissions["iris"] = [make_submission(SubmissionStatus.QUEUED, 2, ahead=3), failed]
    stand_in.logs[failed.id] = [LogPiece(1, 1, "0", "stderr", "Killed\n")]
    test = visit("submissions", "good", competition="iris")
    assert "3 submissions before it in the queue." in _html(test)
    assert "Left for you: 4 today (UTC), 96 in all." in _html(test)
    test.selectbox(key="submission-of-iris").set_value(1).run()
    shown = _html(test)
    assert "Used 4 GB of 4 GB." in shown
    assert "Work in smaller batches" in shown
    assert any(code.value.strip() == "Killed" for code in test.code)


def test_a_queued_submission_is_cancelled_after_a_question(stand_in: StandIn, visit: Visit):
    stand_in.people["good"] = make_person()
    stand_in.add(make_competition())
    expected = moment(minutes=-3)
    stand_in.submissions["iris"] = [make_submission(SubmissionStatus.QUEUED, 2, ahead=0, expected=expected)]
    test = visit("submissions", "good", competition="iris")
    # After midnight it is another day's time, and the page says which.
    assert re.search(rf"scored at about [^<]*{expected:%H:%M} UTC", _html(test))
    test.button[0].click().run()
    assert "Cancel submission #2? It will not be scored." in _html(test)
    test.button(key=f"no-submission-{stand_in.submissions['iris'][0].id}").click().run()
    assert "Cancel submission #2?" not in _html(test)
    assert stand_in.done == []
    test.button[0].click().run()
    test.button(key=f"yes-submission-{stand_in.submissions['iris'][0].id}").click().run()
    assert "Submission #2 is cancelled." in _html(test)
    assert not test.button


def test_a_refused_cancellation_says_why(stand_in: StandIn, visit: Visit):
    stand_in.people["good"] = make_person()
    stand_in.add(make_competition())
    queued = make_submission(SubmissionStatus.QUEUED, 2, ahead=0)
    stand_in.submissions["iris"] = [queued]
    stand_in.refusal = Conflict("It has ended already.", remedy="Look at its scores.")
    test = visit("submissions", "good", competition="iris")
    test.button[0].click().run()
    test.button(key=f"yes-submission-{queued.id}").click().run()
    assert "It has ended already. Look at its scores." in _html(test)


def test_what_organizers_grant_is_told_with_its_reason(stand_in: StandIn, visit: Visit):
    extra = ExtraAllowanceRecord("lin", "Development", 2, 0, 1, "Your upload broke", "ada", moment(days=1))
    stand_in.people["good"] = make_person()
    stand_in.add(make_competition())
    stand_in.allowance = replace(stand_in.allowance, window="a day (Europe/Berlin)", left_at_once=1, extra=extra)
    shown = _html(visit("submissions", "good", competition="iris"))
    assert "Left for you: 4 today (Europe/Berlin), 96 in all, 1 at a time." in shown
    assert "2 more a day (Europe/Berlin), 1 more at a time. Your upload broke." in shown


def test_a_paused_phase_and_what_it_took_over_are_shown(stand_in: StandIn, visit: Visit):
    migration = MigrationRecord(MigrationStatus.FINISHED, "", 12, moment(days=2), moment(days=1))
    phases = (
        make_phase(1, "Development", start=-9, end=-2),
        replace(
            make_phase(2, "Final", start=-2, end=3), paused=True, pause_message="A wrong label", migration=migration
        ),
    )
    stand_in.add(make_competition("iris", "Iris", *phases, registration_end=moment(days=-1)))
    shown = _html(visit("competition", competition="iris"))
    assert "Final is paused and takes no submissions at the moment. The organizers say: A wrong label." in shown
    assert "12 submissions were taken over from phase Development." in shown
    assert "open, 23 hours" in shown
