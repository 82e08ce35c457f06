"""Pulling an image from its registry: with the agent's credentials, with patience, and never for ever.

Three things are told apart, for they have different ends. What the registry says about the image (there is none, or it
is not for us) is final, and becomes the verdict. A network or a registry in trouble is tried again, and then is the
platform's own trouble. What the engine itself can't do, such as to write to a full disk, is not tried again.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from http.client import BAD_REQUEST
from pathlib import Path
from typing import Any, NoReturn

import requests
import urllib3
from docker import APIClient
from docker.auth import encode_header, get_config_header
from docker.utils import parse_repository_tag

from podium.agents.executors.engine import connect
from podium.agents.executors.engine_errors import ENGINE_ERRORS, meaning
from podium.agents.images.credentials import Login, login_for, registry_of
from podium.tasks.programs import ExecutorFault, Holder, ImageUnavailable

PULL_SECONDS = 900.0
STALL_SECONDS = 120.0
"""A pull of which nothing is heard for so long is broken off, and tried again."""
PAUSES = (1.0, 4.0, 10.0)
"""Seconds before a pull is tried again after trouble with the network."""
SAY_SECONDS = 5.0
"""Between two lines about how far a pull is."""

_SILENCE = (requests.ReadTimeout, urllib3.exceptions.TimeoutError, TimeoutError)
_DENIED = r"access denied|no basic auth credentials|unauthorized|authentication required|denied: |403 forbidden"
_REFUSED = re.compile(
    rf"{_DENIED}|not found|manifest unknown|name unknown|no matching manifest|invalid reference|invalid repository name"
    r"|unsupported (media type|manifest|schema)|mediatype .*not supported",
    re.IGNORECASE,
)
_OF_THE_HOST = re.compile(r"no space left on device|disk quota exceeded|failed to register layer", re.IGNORECASE)


class NetworkTrouble(Exception):
    """The registry did not answer, or not as a registry does; the words say how."""


def is_final(words: str) -> bool:
    """Whether the engine's words are the registry's answer about the image, which asking again won't change."""
    return bool(_REFUSED.search(words))


class ImagePuller:
    """Pulls images, each with a connection of its own, which ends the pull when it is closed.

    Args:
        base_url: The engine's address; empty for the usual one.
        credentials: The file with the logins of private registries. Without one, the engine's client looks into the
            Docker configuration of the agent's own user.
        seconds: What a pull may take, all tries together.
    """

    def __init__(
        self,
        *,
        base_url: str = "",
        credentials: Path | None = None,
        seconds: float = PULL_SECONDS,
        stall_seconds: float = STALL_SECONDS,
        pauses: tuple[float, ...] = PAUSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._seconds = seconds
        self._stall_seconds = stall_seconds
        self._pauses = pauses
        self._clock = clock

    def pull(self, name: str, holder: Holder) -> None:
        """Pull an image, trying again while it is the network that is in the way.

        Raises:
            ImageUnavailable: The registry says that there is no such image, or refuses it.
            ExecutorFault: The registry can't be reached, or the engine failed; not the image's doing.
        """
        began = self._clock()
        login = login_for(self._credentials, name)
        for pause in (*self._pauses, None):
            try:
                return self._try(name, login, holder, give_up=began + self._seconds)
            except NetworkTrouble as trouble:
                said = login.redact(str(trouble)) if login else str(trouble)
                left = began + self._seconds - self._clock()
                if pause is None or left <= pause:
                    raise ExecutorFault(
                        f"The image {name} could not be pulled in {self._clock() - began:.0f} s: {said}.",
                        remedy=f"Is the registry {registry_of(name)} up, and can the agent's host reach it?",
                    ) from None
                holder.say(f"pulling image {name} did not work ({said}); trying again in {pause:.0f} s")
                if holder.stop.wait(pause):
                    raise ExecutorFault(f"The pull of {name} was given up: the attempt was stopped.") from None
        return None

    def _try(self, name: str, login: Login | None, holder: Holder, *, give_up: float) -> None:
        silence = max(1.0, min(self._stall_seconds, give_up - self._clock()))
        client = connect(self._base_url)
        try:
            # Closing the answer is what ends a pull in the engine.
            with closing(self._ask(client, name, login, silence=silence)) as answer:
                self._follow(name, login, holder, answer.iter_lines(), give_up=give_up)
        except requests.ConnectionError as error:
            if "Read timed out" not in str(error):
                raise meaning(error, f"while it pulled the image {name}") from error
            raise NetworkTrouble(f"nothing was heard of it for {silence:.0f} s") from error
        except _SILENCE as error:
            raise NetworkTrouble(f"nothing was heard of it for {silence:.0f} s") from error
        except ENGINE_ERRORS as error:
            raise meaning(error, f"while it pulled the image {name}") from error
        finally:
            client.close()

    def _follow(
        self, name: str, login: Login | None, holder: Holder, lines: Iterable[bytes], *, give_up: float
    ) -> None:
        progress, said = PullProgress(), self._clock()
        for line in lines:
            heard = json.loads(line) if line.strip() else {}
            if "error" in heard:
                self._refuse(name, login, str(heard["error"]))
            progress.hear(heard)
            if holder.stop.is_set():
                raise ExecutorFault(f"The pull of {name} was broken off: the attempt was stopped.")
            if self._clock() > give_up:
                raise NetworkTrouble(f"it took longer than {self._seconds:.0f} s")
            if self._clock() - said > SAY_SECONDS and progress.percent is not None:
                said = self._clock()
                holder.say(f"pulling image {name}, {progress.percent} %")

    def _ask(self, client: APIClient, name: str, login: Login | None, *, silence: float) -> requests.Response:
        # Not by the SDK's own `pull`, which waits for ever when a registry goes silent.
        repository, tag = parse_repository_tag(name)
        headers = {}
        if login:
            headers["X-Registry-Auth"] = encode_header(login.auth_config()).decode()
        elif self._credentials is None and (header := get_config_header(client, registry_of(name))):
            headers["X-Registry-Auth"] = header.decode()
        answer = client.post(
            f"{client.base_url}/v{client.api_version}/images/create",
            # Without a tag the engine would pull every tag there is.
            params={"fromImage": repository, "tag": tag or "latest"},
            headers=headers,
            stream=True,
            timeout=silence,
        )
        if answer.status_code >= BAD_REQUEST:
            with closing(answer):
                words = answer.text
            with suppress(ValueError):
                words = str(json.loads(words)["message"])
            self._refuse(name, login, words)
        return answer

    def _refuse(self, name: str, login: Login | None, words: str) -> NoReturn:
        words = " ".join(words.split()).rstrip(".")
        words = login.redact(words) if login else words
        if _OF_THE_HOST.search(words):
            raise ExecutorFault(
                f"The host could not keep the image {name}: {words}.",
                remedy="Free some space where the engine keeps its data, `docker system df` says what uses it.",
            )
        if not is_final(words):
            raise NetworkTrouble(words)
        if re.search(_DENIED, words, re.IGNORECASE):
            words += f" ({_signed_in(login, registry_of(name))})"
        raise ImageUnavailable(words)


class PullProgress:
    """How far a pull is, from the lines that the engine writes about each layer."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def hear(self, line: Mapping[str, Any]) -> None:
        """Take in one line."""
        layer, detail = str(line.get("id", "")), line.get("progressDetail") or {}
        status = str(line.get("status", ""))
        if status == "Downloading" and detail.get("total"):
            self._layers[layer] = (int(detail.get("current", 0)), int(detail["total"]))
        elif status in {"Download complete", "Pull complete"} and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2

    @property
    def percent(self) -> int | None:
        """Of the layers that are known to be on the way, what has arrived; `None` before the first."""
        total = sum(size for _, size in self._layers.values())
        return 100 * sum(done for done, _ in self._layers.values()) // total if total else None


def _signed_in(login: Login | None, registry: str) -> str:
    if login is None:
        return f"the agent has no credentials for {registry}"
    return f"signed in to {registry} with the agent's credentials"
