"""What a participant can do with a submission of theirs: cancel it, have it count, let others have it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from podium.dashboards.cards import phase_state
from podium.dashboards.deeds import Deed
from podium.dashboards.origins import cancelling_words
from podium.platform.bundles.content import SubmissionRule
from podium.platform.client.api import Client
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.submissions import SubmissionRecord

_ONE = frozenset({SubmissionRule.ADD, SubmissionRule.ADD_AND_DELETE})
_SEVERAL = frozenset({SubmissionRule.ADD_AND_DELETE_MULTIPLE})
_MAY_GO = frozenset({SubmissionRule.ADD_AND_DELETE, SubmissionRule.ADD_AND_DELETE_MULTIPLE})


def decisions(submission: SubmissionRecord, competition: CompetitionRecord, own: Client, at: datetime) -> list[Deed]:
    """What can be done with it now; nothing with one that failed."""
    if submission.ended is None:
        return [_cancel(submission, own)]
    if submission.status is not SubmissionStatus.FINISHED:
        return []
    deeds = _about_leaderboard(submission, competition, own, at)
    return [*deeds, *_about_sharing(submission, competition, own)]


def _cancel(submission: SubmissionRecord, own: Client) -> Deed:
    return Deed(
        key="cancel",
        label="Cancel this submission",
        icon=":material/cancel:",
        call=lambda: own.cancel(submission.id),
        done=f"Submission #{submission.number} is cancelled.",
        question=f"Cancel submission #{submission.number}? {cancelling_words(submission)}",
        yes=f"Cancel submission #{submission.number}",
    )


def _about_leaderboard(
    submission: SubmissionRecord, competition: CompetitionRecord, own: Client, at: datetime
) -> list[Deed]:
    rule = competition.submission_rule
    phase = next((phase for phase in competition.phases if phase.name == submission.phase), None)
    if rule not in _ONE | _SEVERAL or phase is None or phase_state(phase, at) == "over":
        return []
    number = submission.number
    if submission.excluded:
        return []
    if not submission.on_leaderboard:
        in_place = " in the place of the one that stands there" if rule in _ONE else ""
        return [
            _deed(
                "choose",
                "Put on the leaderboard",
                ":material/leaderboard:",
                lambda: own.put_on_leaderboard(submission.id),
                f"Submission #{number} stands on the leaderboard{in_place}.",
            )
        ]
    if rule in _MAY_GO:
        return [
            _deed(
                "unchoose",
                "Take off the leaderboard",
                ":material/remove:",
                lambda: own.take_off_leaderboard(submission.id),
                f"Submission #{number} stands on the leaderboard no more.",
            )
        ]
    return []


def _about_sharing(submission: SubmissionRecord, competition: CompetitionRecord, own: Client) -> list[Deed]:
    if submission.shared:
        return [
            _deed(
                "unshare",
                "Make private",
                ":material/lock:",
                lambda: own.unshare_submission(submission.id),
                "Nobody else can download it any more.",
            )
        ]
    if not competition.may_share:
        return []
    return [
        Deed(
            key="share",
            label="Make public",
            icon=":material/public:",
            call=lambda: own.share_submission(submission.id),
            done="Everybody with an account can download it now, from the competition's page.",
            question=f"Make submission #{submission.number} public? Everybody with an account can then download its "
            "file, and read its note. You can take that back, but not what was downloaded meanwhile.",
            yes=f"Make submission #{submission.number} public",
        )
    ]


def _deed(key: str, label: str, icon: str, call: Callable[[], object], done: str) -> Deed:
    return Deed(key=key, label=label, icon=icon, call=call, done=done)
