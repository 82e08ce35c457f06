"""Links to files in the store. Each is signed for some time, and made again before that is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import streamlit as st

from podium.dashboards import source, times
from podium.dashboards.markup import Html, element, text, unseen
from podium.platform.records.storage import SignedRequestRecord

_KEY = "podium-links"
_KEPT = timedelta(minutes=10)
_LEAST_LEFT = timedelta(minutes=2)
_REMEMBERED = 200

Sign = Callable[[], SignedRequestRecord]


def download_link(words: str, what: str, key: str, sign: Sign) -> Html:
    """A link that downloads a file, straight from where it is stored.

    Args:
        words: What the link says.
        what: Which file that is, for who does not see what stands beside it.
        key: By what the link is remembered.
        sign: Asks the gateway for it.
    """
    address = _address(key, sign)
    if address is None:
        return element("span", text("can't be had at the moment"), class_="podium-quiet")
    # In a tab of its own: should the store answer with an error, the page and its session are still there.
    return element(
        "a", text(words), unseen(f" {what}"), href=address, class_="podium-download", target="_blank", rel="noopener"
    )


def _address(key: str, sign: Sign) -> str | None:
    known: dict[str, tuple[str, datetime]] = st.session_state.setdefault(_KEY, {})
    at = times.now()
    address, until = known.get(key, ("", at))
    if until > at:
        return address
    request = source.ask(sign).value
    if request is None:
        return None
    while len(known) >= _REMEMBERED:
        known.pop(next(iter(known)))
    known[key] = (request.url, min(at + _KEPT, request.expires - _LEAST_LEFT))
    return request.url
