"""Choosing several of a list: by name, with the whole page at once, by keyboard and with a screen reader alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

ThingT = TypeVar("ThingT", bound=str | int)


def choose_many(place: str, options: Sequence[ThingT], *, label: str, shown: Callable[[ThingT], str]) -> list[ThingT]:
    """A box to choose several in, with buttons for all of the page and for none.

    What was chosen on another page stays chosen.

    Args:
        place: What is chosen from, such as `participants-iris`.
        options: What stands on this page.
        label: What is chosen, such as `Participants`.
        shown: How one is called.
    """
    key = chosen_key(place)
    kept: list[ThingT] = [one for one in st.session_state.get(key, []) if one not in options]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"choosing-{place}"):
        chosen = st.multiselect(label, [*kept, *options], format_func=shown, key=key, placeholder="Choose some")
        st.button("All on this page", key=f"all-{key}", on_click=_choose, args=(key, [*kept, *options]))
        st.button("None", key=f"none-{key}", on_click=_choose, args=(key, []), disabled=not chosen)
    return list(chosen)


def chosen_key(place: str) -> str:
    """Where the session keeps what was chosen."""
    return f"chosen-{place}"


def forget_choice(place: str) -> None:
    """In a callback: choose none any more."""
    st.session_state[chosen_key(place)] = []


def _choose(key: str, things: list[ThingT]) -> None:
    st.session_state[key] = things
