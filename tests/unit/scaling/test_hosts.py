"""Hosts are asked at once: none waits for another that is down."""

from __future__ import annotations

import threading
import time

from podium.platform.scaling.providers.hosts import ask_each
from podium.platform.scaling.providers.orders import ProviderFault


def test_a_host_that_hangs_or_fails_keeps_no_other_waiting() -> None:
    released = threading.Event()

    def ask(host: str) -> str:
        if host == "hangs":
            released.wait(30)
        if host == "refuses":
            raise ProviderFault("Docker host refuses: connection refused.")
        if host == "odd":
            raise ValueError("no such address")
        return host.upper()

    began = time.monotonic()
    answers, silent = ask_each(("hangs", "refuses", "odd", "one", "two"), ask, seconds=0.3)
    assert time.monotonic() - began < 5
    released.set()
    assert answers == {"one": "ONE", "two": "TWO"}
    assert silent == {
        "hangs": "Docker host hangs does not answer within 0.3 s.",
        "refuses": "Docker host refuses: connection refused.",
        "odd": "Docker host odd: ValueError: no such address.",
    }
    assert list(silent) == ["hangs", "refuses", "odd"]


def test_no_hosts_is_no_answer() -> None:
    assert ask_each((), str, seconds=1) == ({}, {})
