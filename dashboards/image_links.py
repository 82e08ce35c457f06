"""The ways to images: from a submission that has some, and from the datasets of a competition."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from podium.dashboards import source
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.session import Viewer
from podium.platform.records.organizing import DatasetUse

_DATA = frozenset({"input_data", "reference_data", "public_data", "starting_kit"})


def link_to_submission_images(submission_id: UUID, who: Viewer) -> None:
    """A link to the images of a submission, where any were imported."""
    imports = source.ask(lambda: who.gateway.import_sessions(submission=submission_id)).value
    with st.container(key="links-submission-images", horizontal=True):
        if imports:
            count = imports[0].images
            words = f"{count:,} {'image' if count == 1 else 'images'}" if len(imports) == 1 else "Images"
            link_to(PageName.IMAGES, words, icon=":material/image:", submission=str(submission_id))


def link_to_dataset_images(datasets: Sequence[DatasetUse]) -> None:
    """A link to the images of each dataset that is no program."""
    shown = [one for one in datasets if one.is_current and one.kind in _DATA]
    names = [one.name for one in shown]
    with st.container(key="links-dataset-images", horizontal=True):
        for one in shown:
            kind = f" ({one.kind.replace('_', ' ')})" if names.count(one.name) > 1 else ""
            words = f"Images of {one.name}{kind}"
            link_to(PageName.IMAGES, words, icon=":material/image:", dataset=str(one.id))
