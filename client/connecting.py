"""The connections that competitions and submissions share: one for each gateway and token, made when it is needed."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from typing import TYPE_CHECKING

from podium.platform.client.saved_login import is_readable_for_others, load_login, settings_path

if TYPE_CHECKING:
    from podium.platform.client.api import Client

LOG = logging.getLogger("podium")
"""Says what a person who waits should know: that the network is in trouble, that an upload broke off."""

_QUIET_SECONDS = 10.0
_clients: dict[tuple[int, str, str | None], Client] = {}
_lock = threading.Lock()


class _Trouble:
    """Tells of trouble with the network, and not of every try."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, text: str) -> None:
        why = text.partition(" Trying again")[0]
        now = time.monotonic()
        if now - self._told.get(why, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._told[why] = now
            LOG.warning(text)


def connected(gateway: str | None = None, token: str | None = None) -> Client:
    """The client for a gateway and token, by default those of the environment or of `podium login`.

    Raises:
        NotAuthenticated: No gateway is known.
        InvalidInput: The address is none, or the saved login can't be read.
    """
    # Imported here, as elsewhere in this package: an import is to be quick, and the HTTP library is not.
    from podium.platform.client.api import Client  # noqa: PLC0415
    from podium.platform.client.retries import Patience  # noqa: PLC0415

    login = load_login(gateway=gateway, token=token)
    if token is None and not os.environ.get("PODIUM_TOKEN") and is_readable_for_others():
        path = settings_path()
        warnings.warn(f"Others on this machine can read your tokens in {path}. Mend it: chmod 600 {path}", stacklevel=2)
    # A process that was forked off has connections of its own.
    key = (os.getpid(), login.require_gateway(), login.token)
    with _lock:
        if key not in _clients:
            _clients[key] = Client(key[1], login.token, patience=Patience(tell=_Trouble()))
        return _clients[key]
