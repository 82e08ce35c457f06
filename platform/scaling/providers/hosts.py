"""Several hosts asked at once: one that is down, or hangs, keeps no other waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from podium.platform.scaling.providers.orders import ProviderFault

AnswerT = TypeVar("AnswerT")


def ask_each(
    hosts: Sequence[str], ask: Callable[[str], AnswerT], *, seconds: float
) -> tuple[dict[str, AnswerT], dict[str, str]]:
    """Ask every host, all at the same time.

    Args:
        ask: Asks one host; its `ProviderFault` is that host's alone.
        seconds: How long each may take. One that takes longer is left behind: what hangs in a connection, as of an
            `ssh` to a host that is off, can't be ended from here.

    Returns:
        The answers by host, and why there is none by host; both in the order of the hosts.
    """
    answers: dict[str, AnswerT] = {}
    faults: dict[str, str] = {}

    def work(host: str) -> None:
        try:
            answers[host] = ask(host)
        except ProviderFault as fault:
            faults[host] = fault.detail
        except Exception as error:  # noqa: BLE001  # whatever one host has, the others are asked
            faults[host] = f"Docker host {host}: {type(error).__name__}: {error}."

    # Nothing waits for these when the process ends.
    threads = [threading.Thread(target=work, args=(host,), name=f"ask {host}", daemon=True) for host in hosts]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"does not answer within {seconds:g} s."
    # Taken once: whoever is late may still write.
    there, failed = dict(answers), dict(faults)
    return (
        {host: there[host] for host in hosts if host in there},
        {host: failed.get(host, f"Docker host {host} {late}") for host in hosts if host not in there},
    )
