"""What came of an act on several things, each by itself, or what would."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.markup import Html, join
from podium.dashboards.rerun_cards import scrolled_table
from podium.platform.records.organizing import BulkRecord


def keep_outcomes(place: str, record: BulkRecord | str) -> None:
    """In a callback: keep for `show_outcomes` what came of it; words where it was refused."""
    st.session_state[f"outcomes-{place}"] = record


def forget_outcomes(place: str) -> None:
    """In a callback: show none any more."""
    st.session_state.pop(f"outcomes-{place}", None)


def show_outcomes(place: str) -> None:
    """Show what was kept, until something else takes its place."""
    record = st.session_state.get(f"outcomes-{place}")
    with st.container(key=f"outcomes-of-{place}"):
        if isinstance(record, BulkRecord):
            layout.inline(outcomes_card(record))
        elif isinstance(record, str):
            layout.inline(layout.notice(record, kind="warning"))


def outcomes_card(record: BulkRecord) -> Html:
    """How many were done, and what came of each."""
    count, left = record.done, len(record.outcomes) - record.done
    did = "Would be done" if record.is_preview else "Done"
    words = f"{did}: {count}." + (f" Left out: {left}, for the reasons below." if left else "")
    kind = "info" if record.is_preview else "good" if not left else "warning"
    mark = ("would be done", "left out") if record.is_preview else ("done", "left out")
    rows = [(one.name, mark[0] if one.done else mark[1], one.message) for one in record.outcomes]
    return join(
        layout.notice(words, kind=kind),
        scrolled_table("What came of each", ("Which", "Outcome", "What that means"), rows),
    )
