"""Choosing several of a list: by name, with the whole page at once, by keyboard and with a screen reader alike.

A button that chooses for the viewer makes the box anew, with another key. Were the value of the same box set instead,
what the browser sends with a press that comes before the answer to this one would still have the old value: the box
would show the one, and the page would go by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
    key, first = _box(place)
    kept: list[ThingT] = [one for one in chosen_of(place) if one not in options]
    everything = [*kept, *options]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"choosing-{place}"):
        chosen = st.multiselect(
            label,
            everything,
            default=[one for one in everything if one in first],
            format_func=shown,
            key=key,
            placeholder="Choose some",
        )
        st.button("All on this page", key=f"all-{place}", on_click=_choose, args=(place, everything))
        st.button("None", key=f"none-{place}", on_click=_choose, args=(place, []))
    return list(chosen)


def chosen_of(place: str) -> list[Any]:
    """What is chosen now, in a callback too."""
    key, first = _box(place)
    return list(st.session_state.get(key, first))


def forget_choice(place: str) -> None:
    """In a callback: choose none any more."""
    _choose(place, [])


def _choose(place: str, things: Sequence[ThingT]) -> None:
    generation = _generation(place)[0]
    st.session_state[_key(place)] = (generation + 1, list(things))


def _box(place: str) -> tuple[str, list[Any]]:
    """The key of the box, and what it began with."""
    generation, first = _generation(place)
    return f"chosen-{place}-{generation}", first


def _generation(place: str) -> tuple[int, list[Any]]:
    generation, first = st.session_state.get(_key(place), (0, []))
    return generation, first


def _key(place: str) -> str:
    return f"first-chosen-{place}"
