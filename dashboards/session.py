"""Who looks at the pages. A token lives in this process's memory alone: no cookie, no address, no file has it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import streamlit as st

from podium.dashboards.arrivals import arrivals, begun
from podium.dashboards.browser_cookie import own_secret
from podium.dashboards.gateway import open_gateway
from podium.dashboards.settings import read_settings
from podium.dashboards.upload_door import close_door
from podium.platform.client.api import Client
from podium.platform.errors import NotAuthenticated, PodiumError
from podium.platform.records.people import PersonRecord

_KEY = "podium-viewer"
_PATIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who signed in, with access of their own.

    Attributes:
        gateway: For what a page shows by itself.
        patient_gateway: For what the person asked for and waits for, such as adopting a thousand results.
        token: Theirs; it goes to the gateway alone.
        browser: The secret under which their browser keeps them signed in; empty where this tab alone does.
    """

    person: PersonRecord
    gateway: Client
    patient_gateway: Client
    token: str = field(default="", repr=False)
    browser: str = field(default="", repr=False)

    @property
    def username(self) -> str:
        """The viewer's username."""
        return self.person.username


def viewer() -> Viewer | None:
    """Who is signed in in this tab, `None` for a visitor."""
    found = st.session_state.get(_KEY)
    return found if isinstance(found, Viewer) else _arrived()


def _arrived() -> Viewer | None:
    """Whoever has come from the provider in this browser."""
    secret = own_secret(read_settings())
    arrival = arrivals.find(secret) if secret else None
    if arrival is None:
        return None
    if not arrival.is_kept:
        arrivals.take(secret)
    try:
        return sign_in(arrival.token, browser=secret if arrival.is_kept else "")
    except NotAuthenticated:
        arrivals.take(secret)
    except PodiumError:
        pass  # the gateway is silent; the next run asks again
    return None


def may_organize(who: Viewer) -> bool:
    """Whether a viewer has competitions to organize, or may make some; administrators organize all."""
    return who.person.may_organize or who.person.is_administrator or who.person.organizes


def sign_in(token: str, *, browser: str = "") -> Viewer:
    """Sign in with a token; with that which is kept for a browser, where it is one.

    Raises:
        NotAuthenticated: The gateway does not know it.
        PlatformFault: The gateway does not answer.
    """
    gateway = open_gateway(token)
    signed_in = Viewer(gateway.me(), gateway, open_gateway(token, seconds=_PATIENT_SECONDS), token, browser)
    st.session_state[_KEY] = signed_in
    return signed_in


def sign_out() -> None:
    """Forget the token and everything that the session shows of its owner; one that signing in made is ended."""
    close_door()
    begun.take(own_secret(read_settings()))
    who = viewer()
    if who is not None and who.browser:
        arrivals.take(who.browser)
        with suppress(PodiumError):  # it ends by itself then, in hours
            who.gateway.sign_out()
    for key in list(st.session_state):
        del st.session_state[key]
