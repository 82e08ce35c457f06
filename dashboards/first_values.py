"""First values of boxes that can be emptied, kept until the browser has surely drawn them.

A box with a value of its own can't be emptied: that value would come back. So these get their first one by the session.
It is sent once, and a browser that is still loading the box when the page is drawn a second time never sees it: the box
would stay empty, and an empty box says “no limit” or “no end”. So for a while it is sent each time the page is drawn.
"""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from podium.dashboards import times

_SETTLES_IN = timedelta(seconds=10)


def give_first(key: str, value: object) -> str:
    """Give a box its first value, and send what it holds again while it may not have come up yet; returns its key."""
    state, since = st.session_state, f"first-of-{key}"
    if key not in state:
        state[key], state[since] = value, times.now()
    elif since in state and times.now() - state[since] < _SETTLES_IN:
        state[key] = state[key]
    return key
