"""The datasets of a competition, for its organizers: where each is used, and a new version of a task from a file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.deeds import refuse, show_outcome, try_to
from podium.dashboards.image_links import link_to_dataset_images
from podium.dashboards.markup import Html, element, text
from podium.dashboards.programs import short_digest
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import size_text
from podium.dashboards.session import Viewer
from podium.platform.records.competitions import TaskRecord
from podium.platform.records.organizing import DatasetUse

UPLOADED_MEGABYTES = 200
"""Larger files are left to the command line: a page holds in memory what it is given."""
_KINDS = ("scoring_program", "ingestion_program", "input_data", "reference_data")


def show_datasets(slug: str, who: Viewer) -> None:
    """Show where each dataset is used."""
    answer = source.ask(lambda: who.gateway.competition_datasets(slug))
    layout.inline(element("h2", text("Datasets"), class_="podium-section"))
    if answer.value:
        layout.inline(datasets_table(answer.value))
        link_to_dataset_images(answer.value)
    elif answer.trouble is not None:
        layout.inline(layout.notice("Where datasets are used can't be had at the moment.", kind="warning"))
    else:
        layout.nothing_here("No dataset", "This competition uses none.")


def datasets_table(datasets: Sequence[DatasetUse]) -> Html:
    """Datasets with their sizes and uses, those of old versions last."""
    rows = [
        (
            one.name,
            one.kind.replace("_", " "),
            size_text(one.size),
            "; ".join(one.used) if one.is_current else f"{'; '.join(one.used)} (no more)",
            times.stamp(one.created),
            short_digest(one.sha256),
        )
        for one in datasets
    ]
    return scrolled_table("Datasets", ("File", "Kind", "Size", "Used by", "Since (UTC)", "SHA-256"), rows)


def show_new_version(slug: str, tasks: Sequence[TaskRecord], who: Viewer) -> None:
    """A form that makes a new version of a task from a zip."""
    place = f"new-version-{slug}"
    names = {task.index: task.name for task in tasks}
    with st.form(f"form-{place}"):
        with st.container(horizontal=True):
            st.selectbox("Task", list(names), format_func=lambda index: names.get(index, index), key=f"task-{place}")
            st.selectbox("What is new", _KINDS, format_func=lambda kind: kind.replace("_", " "), key=f"kind-{place}")
        st.file_uploader("A zip", type="zip", key=f"file-{place}", max_upload_size=UPLOADED_MEGABYTES)
        st.text_input("Why, for all who see results of it", key=f"reason-{place}", max_chars=500)
        st.caption("It holds for what is scored from now on; a rerun scores what is there by it.")
        st.form_submit_button("Make a new version", key=f"make-{place}", on_click=_make, args=(slug, place, who))
    show_outcome(place)


def _make(slug: str, place: str, who: Viewer) -> None:
    state = st.session_state
    file: Any = state.get(f"file-{place}")
    reason = str(state.get(f"reason-{place}") or "").strip()
    if file is None or not reason:
        refuse(place, "Choose a zip, and say why: all who see results of it read that.")
        return
    index, kind = str(state[f"task-{place}"]), str(state[f"kind-{place}"])

    def upload() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (PurePath(file.name).name or "dataset.zip")
            path.write_bytes(file.getbuffer())
            dataset = who.patient_gateway.store_dataset(kind, path)
        who.patient_gateway.change_task(slug, index, reason=reason, datasets={kind: dataset.id})

    if try_to(place, upload, "The new version holds for what is scored from now on."):
        state[f"reason-{place}"] = ""
