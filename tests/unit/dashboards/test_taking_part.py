"""A participant's way over the pages: taking part, submitting, deciding, and what stands in the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from stand_in import StandIn, make_competition, make_person, make_phase, make_submission, moment
from streamlit.testing.v1 import AppTest

from podium.dashboards import times
from podium.dashboards.decisions import decisions
from podium.dashboards.gateway import open_gateway
from podium.dashboards.pictures import thumbnail
from podium.dashboards.sending import Order, plain_name, send
from podium.dashboards.submission_filters import ALL, FAILED, SCORED, UNDER_WAY, matching
from podium.dashboards.taking_part import acceptance_words, participation_words
from podium.platform.bundles.content import SubmissionRule
from podium.platform.errors import QuotaExceeded
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.records.offers import OfferedFile, SharedSubmission
from podium.platform.records.people import Allowance
from podium.platform.records.submissions import ScoreRecord

Visit = Callable[..., AppTest]
PART = {
    "participation": ParticipantStatus.APPROVED,
    "accepted_terms_sha256": "0" * 64,
    "terms_accepted": moment(days=2),
}


def _html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))


@dataclass
class Upload:
    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def getbuffer(self) -> memoryview:
        return memoryview(self.content)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        (PART, "You take part"),
        ({**PART, "accepted_terms_sha256": "1" * 64}, "The terms have changed"),
        ({"participation": ParticipantStatus.PENDING}, "has not approved you yet"),
        ({"participation": ParticipantStatus.DENIED}, "has not let you take part"),
    ],
)
def test_the_own_part_is_said(changes: dict[str, object], words: str) -> None:
    assert words in participation_words(make_competition(**changes))[0]


def test_the_accepted_version_of_the_terms_is_named() -> None:
    assert acceptance_words(make_competition()) == "Version 000000000000."
    assert "You accepted this version on" in acceptance_words(make_competition(**PART))
    assert "You accepted another one, 111111111111" in acceptance_words(
        make_competition(**{**PART, "accepted_terms_sha256": "1" * 64})
    )


def test_windows_are_told_in_the_viewers_time_where_that_is_another() -> None:
    phase = make_phase()
    assert times.window_in_zone(phase, UTC) == ""
    assert (
        times.window_in_zone(phase, ZoneInfo("Europe/London" if phase.start.month in {11, 12, 1, 2} else "UTC")) == ""
    )
    words = times.window_in_zone(phase, ZoneInfo("Asia/Tokyo"))
    assert words.startswith("For you: ")
    assert words.endswith("(Asia/Tokyo)")


@pytest.mark.parametrize(
    ("rule", "stands", "keys"),
    [
        (SubmissionRule.FORCE_BEST, False, ["share"]),
        (SubmissionRule.ADD, False, ["choose", "share"]),
        (SubmissionRule.ADD, True, ["share"]),
        (SubmissionRule.ADD_AND_DELETE, True, ["unchoose", "share"]),
        (SubmissionRule.ADD_AND_DELETE_MULTIPLE, False, ["choose", "share"]),
    ],
)
def test_what_can_be_done_follows_the_rule(rule: SubmissionRule, stands: bool, keys: list[str]) -> None:  # noqa: FBT001
    own = open_gateway("token")
    competition = make_competition(submission_rule=rule, may_share=True)
    submission = replace(make_submission(SubmissionStatus.FINISHED), on_leaderboard=stands)
    assert [deed.key for deed in decisions(submission, competition, own, times.now())] == keys
    over = replace(competition, phases=(make_phase(start=-9, end=-1),))
    assert [deed.key for deed in decisions(submission, over, own, times.now())] == ["share"]
    # What an organizer keeps off, nobody else puts there.
    excluded = replace(submission, on_leaderboard=False, excluded=True)
    assert [deed.key for deed in decisions(excluded, competition, own, times.now())] == ["share"]
    failed = make_submission(SubmissionStatus.FAILED)
    assert decisions(failed, competition, own, times.now()) == []


def test_submissions_are_filtered() -> None:
    several = [make_submission(status, number) for number, status in enumerate(SubmissionStatus, 1)]
    assert len(matching(several, ALL, ALL)) == len(several)
    assert {one.status for one in matching(several, SCORED, "Development")} == {SubmissionStatus.FINISHED}
    assert {one.status for one in matching(several, FAILED, ALL)} == {SubmissionStatus.FAILED}
    assert all(one.ended is None for one in matching(several, UNDER_WAY, ALL))
    assert matching(several, ALL, "Final") == ()


def test_a_picture_becomes_small_and_anything_else_nothing() -> None:
    large = io.BytesIO()
    Image.new("RGB", (900, 300), "red").save(large, "JPEG")
    address = thumbnail(large.getvalue())
    assert address is not None
    assert address.startswith("data:image/png;base64,")
    assert thumbnail(b"<svg onload='alert(1)'/>") is None
    assert thumbnail(large.getvalue()[:50]) is None


def test_a_file_is_sent_under_a_plain_name(stand_in: StandIn) -> None:
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition())
    sending = send(
        open_gateway("token"), Upload("../../etc/p.csv", b"1,2"), Order("iris", make_phase(), "a note", {"model": "x"})
    )
    sending.join(30)
    assert sending.submission is not None, sending.error
    assert sending.submission.status is SubmissionStatus.QUEUED
    assert (sending.share, sending.is_under_way) == (1.0, False)
    announced = next(body for method, path, body in stand_in.done if path.endswith("/submissions"))
    assert (announced["filename"], announced["message"], announced["phase"]) == ("p.csv.zip", "a note", "1")
    assert stand_in.received[-1].startswith(b"PK")
    assert plain_name("..") == "file"


def test_a_refusal_is_kept_for_the_page(stand_in: StandIn, visit: Visit) -> None:
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition(**PART))
    stand_in.refusal = QuotaExceeded("Those of today are used.", remedy="Submit again tomorrow.")
    sending = send(open_gateway("token"), Upload("p.csv", b"1,2"), Order("iris", make_phase(), "", {}))
    sending.join(30)
    assert isinstance(sending.error, QuotaExceeded)
    test = visit("submit", "token", competition="iris")
    test.session_state["podium-sending"] = sending
    test.run()
    assert "Those of today are used. Submit again tomorrow." in _html(test)
    stand_in.refusal = None
    next(button for button in test.button if button.label == "Try again").click().run()
    assert [button.label for button in test.button] == ["Submit to Development"]


@pytest.mark.parametrize(
    ("changes", "phase", "words"),
    [
        ({}, make_phase(), "You do not take part in this competition yet."),
        ({**PART, "accepted_terms_sha256": "1" * 64}, make_phase(), "The terms have changed"),
        (PART, make_phase(start=2), "No phase is open"),
        (PART, make_phase(), "Left for you: 4 today (UTC), 96 in all."),
    ],
)
def test_the_form_says_what_stands_in_its_way(
    stand_in: StandIn, visit: Visit, changes: dict[str, object], phase: object, words: str
) -> None:
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition("iris", "Iris", phase, **changes))
    test = visit("submit", "token", competition="iris")
    assert words in _html(test)


def test_a_used_up_quota_closes_the_form_and_counts_down(stand_in: StandIn, visit: Visit) -> None:
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition(**PART))
    stand_in.allowance = Allowance(
        can=False, reason="Those of today are used.", phase="Development", left_in_window=0, left_total=9,
        changes=moment(hours=-3),
    )  # fmt: skip
    test = visit("submit", "token", competition="iris")
    assert "Those of today are used. That may change on" in _html(test)
    assert any(caption.value.startswith("In 2 hours") for caption in test.caption)
    assert test.button(key="submit-now").disabled


def test_visitors_are_led_to_sign_in(stand_in: StandIn, visit: Visit) -> None:
    stand_in.add(make_competition())
    assert "Sign in to submit" in _html(visit("submit", competition="iris"))


def test_files_and_shared_submissions_are_listed(stand_in: StandIn, visit: Visit) -> None:
    stand_in.people["token"] = make_person("lin")
    stand_in.add(make_competition(may_share=True, **PART))
    stand_in.files["iris"] = [OfferedFile(uuid4(), "starting_kit", ("Development",), "", "<kit>.zip", 2048, "0" * 64)]
    stand_in.shared["iris"] = [
        SharedSubmission(
            uuid4(), 7, "mia", "Development", "m.zip", 99, "", moment(hours=1), (ScoreRecord("loss", 0.25),)
        )
    ]
    shown = _html(visit("competition", "token", competition="iris"))
    assert "&lt;kit&gt;.zip" in shown
    assert "Starting kit, from phase Development on" in shown
    assert "0.250" in shown
    assert shown.count("/stored/") == 2
    for_visitors = _html(visit("competition", competition="iris"))
    assert "These files are for who takes part" in for_visitors
    assert "/stored/" not in for_visitors


def test_competitions_are_filtered(stand_in: StandIn, visit: Visit) -> None:
    stand_in.people["token"] = make_person("lin")
    for slug, changes in (("now", {"status": "open"}), ("old", {"status": "over", "phase": None})):
        record = make_competition(slug, slug.title())
        stand_in.add(replace(record, summary=replace(record.summary, **changes)))
    test = visit("competitions", "token", show="over")
    assert [button.value for button in test.segmented_control] == ["over"]
    shown = _html(test)
    assert "ended" in shown
    assert "4 days 23 hours left" not in shown
    test.segmented_control(key="competitions-filter").set_value("mine").run()
    assert "You take part in none yet" in _html(test)
