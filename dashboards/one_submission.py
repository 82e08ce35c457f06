"""One submission of anybody's, in full, for organizers: its logs, outputs, what was measured, and its tries."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.detailed import show_detailed_results
from podium.dashboards.history import details, details_head
from podium.dashboards.image_links import link_to_submission_images
from podium.dashboards.logs import followed_logs, show_logs
from podium.dashboards.markup import Html, element, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import MISSING, size_text
from podium.dashboards.session import Viewer
from podium.platform.client.api import Client
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.submissions import AttemptRecord, OutputFileRecord, SubmissionRecord

DOWNLOADED_BYTES = 64 * 1024 * 1024
"""Larger files are left to the command line: a page holds in memory what it hands on."""


def show_submission(submission_id: UUID, competition: CompetitionRecord, who: Viewer) -> None:
    """Show it as it is now."""
    answer = source.ask(lambda: who.gateway.submission(submission_id))
    submission = answer.value
    if submission is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="submission")
        return
    layout.inline(details_head(submission, times.now()), details(submission, competition.columns))
    layout.inline(attempts_table(submission.attempts))
    _show_files(submission, who)
    link_to_submission_images(submission.id, who)
    results = source.detailed_results(submission.id, who.gateway).value
    if results is not None and results.pages:
        layout.inline(element("h3", text("Detailed results")))
        show_detailed_results(results, lambda evaluation: who.gateway.detailed_result_page(submission_id, evaluation))
    if st.toggle("Logs", key=f"logs-{submission.id}", value=True):
        logs = followed_logs(submission.id)
        logs.fetch_more(who)
        show_logs(logs)


def attempts_table(attempts: Sequence[AttemptRecord]) -> Html:
    """The tries that were made, by which agents, and what came of them."""
    if not attempts:
        return Html("")
    rows = [
        (
            str(one.number),
            one.agent or MISSING,
            one.status.value.replace("_", " "),
            times.stamp(one.started),
            MISSING if one.ended is None else times.duration((one.ended - one.started).total_seconds()),
            one.message or MISSING,
        )
        for one in attempts
    ]
    return scrolled_table("Tries", ("Try", "Agent", "Outcome", "Began (UTC)", "Took", "What was said"), rows)


def _show_files(submission: SubmissionRecord, who: Viewer) -> None:
    with st.container(horizontal=True, key=f"files-{submission.id}"):
        if submission.size <= DOWNLOADED_BYTES:
            st.download_button(
                f"What was submitted ({size_text(submission.size)})",
                partial(_submitted, who.patient_gateway, submission.id),
                file_name=submission.filename,
                icon=":material/download:",
                on_click="ignore",
                key=f"file-{submission.id}",
            )
        for evaluation in submission.evaluations:
            for output in evaluation.outputs:
                if output.size > DOWNLOADED_BYTES:
                    continue
                suffix = "html" if output.kind == "detailed_results" else "zip"
                st.download_button(
                    f"{output.kind.replace('_', ' ').capitalize()}, {evaluation.task} ({size_text(output.size)})",
                    partial(_output, who.patient_gateway, submission.id, evaluation.id, output),
                    file_name=f"{output.kind}-{submission.number}.{suffix}",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"{output.kind}-{evaluation.id}",
                )
    st.caption(f"From a terminal: `podium download {submission.id}`")


def _submitted(gateway: Client, submission_id: UUID) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return gateway.download_submission(submission_id, Path(folder) / "file").read_bytes()


def _output(gateway: Client, submission_id: UUID, evaluation_id: UUID, output: OutputFileRecord) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return gateway.download_output(submission_id, evaluation_id, output, Path(folder) / "file").read_bytes()
