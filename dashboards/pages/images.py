"""The images of a dataset or a submission, and what became of the files that were imported."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.image_list import show_images
from podium.dashboards.image_target import ImageTarget, target_of_address
from podium.dashboards.import_report import show_imports
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to


def show() -> None:
    """Show the images of what the address names."""
    layout.page_head("Images", below="Imported, checked, and without what identifies a person in their headers.")
    who = session.viewer()
    if who is None:
        layout.nothing_here("Sign in to see images", "They are shown to whoever may see what they belong to.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    target = target_of_address()
    if target is None:
        layout.nothing_here(
            "No dataset or submission chosen",
            "A submission leads here, and so does a dataset under “Tasks” of what one organizes.",
        )
        with st.container(key="links-images", horizontal=True):
            link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:")
        return
    _show_name(target, who)
    with st.container(key="images"):
        show_images(target, who)
    with st.container(key="imports"):
        layout.inline(element("h2", text("Imports"), class_="podium-section"))
        if not show_imports(target, who):
            st.caption("Nothing was imported yet.")


def _show_name(target: ImageTarget, who: session.Viewer) -> None:
    answer = source.ask(lambda: who.gateway.import_sessions(**target.named))
    words = answer.value[0].of if answer.value else f"{target.kind} {target.id}"
    layout.inline(element("p", text(f"Of {words}"), class_="podium-sentence"))
