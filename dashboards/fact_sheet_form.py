"""The questions of a competition's fact sheet, as fields of a form."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards.markup import plain_markdown
from podium.platform.bundles.content import FactSheetQuestion, FactSheetType

_UNANSWERED = ""


def ask_fact_sheet(questions: Sequence[FactSheetQuestion], *, key: str) -> dict[str, str]:
    """Draw a field for each question; the answers that were given, by the questions' keys."""
    answers = {question.key: _ask(question, f"{key}-{question.key}") for question in questions}
    return {name: answer for name, answer in answers.items() if answer}


def missing_answers(questions: Sequence[FactSheetQuestion], answers: dict[str, str]) -> tuple[str, ...]:
    """Titles of the questions that must be answered and are not."""
    return tuple(
        question.title or question.key
        for question in questions
        if question.is_required and not answers.get(question.key)
    )


def _ask(question: FactSheetQuestion, key: str) -> str:
    label = plain_markdown(question.title or question.key) + (" (required)" if question.is_required else "")
    match question.type:
        case FactSheetType.CHECKBOX:
            return "true" if st.checkbox(label, key=key) else "false"
        case FactSheetType.SELECT:
            options = [_UNANSWERED, *question.selection]
            return str(st.selectbox(label, options, key=key, format_func=lambda one: one or "Choose an answer") or "")
        case _:
            return str(st.text_input(label, key=key, max_chars=2000) or "").strip()
