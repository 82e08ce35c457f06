"""The images of a dataset or a submission, and what became of the files that were imported."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session
from podium.dashboards.image_list import show_images
from podium.dashboards.image_target import target_of_address
from podium.dashboards.import_report import imports_of, show_imports
from podium.dashboards.markup import element, text
from podium.dashboards.navigation import PageName, link_to


def show() -> None:
    """Show the images of what the address names."""
    who = session.viewer()
    if who is None:
        layout.page_head("Images")
        layout.nothing_here("Sign in to see images", "They are shown to whoever may see what they belong to.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    target = target_of_address()
    if target is None:
        layout.page_head("Images")
        layout.nothing_here(
            "No dataset or submission chosen",
            "A submission leads here, and so does a dataset under “Tasks” of what one organizes.",
        )
        with st.container(key="links-images", horizontal=True):
            link_to(PageName.SUBMISSIONS, "My submissions", icon=":material/upload_file:")
        return
    imports = imports_of(target, who)
    words = imports.value[0].of if imports.value else f"{target.kind.capitalize()} {target.id}"
    layout.page_head("Images", above=words)
    with st.container(key="images"):
        show_images(target, who)
    with st.container(key="imports"):
        layout.inline(element("h2", text("Imports"), class_="podium-section"))
        show_imports(target, imports, who)
