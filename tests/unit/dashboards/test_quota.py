"""Quotas, pauses and migrations in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from stand_in import make_phase

from podium.dashboards import quota
from podium.platform.lifecycle import MigrationStatus
from podium.platform.records.competitions import MigrationRecord
from podium.platform.records.people import Allowance, ExtraAllowanceRecord

AT = datetime(2026, 8, 3, 9, tzinfo=UTC)
FREE = Allowance(can=True, reason="", phase="Final", left_in_window=None, left_total=None, changes=None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Final is open, without a limit."),
        ({"phase": None}, "You may submit, without a limit."),
        ({"left_in_window": 0, "left_total": 3}, "Final is open. Left for you: 0 today (UTC), 3 in all."),
        (
            {"left_in_window": 2, "left_at_once": 1, "window": "within 24 hours"},
            "Final is open. Left for you: 2 within 24 hours, 1 at a time.",
        ),
        ({"can": False, "reason": "It is paused: wait."}, "It is paused: wait."),
        (
            {"can": False, "reason": "All are used.", "changes": AT},
            "All are used. That may change on Mon 3 Aug 2026, 09:00 UTC.",
        ),
    ],
)
def test_what_is_left(changes: dict[str, object], words: str):
    assert quota.allowance_words(replace(FREE, **changes)) == words


def test_what_is_granted_on_top():
    extra = ExtraAllowanceRecord("lin", "Final", 2, 1, 0, "Sorry!", "ada", AT)
    assert quota.more_words(extra, "within 7 days") == "2 more within 7 days, 1 more in all"
    assert quota.extra_words(extra, "a day (UTC)").endswith("2 more a day (UTC), 1 more in all. Sorry!")
    assert quota.extra_words(replace(extra, per_window=0, total=0), "a day (UTC)") == ""


def test_limits_name_the_time_zone():
    phase = replace(make_phase(), time_zone="Asia/Tokyo", max_concurrent_submissions=1)
    assert quota.limits_words(phase) == "5 a day (Asia/Tokyo), 100 in all, 1 at a time"
    assert quota.phase_window_words(phase) == "a day (Asia/Tokyo)"
    assert quota.phase_window_words(replace(phase, submission_window="sliding_week")) == "within 7 days"
    assert quota.limits_words(replace(make_phase(), max_submissions_per_day=None, max_submissions=None)) == "no limit"


def test_failures_that_cost_nothing():
    assert quota.given_back_words(make_phase()) == ""
    one = replace(make_phase(), failed_submissions_given_back=1)
    assert quota.given_back_words(one) == "In Development the first submission that fails does not count."
    assert "the first 3 submissions that fail do not" in quota.given_back_words(
        replace(one, failed_submissions_given_back=3)
    )


def test_a_pause_has_the_organizers_words():
    assert quota.paused_words(make_phase()) == ""
    paused = replace(make_phase(), paused=True)
    assert quota.paused_words(paused) == "Development is paused and takes no submissions at the moment."
    assert quota.paused_words(replace(paused, pause_message=" Back at noon ")).endswith("say: Back at noon.")


@pytest.mark.parametrize(
    ("copied", "is_over", "message", "words"),
    [
        (12, False, "3 are still scored", "Takes over submissions from phase Warm-up: 12 so far. 3 are still scored."),
        (1, True, "", "1 submission was taken over from phase Warm-up."),
        (12, True, "", "12 submissions were taken over from phase Warm-up."),
    ],
)
def test_what_a_phase_takes_over(copied: int, is_over: bool, message: str, words: str):  # noqa: FBT001 - pytest passes it
    status = MigrationStatus.FINISHED if is_over else MigrationStatus.RUNNING
    migration = MigrationRecord(status, message, copied, AT, AT if is_over else None)
    assert quota.migration_words(replace(make_phase(2), migration=migration), "Warm-up") == words


def test_a_migration_to_come_is_announced():
    assert quota.migration_words(make_phase(2), "Warm-up") == ""
    waiting = replace(make_phase(2), auto_migrate=True)
    assert quota.migration_words(waiting, "Warm-up") == "Takes over what stands on the leaderboard of Warm-up."
