"""One image, to be looked at."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.image_facts import flag_notices, head_facts, metadata_table, removed_words, sources_table
from podium.dashboards.image_target import target_of, uuid_in_address
from podium.dashboards.image_viewer import show_viewer
from podium.dashboards.links import download_link
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.session import Viewer
from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.records.images import ImageDetail, ImageRecord

_MOST_SEGMENTATIONS = 500


def show() -> None:
    """Show the image that the address names."""
    who, image_id = session.viewer(), uuid_in_address("image")
    if who is None:
        layout.page_head("Image")
        layout.nothing_here("Sign in to see images", "They are shown to whoever may see what they belong to.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    if image_id is None:
        layout.page_head("Image")
        layout.nothing_here("No image chosen", "A list of images leads here.")
        return
    answer = source.ask(lambda: who.gateway.image(image_id))
    views = source.ask(lambda: who.gateway.image_views(image_id))
    if answer.value is None or views.value is None:
        layout.page_head("Image")
        _show_trouble(answer.trouble or views.trouble)
        return
    detail = answer.value
    image = detail.image
    layout.page_head(image.name or "Image", above=f"Image of {detail.of}")
    target = target_of(image.dataset, image.submission)
    if target is not None:
        with st.container(key="links-image", horizontal=True):
            link_to(PageName.IMAGES, "All images", icon=":material/arrow_back:", **target.query)
    layout.inline(head_facts(image), flag_notices(image))
    show_viewer(image, views.value, _segmentations(detail, who))
    with st.container(key="image-more"):
        layout.inline(
            download_link("Download", f"{image.name}", f"image-{image.id}", lambda: who.gateway.image_file(image.id))
        )
        with st.expander("Metadata", icon=":material/table:"):
            layout.inline(metadata_table(detail, views.value))
            if removed := removed_words(detail):
                st.caption(removed)
        count = len(detail.sources)
        with st.expander(f"Made of {count:,} {'file' if count == 1 else 'files'}", icon=":material/description:"):
            layout.inline(sources_table(detail))


def _segmentations(detail: ImageDetail, who: Viewer) -> tuple[ImageRecord, ...]:
    """What may lie over an image: the segmentations beside it, and one that the address names."""
    image = detail.image
    target = target_of(image.dataset, image.submission)
    if target is None:
        return ()
    answer = source.ask(lambda: who.gateway.images(**target.named, limit=_MOST_SEGMENTATIONS))
    found = [one for one in (answer.value.images if answer.value else ()) if one.segments and one.id != image.id]
    named = uuid_in_address("overlay")
    if named is not None:
        if named not in {one.id for one in found}:
            found += _elsewhere(named, who)
        if any(one.id == named for one in found):
            st.session_state.setdefault(f"overlay-{image.id}", str(named))
    return tuple(found)


def _elsewhere(image_id: UUID, who: Viewer) -> list[ImageRecord]:
    answer = source.ask(lambda: who.gateway.image(image_id))
    return [answer.value.image] if answer.value is not None else []


def _show_trouble(trouble: PodiumError | None) -> None:
    if trouble is None:
        return
    layout.trouble(trouble, what="image")
    if isinstance(trouble, NotAuthenticated):
        st.button("Sign out", on_click=session.sign_out)
    else:
        st.button("Try again", icon=":material/refresh:", key="image-again")
