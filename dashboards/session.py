"""Who looks at the pages. A token lives in the session's memory alone: no cookie, no address, no file has it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from podium.dashboards.gateway import open_gateway
from podium.dashboards.upload_door import close_door
from podium.platform.client.api import Client
from podium.platform.records.people import PersonRecord

_KEY = "podium-viewer"
_PATIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who signed in, with access of their own.

    Attributes:
        gateway: For what a page shows by itself.
        patient_gateway: For what the person asked for and waits for, such as adopting a thousand results.
    """

    person: PersonRecord
    gateway: Client
    patient_gateway: Client

    @property
    def username(self) -> str:
        """The viewer's username."""
        return self.person.username


def viewer() -> Viewer | None:
    """Who is signed in in this tab, `None` for a visitor."""
    found = st.session_state.get(_KEY)
    return found if isinstance(found, Viewer) else None


def may_organize(who: Viewer) -> bool:
    """Whether a viewer has competitions to organize, or may make some; administrators organize all."""
    return who.person.may_organize or who.person.is_administrator or who.person.organizes


def sign_in(token: str) -> Viewer:
    """Sign in with a token.

    Raises:
        NotAuthenticated: The gateway does not know it.
        PlatformFault: The gateway does not answer.
    """
    gateway = open_gateway(token)
    signed_in = Viewer(gateway.me(), gateway, open_gateway(token, seconds=_PATIENT_SECONDS))
    st.session_state[_KEY] = signed_in
    return signed_in


def sign_out() -> None:
    """Forget the token and everything that the session shows of its owner."""
    close_door()
    for key in list(st.session_state):
        del st.session_state[key]
