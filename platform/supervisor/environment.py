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


def system_environment(caller: Mapping[str, str] | None = None, *, docker: bool = False) -> dict[str, str]:
    """Return what every program gets from the caller's environment.

    Args:
        caller: The caller's environment; None for this process's own.
        docker: Also pass on how Docker's engine is reached.
    """
    source = os.environ if caller is None else caller
    allowed = _INHERITED | _DOCKER if docker else _INHERITED
    kept = {name: value for name, value in source.items() if name in allowed or name.startswith(_INHERITED_PREFIXES)}
    # Logs are written line by line, and bytecode is kept: it halves the time that a part takes to start.
    return {**kept, "PYTHONUNBUFFERED": "1"}
