"""Agents wherever an operator's program starts them: one call each, JSON in, JSON out.

The program gets an object on its standard input and answers with one on its standard output:

* `{"do": "start", "site": ..., "pool": ..., "agent": {"name", "token", "gateway", "prefect", "slots",
  "environment"}}`: answers `{}`.
* `{"do": "stop", "site": ..., "pool": ..., "agent": {"name"}}`: answers `{}`.
* `{"do": "list", "site": ..., "pool": ...}`: answers `{"agents": ["NAME", ...]}`.

Each may come again. A status other than 0 is a failure, and its standard error says why.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

from podium.platform.scaling.providers.orders import AgentOrder, Listing, ProviderFault
from podium.platform.scaling.providers.settings import CommandSettings
from podium.platform.supervisor.environment import system_environment
from podium.platform.supervisor.processes import kill_group

QUOTED = 400
"""Characters of what a program says that stand in an error."""
ANSWER_BYTES = 1_000_000


class CommandProvider:
    """Calls an operator's program.

    Args:
        site: Tells this Podium's agents from another's.
    """

    def __init__(self, settings: CommandSettings, site: str) -> None:
        self._settings = settings
        self._site = site

    def start(self, order: AgentOrder) -> None:
        """Have an agent started."""
        agent = {
            "name": order.name,
            "token": order.token,
            "gateway": order.gateway,
            "prefect": order.prefect,
            "slots": order.slots,
            "environment": self._settings.environment,
        }
        self._call("start", order.pool, agent)

    def stop(self, pool: str, name: str) -> None:
        """Have an agent stopped."""
        self._call("stop", pool, {"name": name})

    def list_own(self, pool: str) -> Listing:
        """Ask for the names of all agents that there are."""
        names = self._call("list", pool).get("agents")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ProviderFault(f'{self._program} did not answer `list` with {{"agents": ["NAME", ...]}}.')
        return Listing(frozenset(names))

    @property
    def _program(self) -> str:
        return self._settings.command[0]

    def _call(self, what: str, pool: str, agent: Mapping[str, Any] | None = None) -> dict[str, Any]:
        asked = {"do": what, "site": self._site, "pool": pool, **({"agent": agent} if agent else {})}
        try:
            process = subprocess.Popen(
                self._settings.command,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise ProviderFault(f"{self._program} can't be run: {error.strerror}.") from error
        with process:
            try:
                answer, said = process.communicate(json.dumps(asked), timeout=self._settings.timeout)
            except subprocess.TimeoutExpired:
                # All that it has started too: what holds its output open would be waited for.
                kill_group(process.pid, signal.SIGKILL)
                _, said = process.communicate()
                raise ProviderFault(
                    f"{self._program} did not {what} within {self._settings.timeout:g} s.{_quoted(said)}"
                ) from None
        if process.returncode:
            raise ProviderFault(f"{self._program} ended `{what}` with status {process.returncode}.{_quoted(said)}")
        return self._read(what, answer)

    def _read(self, what: str, answer: str) -> dict[str, Any]:
        try:
            read = json.loads(answer[:ANSWER_BYTES])
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise ProviderFault(f"{self._program} answered `{what}` with no JSON object.{_quoted(answer)}")
        return read

    def _environment(self) -> dict[str, str]:
        """None of the platform's secrets: only what every program needs, and what the operator names."""
        named = {name: os.environ[name] for name in self._settings.inherit if name in os.environ}
        return {**system_environment(os.environ), **named}


def _quoted(said: str) -> str:
    shown = " ".join(said.split())
    return f" It said: {shown[-QUOTED:]}" if shown else ""
