"""Detailed results: pages that organizers' programs wrote, shown where their scripts reach nothing.

Such a page is hostile until proved otherwise. It stands in a frame without an origin (`sandbox` without
`allow-same-origin`), under a policy that lets it draw and forbids it every request; and since a frame may send itself
elsewhere whatever its own policy says, it stands inside a second frame of ours, whose policy allows no frame an
address. Streamlit's own frames have the origin of these pages, so nothing that we did not write goes straight into one.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import streamlit as st

from podium.dashboards import source
from podium.dashboards.markup import text
from podium.dashboards.scores import size_text
from podium.platform.records.submissions import DetailedResult, DetailedResults

SHOWN_BYTES = 8 * 1024 * 1024
_HEIGHT = 640
_REMEMBERED = 8
"""Pages that a session keeps: they are large, and sessions long."""
_KEY = "podium-detailed-results"
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; media-src data: blob:; "
    "connect-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'"
)
_META = f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
_STYLE = "<style>html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%;background:#fff}</style>"

Fetch = Callable[[UUID], bytes]
"""Fetches the page of an evaluation."""


def framed(page: str, title: str, *, with_scripts: bool = True) -> str:
    """A document of ours that shows a page of anybody's in a frame without origin and without a way out."""
    sandbox = "allow-scripts" if with_scripts else ""
    return (
        f"{_META}<title>{text(title)}</title>{_STYLE}"
        f'<iframe title="{text(title)}" sandbox="{sandbox}" referrerpolicy="no-referrer" '
        f'srcdoc="{text(_META + page)}"></iframe>'
    )


def show_detailed_results(results: DetailedResults, fetch: Fetch) -> None:
    """Show the pages of a submission, a tab for each task where there are several."""
    if len(results.pages) == 1:
        _show_page(results, results.pages[0], fetch)
        return
    for tab, page in zip(st.tabs([page.task for page in results.pages]), results.pages, strict=True):
        with tab:
            _show_page(results, page, fetch)


def _show_page(results: DetailedResults, page: DetailedResult, fetch: Fetch) -> None:
    # A place of its own, taken or not: a frame that moves up is, for a moment, on the page twice.
    still_written = st.empty()
    if page.is_live:
        still_written.caption("The scoring program is still writing this; it is shown as it is now.")
    if page.size > SHOWN_BYTES:
        st.caption(
            f"This page has {size_text(page.size)}, too much to show here. "
            f"`podium download {results.submission_id} --what detailed_results` fetches it."
        )
        return
    content = _content(page, fetch)
    if content is None:
        st.caption("The page can't be had at the moment.")
        return
    title = f"Detailed results of submission {results.number}: {page.task}"
    st.iframe(framed(content.decode("utf-8", errors="replace"), title), height=_HEIGHT)


def _content(page: DetailedResult, fetch: Fetch) -> bytes | None:
    """The page, fetched once for each of its versions; the last one that was had where it can't be fetched."""
    known: dict[UUID, tuple[str, bytes]] = st.session_state.setdefault(_KEY, {})
    version, content = known.get(page.evaluation_id, ("", None))
    if version != page.version:
        fetched = source.ask(lambda: fetch(page.evaluation_id)).value
        if fetched is not None:
            while len(known) >= _REMEMBERED:
                known.pop(next(iter(known)))
            known[page.evaluation_id] = (page.version, fetched)
            return fetched
    return content
