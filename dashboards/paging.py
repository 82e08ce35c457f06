"""Pages of a list that the gateway cuts: which one is shown, and the way to the others."""

from __future__ import annotations

import streamlit as st

PAGE = 50


def page_of(place: str, face: object) -> int:
    """Which page is shown, from 0; the first again where what is looked for has changed.

    Args:
        place: What is paged through, such as `submissions-iris`.
        face: What is looked for.
    """
    known, page = st.session_state.get(_key(place), (None, 0))
    if known != face:
        page = 0
        st.session_state[_key(place)] = (face, page)
    return int(page)


def show_paging(place: str, face: object, total: int, *, what: str) -> None:
    """Say how many there are, with buttons for the pages before and after."""
    page, pages = page_of(place, face), max(1, -(-total // PAGE))
    with st.container(horizontal=True, vertical_alignment="center", key=f"paging-{place}"):
        st.caption(f"{total:,} {what}" + (f", page {page + 1} of {pages}" if pages > 1 else ""))
        if pages > 1:
            st.button("Before", key=f"before-{place}", disabled=page == 0, on_click=_turn, args=(place, face, page - 1))
            st.button(
                "Next", key=f"next-{place}", disabled=page + 1 >= pages, on_click=_turn, args=(place, face, page + 1)
            )


def _turn(place: str, face: object, page: int) -> None:
    st.session_state[_key(place)] = (face, page)


def _key(place: str) -> str:
    return f"page-of-{place}"
