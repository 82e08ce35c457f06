"""The images of a dataset or a submission: small pictures with links to where they are looked at."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import streamlit as st

from podium.dashboards import layout, source
from podium.dashboards.image_facts import card_words
from podium.dashboards.image_target import ImageTarget
from podium.dashboards.markup import Html, element, text
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.paging import PAGE, page_of, show_paging
from podium.dashboards.session import Viewer
from podium.platform.errors import PodiumError
from podium.platform.records.images import ImageRecord

_KEY = "podium-thumbnails"
_AT_ONCE = 8
_REMEMBERED = 300
_PNG = b"\x89PNG"


def show_images(target: ImageTarget, who: Viewer) -> None:
    """Show a page of the images."""
    place = f"images-{target.id}"
    page = page_of(place, "")
    answer = source.ask(lambda: who.gateway.images(**target.named, limit=PAGE, offset=page * PAGE))
    found = answer.value
    if found is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what=target.kind)
        return
    if not found.images:
        layout.nothing_here("No image yet", "Files that are imported become images here, checked and ready to be seen.")
        layout.commands((f"podium images import SCANS/ --{target.kind} {target.id}",))
        return
    pictures = _thumbnails(found.images, who)
    with st.container(horizontal=True, key="image-grid"):
        for image in found.images:
            with st.container(key=f"image-{image.id}", width=190, gap="xxsmall"):
                layout.inline(_picture(image, pictures.get(image.id)))
                link_to(PageName.IMAGE, image.name or "image", image=str(image.id))
                layout.inline(element("p", card_words(image), class_="podium-quiet"))
    show_paging(place, "", found.total, what="image" if found.total == 1 else "images")


def _picture(image: ImageRecord, content: bytes | None) -> Html:
    if content is None:
        return element("div", element("span", text("no picture")), class_="podium-thumbnail none", aria_hidden="true")
    kind = "png" if content.startswith(_PNG) else "jpeg"
    data = base64.b64encode(content).decode("ascii")
    picture = element("img", src=f"data:image/{kind};base64,{data}", alt="")
    flags = element("span", text("!"), class_="flag", title=image.flags[0].detail) if image.flags else ""
    return element("div", Html(picture.removesuffix("</img>")), flags, class_="podium-thumbnail")


def _thumbnails(images: Sequence[ImageRecord], who: Viewer) -> dict[UUID, bytes]:
    """Small pictures, fetched side by side and kept in the session; those that can't be had are left out."""
    known: dict[UUID, bytes] = st.session_state.setdefault(_KEY, {})
    wanted = [image.id for image in images if image.id not in known]

    def fetch(image_id: UUID) -> bytes | None:
        try:
            return who.gateway.image_thumbnail(image_id)
        except PodiumError:
            return None

    if wanted:
        with ThreadPoolExecutor(_AT_ONCE) as executor:
            fetched = dict(zip(wanted, executor.map(fetch, wanted), strict=True))
        known.update({image_id: content for image_id, content in fetched.items() if content is not None})
    shown = {image.id: known[image.id] for image in images if image.id in known}
    while len(known) > _REMEMBERED:
        known.pop(next(iter(known)))
    return shown
