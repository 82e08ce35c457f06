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

from podium.agents.executors.engine import inspect_image
from podium.agents.executors.engine_errors import engine_call, engine_words
from podium.agents.images.cache import ImageCache
from podium.agents.images.names import DEFAULT_IMAGE_ALIASES, INPUTS_LABEL, SUBMITTED_IMAGE, alias_of
from podium.agents.images.pulling import ImagePuller
from podium.tasks.programs import ExecutorFault, Holder, Image, ImageUnavailable

PullPolicy = Literal["missing", "always", "never"]

_REMEMBERED_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_TRIES = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,254}")
_BUILD = "Build it, or map it to an image that the host has with an alias; `podium images build` makes a Python image."


class ImageFinder:
    """Finds images for names, and has them stay on the host as long as they are held.

    An alias of the operator always holds. Failing that, the host's image of this very name is taken; failing that, what
    Podium's own aliases put in its place, if the host has it; and failing that, the image is pulled.
    """

    def __init__(
        self,
        client: APIClient,
        *,
        aliases: Mapping[str, str],
        pull: PullPolicy,
        puller: ImagePuller | None = None,
        cache: ImageCache | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._aliases = aliases
        self._pull_policy = pull
        self._puller = puller or ImagePuller()
        self._cache = cache or ImageCache(client)
        self._clock = clock
        self._remembered: dict[str, tuple[float, Image]] = {}
        self._pulling: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, asked: str, holder: Holder | None = None) -> Image:
        """The image for the name `asked`; an answer holds for a few seconds.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked, or a registry can't be reached.
        """
        holder = holder or Holder()
        for _ in range(_TRIES):
            image = self._known(asked) or self._find_alone(asked, holder)
            if self._cache.hold(image.id, holder.key):
                return image
            self.forget(image)
        raise ExecutorFault(f"The image {asked} was removed from the host again and again while it was looked for.")

    def forget(self, image: Image) -> None:
        """Ask the engine anew the next time: this image turned out to be gone."""
        self._remembered.pop(image.asked, None)

    def _known(self, asked: str) -> Image | None:
        known = self._remembered.get(asked)
        return known[1] if known and known[0] > self._clock() else None

    def _find_alone(self, asked: str, holder: Holder) -> Image:
        # Ten submissions that need the same new image pull it once.
        with self._lock:
            mine = self._pulling.setdefault(asked, threading.Lock())
        if not mine.acquire(blocking=False):
            holder.say(f"waiting for the image {asked}, which another submission is getting")
            while not mine.acquire(timeout=_LOOK_SECONDS):
                if holder.stop.is_set():
                    raise ExecutorFault("The attempt was stopped while it waited for its image.")
        try:
            known = self._known(asked)
            if known:
                return known
            image = self._find(asked, holder)
            self._remembered[asked] = (self._clock() + _REMEMBERED_SECONDS, image)
            return image
        finally:
            mine.release()

    def _find(self, asked: str, holder: Holder) -> Image:
        # The name comes from a bundle and goes into the path of a request to the engine.
        if not _NAME.fullmatch(asked) or ".." in asked or asked.startswith(f"{SUBMITTED_IMAGE}:"):
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
            here = self._pull(asked, name, holder)
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

    def _pull(self, asked: str, name: str, holder: Holder) -> dict[str, Any]:
        began = self._clock()
        not_ours = self._cache.not_ours()
        holder.say(f"pulling image {name}")
        try:
            self._puller.pull(name, holder)
        except ImageUnavailable as refused:
            said = str(refused).rstrip(".")
            raise ImageUnavailable(
                f"{_not_here(asked, name)} and could not pull it: {said}.", remedy=_BUILD
            ) from refused
        here = self._inspect(name)
        if here is None:
            raise ExecutorFault(f"The image {name} was pulled, and then it was not there.")
        # What was on the host before under whatever name is its operator's, and is never removed.
        if here["Id"] not in not_ours or self._cache.knows(here["Id"]):
            self._cache.arrived(here["Id"], name, int(here.get("Size") or 0), holder.key)
        holder.say(f"pulled image {name} in {self._clock() - began:.1f} s: {_image(asked, name, here).digest}")
        return here


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
    volumes = (found.get("Config") or {}).get("Volumes") or {}
    return Image(
        asked=asked, name=name, digest=str(digest), id=str(found.get("Id") or ""), volumes=tuple(sorted(volumes))
    )
