"""What a viewer does with a button: asked again where something is lost, and what came of it is said beside it.

What stands here only at times has a container that stands always. Without it, all that follows would move by one place
whenever it comes or goes, and the browser would make the buttons there anew, in the middle of a press too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from podium.dashboards import layout, times
from podium.platform.errors import PodiumError

_DONE_FOR = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do.

    Attributes:
        call: Does it.
        done: What to say when it is done.
        question: What is lost, where the viewer is to be asked again; else empty.
        yes: The button that answers the question.
    """

    key: str
    label: str
    icon: str
    call: Callable[[], object]
    done: str
    question: str = ""
    yes: str = ""
    is_primary: bool = False


def show_deeds(place: str, deeds: Sequence[Deed]) -> None:
    """Buttons in a row; below them the question of the one that was pressed, and what came of the last one.

    Args:
        place: What the deeds are done to, such as `rerun-iris-3`.
        deeds: What can be done to it now.
    """
    asked = next(
        (deed for deed in deeds if deed.question and st.session_state.get(_asked_key(place)) == deed.key), None
    )
    with st.container(horizontal=True, key=f"deeds-{place}"):
        for deed in deeds:
            st.button(
                deed.label,
                icon=deed.icon,
                key=f"{deed.key}-{place}",
                type="primary" if deed.is_primary else "secondary",
                disabled=deed is asked,
                on_click=_press,
                args=(place, deed),
            )
    with st.container(key=f"asked-of-{place}"):
        if asked is not None:
            _show_question(place, asked)
    show_outcome(place)


def try_to(place: str, call: Callable[[], object], done: str) -> bool:
    """Do something in a callback, and keep for `show_outcome` what came of it; whether it worked."""
    try:
        call()
    except PodiumError as error:
        st.session_state[_outcome_key(place)] = ("warning", refusal_words(error), None)
        return False
    st.session_state[_outcome_key(place)] = ("good", done, times.now())
    return True


def refuse(place: str, words: str) -> None:
    """Say in a callback why nothing was done."""
    st.session_state[_outcome_key(place)] = ("warning", words, None)


def forget_outcome(place: str) -> None:
    """In a callback: say no more what came of the last thing that was done."""
    st.session_state.pop(_outcome_key(place), None)


def show_outcome(place: str) -> None:
    """Say what came of the last thing that was done: a refusal until the next try, a success for a while."""
    kind, words, since = st.session_state.get(_outcome_key(place), ("", "", None))
    with st.container(key=f"said-of-{place}"):
        if words and (since is None or times.now() - since < _DONE_FOR):
            layout.inline(layout.notice(words, kind=kind))


def refusal_words(error: PodiumError) -> str:
    """An error as the gateway says it, with what to do."""
    return f"{error.detail} {error.remedy}".strip()


def _show_question(place: str, deed: Deed) -> None:
    with st.container(key=f"question-{place}"):
        layout.inline(layout.notice(deed.question, kind="warning"))
        with st.container(horizontal=True):
            st.button(deed.yes, key=f"yes-{place}", type="primary", on_click=_carry_out, args=(place, deed))
            st.button("Leave it as it is", key=f"no-{place}", on_click=_forget, args=(place,))


def _press(place: str, deed: Deed) -> None:
    _forget(place)
    forget_outcome(place)
    if deed.question:
        st.session_state[_asked_key(place)] = deed.key
    else:
        _carry_out(place, deed)


def _carry_out(place: str, deed: Deed) -> None:
    _forget(place)
    try_to(place, deed.call, deed.done)


def _forget(place: str) -> None:
    st.session_state.pop(_asked_key(place), None)


def _asked_key(place: str) -> str:
    return f"asked-{place}"


def _outcome_key(place: str) -> str:
    return f"outcome-{place}"
