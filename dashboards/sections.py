"""The sections of the organizers' page by the words of their addresses, and the way from one to another."""

from __future__ import annotations

import streamlit as st

SECTION_KEY = "organize-section"
OF_WARNINGS = {
    "queue": "Queue",
    "submissions": "Submissions",
    "participants": "Participants",
    "reruns": "Reruns",
    "phases": "Phases",
    "tasks": "Tasks",
    "edit": "Edit",
}
"""Where what a warning asks for is done, by the gateway's word for it."""


def go_to_section(name: str) -> None:
    """In a callback: show another section."""
    st.session_state[SECTION_KEY] = name
