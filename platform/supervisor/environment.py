"""What a part of Podium may have in its environment: what every program needs, and what it is given by name.

The environment of whoever runs `podium up` is full of things that parts must not see: database addresses, cloud keys,
tokens. So nothing is inherited unless it stands on this short list; everything else a part gets is written down with
the part.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    }
)
_INHERITED_PREFIXES = ("LC_",)
# Docker's engine is reached through these; only the parts that start containers get them.
_DOCKER = frozenset({"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_CONFIG"})


# The platform's own parts also get what an operator sets for the server, and the keys of its storage.
_SERVER_PREFIXES = ("PODIUM_", "AWS_", "AZURE_")
# An agent gets its own settings alone.
_AGENT_PREFIXES = ("PODIUM_AGENT_",)
# These are the caller's own way in (the command line's token), or name things that the supervisor decides.
_NEVER = frozenset(
    {"PODIUM_TOKEN", "PODIUM_GATEWAY", "PODIUM_AGENT_TOKEN", "PODIUM_AGENT_TOKEN_FILE", "PODIUM_PREFECT_DATABASE_URL"}
)
_LOCAL = "127.0.0.1,localhost"


def system_environment(caller: Mapping[str, str] | None = None, *, docker: bool = False) -> dict[str, str]:
    """Return what every program gets from the caller's environment.

    Args:
        caller: The caller's environment; None for this process's own.
        docker: Also pass on how Docker's engine is reached.
    """
    source = os.environ if caller is None else caller
    allowed = _INHERITED | _DOCKER if docker else _INHERITED
    kept = {name: value for name, value in source.items() if name in allowed or name.startswith(_INHERITED_PREFIXES)}
    # The parts talk to each other here, never through the proxy that leads outside.
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = f"{kept[name]},{_LOCAL}" if kept.get(name) else _LOCAL
    # Logs are written line by line. Bytecode is kept even where the caller keeps none: without it, starting takes twice
    # as long.
    return {**kept, "PYTHONUNBUFFERED": "1"}


def server_environment(caller: Mapping[str, str] | None = None, *, docker: bool = False) -> dict[str, str]:
    """Return what the platform's own parts get from the caller's environment: settings and storage keys as well.

    Args:
        caller: The caller's environment; None for this process's own.
        docker: Also pass on how Docker's engine is reached.
    """
    source = os.environ if caller is None else caller
    return {**system_environment(source, docker=docker), **_settings(source, _SERVER_PREFIXES)}


def agent_environment(caller: Mapping[str, str] | None = None, *, docker: bool = False) -> dict[str, str]:
    """Return what an agent that runs participants' programs gets from the caller's environment.

    Args:
        caller: The caller's environment; None for this process's own.
        docker: Also pass on how Docker's engine is reached.
    """
    source = os.environ if caller is None else caller
    return {**system_environment(source, docker=docker), **_settings(source, _AGENT_PREFIXES)}


def _settings(source: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in source.items() if name.startswith(prefixes) and name not in _NEVER}
