"""Expectations and origins of submissions in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from stand_in import make_submission

from podium.dashboards import origins, waiting
from podium.dashboards.history import details, details_head, submissions_table
from podium.platform.lifecycle import SubmissionStatus

AT = datetime(2026, 8, 3, 13, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"),
        (44, "less than a minute"),
        (45, "about a minute"),
        (125, "about 2 minutes"),
        (5300, "about 88 minutes"),
        (6000, "about 2 hours"),
        (200_000, "about 2 days"),
    ],
)
def test_durations_are_no_finer_than_they_are_known(seconds: float, words: str):
    assert waiting.about(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (2, "Expected in about 2 minutes, scored at about 13:05 UTC."),
        (0, "Expected any moment now."),
        (-4, "Expected any moment now."),
        (900, "Expected in about 15 hours, scored at about Tue 4 Aug, 04:03 UTC."),
    ],
)
def test_when_a_submission_will_be_scored(minutes: float, words: str):
    submission = make_submission(SubmissionStatus.QUEUED, ahead=1, expected=AT + timedelta(minutes=minutes))
    assert waiting.expectation_words(submission, AT) == words
    assert words in details_head(submission, AT)


def test_nothing_is_expected_where_nothing_is_known_or_all_is_over():
    assert waiting.expectation_words(make_submission(SubmissionStatus.QUEUED), AT) == ""
    assert waiting.expectation_words(make_submission(SubmissionStatus.FINISHED, expected=AT), AT) == ""


def test_where_results_come_from():
    submission = make_submission(
        SubmissionStatus.FINISHED, migrated_from=12, rescored="Scored again by rerun 3: wrong <label>"
    )
    assert origins.origin_sentences(submission) == (
        "Taken over from submission #12 of the phase before.",
        "Scored again by rerun 3: wrong <label>.",
    )
    assert "wrong &lt;label&gt;." in details_head(submission, AT)
    assert "<small>taken over from #12, scored again, on the leaderboard</small>" in submissions_table([submission], ())
    assert origins.origin_sentences(make_submission(SubmissionStatus.FINISHED)) == ()


def test_what_an_organizer_keeps_off_the_leaderboard_says_so_and_whom_to_ask():
    submission = make_submission(SubmissionStatus.FINISHED, excluded=True, on_leaderboard=False)
    head = details_head(submission, AT, contact="olga@example.org")
    assert "An organizer keeps this submission off the leaderboard." in head
    assert "Ask the organizers why: olga@example.org." in head
    assert "<small>kept off the leaderboard</small>" in submissions_table([submission], ())
    assert "<dt>On the leaderboard</dt><dd>kept off by an organizer</dd>" in details(submission, ())
    assert "off the leaderboard" not in details_head(make_submission(SubmissionStatus.FINISHED), AT)


@pytest.mark.parametrize("status", [SubmissionStatus.QUEUED, SubmissionStatus.RUNNING])
def test_cancelling_says_what_it_costs(status: SubmissionStatus):
    costs_nothing = "does not count" in origins.cancelling_words(make_submission(status))
    assert costs_nothing == (status is SubmissionStatus.QUEUED)
