"""Reruns in words and cards."""

from __future__ import annotations

import pytest
from stand_in_organizing import make_preview, make_rerun

from podium.dashboards import rerun_words
from podium.dashboards.rerun_cards import preview_card, progress_bar, rerun_card
from podium.platform.lifecycle import RERUN_TRANSITIONS, RerunStatus
from podium.platform.records.reruns import LeftOut

LEADS_TO = {
    "pause": RerunStatus.PAUSED,
    "resume": RerunStatus.RUNNING,
    "adopt": RerunStatus.ADOPTED,
    "cancel": RerunStatus.CANCELLED,
}


@pytest.mark.parametrize("status", RerunStatus)
def test_only_what_is_possible_is_offered(status: RerunStatus):
    deeds = rerun_words.deeds_of(make_rerun(status))
    assert {LEADS_TO[deed] for deed in deeds} <= RERUN_TRANSITIONS[status]
    assert bool(deeds) == bool(RERUN_TRANSITIONS[status])
    assert rerun_words.STATUS_WORDS[status].endswith(".")
    assert f'class="podium-bar {status}"' in rerun_card(make_rerun(status))


def test_how_far_it_is():
    fresh = make_rerun(waiting=120, queued=0, under_way=0, finished=0, failed=0)
    assert rerun_words.progress_words(fresh) == "0 of 120 done; 120 not begun"
    done = make_rerun(RerunStatus.READY, waiting=0, queued=0, under_way=0, finished=119, failed=0, given_up=1)
    assert rerun_words.progress_words(done) == "120 of 120 done: 119 finished, 1 given up"
    bar = progress_bar(done)
    assert 'role="progressbar"' in bar
    assert 'aria-valuenow="120"' in bar
    assert 'style="width:0.83%"' in bar
    assert "width" not in progress_bar(make_rerun(total=0, finished=0, failed=0, under_way=0))


def test_what_is_left_is_said_while_it_runs_alone():
    assert rerun_words.remaining_words(make_rerun()) == "about 4 minutes left"
    assert rerun_words.remaining_words(make_rerun(remaining_seconds=None)) == ""
    assert rerun_words.remaining_words(make_rerun(RerunStatus.PAUSED)) == ""


def test_the_gateways_own_words_come_first():
    assert rerun_words.status_words(make_rerun(status_message="Waits for agents.")) == "Waits for agents."
    ready = make_rerun(RerunStatus.READY, status_message="Everything is scored")
    assert (
        rerun_words.status_words(ready) == "Everything is scored. The old results count until you adopt the new ones."
    )
    assert rerun_words.status_words(make_rerun()) == "Scores, behind all new submissions."


def test_adopting_and_cancelling_say_what_is_lost():
    ready = make_rerun(RerunStatus.READY, finished=1, failed=0, given_up=2, held_back="#7 would fail")
    asked = rerun_words.adopting_words(ready)
    assert "1 new result takes the place of the old ones" in asked
    assert "2 that could not be scored again keep their old ones. They were held back: #7 would fail." in asked
    assert "1 new result is thrown away." in rerun_words.cancelling_words(ready)
    assert "Nothing was scored yet." in rerun_words.cancelling_words(make_rerun(finished=0, failed=0))


def test_what_people_write_is_no_markup():
    card = rerun_card(make_rerun(reason="<b>wrong</b>", held_back="<i>bad</i>"))
    assert "&lt;b&gt;wrong&lt;/b&gt;" in card
    assert "held back. &lt;i&gt;bad&lt;/i&gt;." in card


@pytest.mark.parametrize(
    ("changes", "time", "slots"),
    [
        ({}, "about 21 minutes", "all 4 when nothing else waits"),
        ({"parallel": 2}, "about 21 minutes", "2 of 4 at most"),
        ({"expected_seconds": None}, "nobody can say: nothing like it was scored yet", "all 4 when nothing else waits"),
        ({"expected_seconds": None, "slots": 0}, "nobody can say: no agent is alive", "none: no agent is alive"),
    ],
)
def test_what_a_rerun_would_take(changes: dict[str, object], time: str, slots: str):
    preview = make_preview(**changes)
    assert rerun_words.expected_words(preview) == time
    assert rerun_words.slots_words(preview) == slots


def test_a_preview_names_what_is_left_out():
    card = preview_card(
        make_preview(changed_tasks=(), left_out=(LeftOut(19, "tim", "It was cancelled."),), left_out_total=4)
    )
    for words in ("No task has changed since", "#19", "It was cancelled.", "And 3 more."):
        assert words in card
