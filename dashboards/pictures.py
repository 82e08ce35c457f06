"""Pictures of competitions, made small: what an organizer uploads is shown as pixels of ours, or not at all."""

from __future__ import annotations

import base64
import io

import streamlit as st
from PIL import Image, UnidentifiedImageError

from podium.dashboards import source
from podium.dashboards.markup import Html, element, text
from podium.platform.client.api import Client
from podium.platform.records.competitions import CompetitionSummary

_SIDE = 160
_MOST_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_SECONDS = 300.0
_TONES = 6


def picture(summary: CompetitionSummary, own: Client | None) -> Html:
    """A competition's picture; where it has none, the first letter of its title. Screen readers pass over it."""
    address = None
    if summary.has_image:
        address = _public_address(summary.slug) if summary.published else _draft_address(summary.slug, own)
    if address is not None:
        return element("img", class_="podium-picture", src=address, alt="", aria_hidden="true")
    letter = next((one for one in summary.title if one.isalnum()), "?").upper()
    tone = sum(summary.slug.encode()) % _TONES
    return element("span", text(letter), class_=f"podium-picture letter tone-{tone}", aria_hidden="true")


def _draft_address(slug: str, own: Client | None) -> str | None:
    content = source.ask(lambda: own.competition_image(slug)).value if own is not None else None
    return thumbnail(content) if content else None


@st.cache_resource(ttl=_SECONDS, max_entries=256, show_spinner=False)
def _public_address(slug: str) -> str | None:
    content = source.public_image(slug)
    return thumbnail(content) if content else None


def thumbnail(content: bytes) -> str | None:
    """A picture as a small PNG in a `data:` address; `None` for what is none, or too large to be opened."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return None
            opened.thumbnail((_SIDE, _SIDE))
            small = io.BytesIO()
            opened.convert("RGBA").save(small, "PNG", optimize=True)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return f"data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}"
