"""Which of a viewer's submissions are shown: by state, and by phase where there are several."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards.markup import plain_markdown
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES, SubmissionStatus
from podium.platform.records.submissions import SubmissionRecord

ALL = "All"
UNDER_WAY, SCORED, FAILED, CANCELLED = "Under way", "Scored", "Failed", "Cancelled"
_STATES = (ALL, UNDER_WAY, SCORED, FAILED, CANCELLED)
_STATE_OF = {
    SubmissionStatus.FINISHED: SCORED,
    SubmissionStatus.FAILED: FAILED,
    SubmissionStatus.CANCELLED: CANCELLED,
}
_FEW = 4
"""So many submissions are seen at a glance."""


def choose_shown(submissions: Sequence[SubmissionRecord], *, slug: str) -> tuple[SubmissionRecord, ...]:
    """Draw the filters where there is something to filter, and leave those that they let through."""
    if len(submissions) < _FEW:
        return tuple(submissions)
    states = [state for state in _STATES if state == ALL or any(state_of(one) == state for one in submissions)]
    phases = [ALL, *dict.fromkeys(submission.phase for submission in submissions)]
    with st.container(horizontal=True, key="submission-filters", vertical_alignment="center"):
        state = _choose("State", states, f"submission-state-of-{slug}")
        phase = _choose("Phase", phases, f"submission-phase-of-{slug}") if len(phases) > 2 else ALL
    return matching(submissions, state, phase)


def matching(submissions: Sequence[SubmissionRecord], state: str, phase: str) -> tuple[SubmissionRecord, ...]:
    """Those in a state and of a phase; `ALL` lets everything through."""
    return tuple(one for one in submissions if state in {ALL, state_of(one)} and phase in {ALL, one.phase})


def state_of(submission: SubmissionRecord) -> str:
    """The state of a submission, as coarse as a filter has it."""
    if submission.status not in TERMINAL_SUBMISSION_STATUSES:
        return UNDER_WAY
    return _STATE_OF[submission.status]


def _choose(label: str, options: list[str], key: str) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = ALL
    chosen = st.segmented_control(
        label,
        options,
        format_func=lambda one: plain_markdown(one) if one != ALL else f"All ({label.lower()}s)",
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    return str(chosen)
