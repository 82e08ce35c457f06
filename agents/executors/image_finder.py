"""Which image of the host a bundle's image name means, and pulling it where that is wanted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from docker import APIClient
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag

from podium.agents.executors.engine import connect, inspect_image
from podium.agents.executors.engine_errors import ENGINE_ERRORS, engine_call, engine_words, meaning
from podium.agents.images.names import DEFAULT_IMAGE_ALIASES, INPUTS_LABEL, alias_of
from podium.tasks.programs import ExecutorFault, Image, ImageUnavailable

PullPolicy = Literal["missing", "always", "never"]

_REMEMBERED_SECONDS = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,254}")
_BUILD = "Build it, or map it to an image that the host has with an alias; `podium images build` makes a Python image."


class ImageFinder:
    """Finds images for names.

    An alias of the operator always holds. Failing that, the host's image of this very name is taken; failing that, what
    Podium's own aliases put in its place, if the host has it; and failing that, the image is pulled.
    """

    def __init__(
        self,
        client: APIClient,
        *,
        aliases: Mapping[str, str],
        pull: PullPolicy,
        pull_seconds: float,
        base_url: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._aliases = aliases
        self._pull_policy = pull
        self._pull_seconds = pull_seconds
        self._clock = clock
        self._remembered: dict[str, tuple[float, Image]] = {}
        self._pulling: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, asked: str) -> Image:
        """The image for the name `asked`; an answer holds for a few seconds.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked.
        """
        known = self._remembered.get(asked)
        if known and known[0] > self._clock():
            return known[1]
        with self._one_at_a_time(asked):
            known = self._remembered.get(asked)
            if known and known[0] > self._clock():
                return known[1]
            image = self._find(asked)
            self._remembered[asked] = (self._clock() + _REMEMBERED_SECONDS, image)
            return image

    def forget(self, image: Image) -> None:
        """Ask the engine anew the next time: this image turned out to be gone."""
        self._remembered.pop(image.asked, None)

    def _one_at_a_time(self, asked: str) -> threading.Lock:
        # Ten submissions that need the same new image pull it once.
        with self._lock:
            return self._pulling.setdefault(asked, threading.Lock())

    def _find(self, asked: str) -> Image:
        # The name comes from a bundle and goes into the path of a request to the engine.
        if not _NAME.fullmatch(asked) or ".." in asked:
            raise ImageUnavailable(f"{asked[:100]!a} is not an image name.", remedy="Correct it in the competition.")
        mapped = alias_of(asked, self._aliases)
        name = mapped or asked
        here = self._inspect(name)
        if here is None and mapped is None:
            stand_in = alias_of(asked, DEFAULT_IMAGE_ALIASES)
            found = self._inspect(stand_in) if stand_in else None
            if stand_in and found:
                return _image(asked, stand_in, found)
        if self._must_pull(here):
            self._pull(asked, name)
            here = self._inspect(name)
        if here is None:
            raise ImageUnavailable(_not_here(asked, name) + ", and may not pull it.", remedy=_BUILD)
        return _image(asked, name, here)

    def _must_pull(self, here: dict[str, Any] | None) -> bool:
        if here is None:
            return self._pull_policy != "never"
        made_here = INPUTS_LABEL in ((here.get("Config") or {}).get("Labels") or {})
        return self._pull_policy == "always" and not made_here

    def _inspect(self, name: str) -> dict[str, Any] | None:
        with engine_call("while the agent looked for an image"):
            try:
                return inspect_image(self._client, name)
            except ImageNotFound:
                return None
            except APIError as error:
                if error.status_code == 400:  # the engine's word for a name that is no image name
                    raise ImageUnavailable(f"`{name}` is not an image name: {engine_words(error)}.") from error
                raise

    def _pull(self, asked: str, name: str) -> None:
        repository, tag = parse_repository_tag(name)
        give_up = self._clock() + self._pull_seconds
        client = connect(self._base_url)
        try:
            # Without a tag the engine would pull every tag there is.
            for line in client.pull(repository, tag=tag or "latest", stream=True, decode=True):
                if "error" in line:
                    raise ImageUnavailable(self._could_not(asked, name, str(line["error"])), remedy=_BUILD)
                if self._clock() > give_up:
                    said = f"it took longer than {self._pull_seconds:.0f} s"
                    raise ImageUnavailable(self._could_not(asked, name, said), remedy=_BUILD)
        except APIError as error:
            raise ImageUnavailable(self._could_not(asked, name, engine_words(error)), remedy=_BUILD) from error
        except ENGINE_ERRORS as error:
            raise meaning(error, f"while it pulled the image {name}") from error
        finally:
            client.close()

    def _could_not(self, asked: str, name: str, said: str) -> str:
        return f"{_not_here(asked, name)} and could not pull it: {said.strip().rstrip('.')}."


def _not_here(asked: str, name: str) -> str:
    mapped = "" if name == asked else f" (which stands in for {asked})"
    return f"The host has no image {name}{mapped}"


def _image(asked: str, name: str, found: dict[str, Any]) -> Image:
    digests = found.get("RepoDigests") or []
    repository = parse_repository_tag(name)[0]
    of_name = [digest for digest in digests if digest.partition("@")[0] == repository]
    digest = next(iter(of_name or digests), None) or found.get("Id")
    if not digest:
        raise ExecutorFault(f"The Docker engine has no digest for the image {name}.")
    return Image(asked=asked, name=name, digest=str(digest))
