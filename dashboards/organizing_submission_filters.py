"""Which submissions an organizer looks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import TypedDict

import streamlit as st

from podium.platform.lifecycle import SubmissionStatus, Verdict
from podium.platform.records.competitions import CompetitionRecord

_ANY = "any"
_ON_BOARD = {"any": None, "on it": True, "not on it": False}


class Arguments(TypedDict):
    """The arguments of `submission_page`."""

    phase: int | None
    status: SubmissionStatus | None
    verdict: Verdict | None
    participant: str | None
    on_leaderboard: bool | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is not set leaves nothing out. The last day of `until` counts."""

    phase: int | None = None
    status: str = _ANY
    verdict: str = _ANY
    participant: str = ""
    on_leaderboard: bool | None = None
    since: date | None = None
    until: date | None = None

    def arguments(self) -> Arguments:
        """As the client takes it."""
        after = None if self.until is None else self.until + timedelta(days=1)
        return Arguments(
            phase=self.phase,
            status=None if self.status == _ANY else SubmissionStatus(self.status),
            verdict=None if self.verdict == _ANY else Verdict(self.verdict),
            participant=self.participant.strip() or None,
            on_leaderboard=self.on_leaderboard,
            since=_midnight(self.since),
            until=_midnight(after),
        )


def choose_filters(competition: CompetitionRecord) -> Wanted:
    """Draw the boxes of the filters; what they say now."""
    slug = competition.summary.slug
    names = {phase.number: phase.name for phase in competition.phases}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"filters-{slug}"):
        participant = st.text_input(
            "Participant", key=f"who-{slug}", placeholder="anyone", autocomplete="off", live="300ms", width=150
        )
        status = st.selectbox("Status", [_ANY, *(one.value for one in SubmissionStatus)], key=f"st-{slug}", width=130)
        verdict = st.selectbox(
            "Verdict",
            [_ANY, *(one.value for one in Verdict)],
            format_func=lambda word: word.replace("_", " "),
            key=f"verdict-{slug}",
            width=170,
        )
        phase = st.selectbox(
            "Phase",
            [None, *names],
            format_func=lambda number: _ANY if number is None else names.get(number, str(number)),
            key=f"ph-{slug}",
            width=150,
        )
        board = st.selectbox("Leaderboard", list(_ON_BOARD), key=f"board-{slug}", width=130)
        since = st.date_input("From (UTC)", value=None, key=f"since-{slug}", width=146, format="YYYY-MM-DD")
        until = st.date_input("Until (UTC)", value=None, key=f"until-{slug}", width=146, format="YYYY-MM-DD")
    return Wanted(phase, status, verdict, participant or "", _ON_BOARD[board], since, until)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time_of_day(), UTC)
