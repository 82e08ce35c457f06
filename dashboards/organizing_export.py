"""All submissions as a table, for organizers: every column, with every digit."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from podium.dashboards import layout
from podium.dashboards.session import Viewer
from podium.platform.client.api import Client
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.exports import TableForm

DOWNLOADED_ROWS = 50_000
"""Longer tables are left to the command line: a page holds in memory what it hands on."""


def show_export(competition: CompetitionRecord, phase: int | None, who: Viewer) -> None:
    """Offer the table of one phase, by its number, or of all."""
    slug = competition.summary.slug
    of_what = "of all phases" if phase is None else "of the phase above"
    with st.expander("Download as a table", icon=":material/download:", key=f"export-{slug}"):
        st.caption(f"All submissions {of_what}, whatever else is filtered. Each download stands in the audit log.")
        if competition.summary.submissions <= DOWNLOADED_ROWS:
            with st.container(horizontal=True):
                _show_button("CSV", slug, phase, TableForm.CSV, "text/csv", who)
                _show_button("Parquet", slug, phase, TableForm.PARQUET, "application/vnd.apache.parquet", who)
        named = "" if phase is None else f" --phase {phase}"
        layout.commands((f"podium competition export-submissions {slug}{named}",))


def _show_button(label: str, slug: str, phase: int | None, form: TableForm, mime: str, who: Viewer) -> None:
    st.download_button(
        label,
        partial(_table, who.patient_gateway, slug, phase, form),
        file_name=f"{slug}-submissions.{form.value}",
        mime=mime,
        icon=":material/download:",
        on_click="ignore",
        key=f"export-{form.value}-{slug}",
    )


def _table(gateway: Client, slug: str, phase: int | None, form: TableForm) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return gateway.export_submissions(slug, Path(folder) / "table", form=form, phase=phase).read_bytes()
