"""What the Docker engine's errors mean, in one table: whose doing an error is, and what to do about it.

`meaning` turns any error of the Docker SDK, of its HTTP client or of a socket into one of Podium's. Rows are tried
from the top; the last one takes whatever is left, so that no error of the engine ever reads as the program's doing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound

from podium.platform.errors import PodiumError
from podium.tasks.programs import ExecutorFault, ImageUnavailable

ENGINE_ERRORS = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)
"""Everything that a call to the engine may raise."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        kind: The error's class, or a tuple of them.
        pattern: What its text must contain.
        raises: Podium's class for it.
        says: The sentence; `{doing}` is what was being done, `{error}` the engine's own words.
        remedy: What to do about it.
    """

    kind: type[Exception] | tuple[type[Exception], ...]
    pattern: str
    raises: type[PodiumError]
    says: str
    remedy: str = ""


TABLE = (
    Row(
        ImageNotFound,
        "",
        ImageUnavailable,
        "The host has no such image: {error}.",
        "Pull or build it, or map the name with an image alias.",
    ),
    Row(
        APIError,
        r"no such image",
        ImageUnavailable,
        "The host has no such image: {error}.",
        "Pull or build it, or map the name with an image alias.",
    ),
    Row(
        ENGINE_ERRORS,
        r"no space left on device|disk quota exceeded",
        ExecutorFault,
        "The host's disk was full {doing}: {error}.",
        "Free some space where the engine keeps its data, `docker system df` says what uses it.",
    ),
    Row(
        ENGINE_ERRORS,
        r"permission denied.*(connect|sock)|PermissionError",
        ExecutorFault,
        "The agent may not talk to the Docker engine.",
        "Add the agent's user to the group `docker`, or name another socket in DOCKER_HOST.",
    ),
    Row(
        (requests.ConnectTimeout, requests.ReadTimeout, urllib3.exceptions.TimeoutError, TimeoutError),
        "",
        ExecutorFault,
        "The Docker engine did not answer in time {doing}.",
        "See the engine's log; restarting it helps when it hangs.",
    ),
    Row(
        ENGINE_ERRORS,
        r"(read|connect) timed out|deadline exceeded",
        ExecutorFault,
        "The Docker engine did not answer in time {doing}.",
        "See the engine's log; restarting it helps when it hangs.",
    ),
    # An APIError is a RequestException too, so these come before what says that the engine is not there.
    Row(
        APIError,
        r"bind source path does not exist",
        ExecutorFault,
        "The Docker engine does not see the agent's files: {error}.",
        "Agent and engine must share the work folder under the same path.",
    ),
    Row(
        APIError,
        r"could not select device driver|\bCDI\b|\bNVML\b|nvidia-(container|cdi|ctk)"
        r"|error mounting \S*/(libcuda|libnvidia|nvidia-)",
        ExecutorFault,
        "The Docker engine could not give the program a GPU: {error}.",
        "Install the NVIDIA container toolkit, make its list of devices anew where the driver has changed "
        "(`nvidia-ctk cdi generate`), and restart the agent; or take the GPUs out of its settings.",
    ),
    Row(
        APIError,
        r"docker-init.*(not found|no such file)",
        ExecutorFault,
        "The engine's init program is missing: {error}.",
        "Install `tini` (Debian) or the package that has `docker-init`.",
    ),
    Row(APIError, "", ExecutorFault, "The Docker engine refused {doing}: {error}."),
    Row(
        (requests.RequestException, urllib3.exceptions.HTTPError, OSError),
        "",
        ExecutorFault,
        "The Docker engine could not be reached {doing}: {error}.",
        "Is dockerd running? Start it, or name its socket in DOCKER_HOST.",
    ),
    Row(
        DockerException,
        r"Error while fetching server API version",
        ExecutorFault,
        "The Docker engine could not be reached {doing}: {error}.",
        "Is dockerd running? Start it, or name its socket in DOCKER_HOST.",
    ),
    Row(ENGINE_ERRORS, "", ExecutorFault, "The Docker engine failed {doing}: {error}."),
)


def meaning(error: Exception, doing: str) -> PodiumError:
    """Say what an error of the engine means; `doing` completes a sentence, as in "while it started a container"."""
    words = engine_words(error)
    text = f"{type(error).__name__}: {error} {words}"
    for row in TABLE:
        if isinstance(error, row.kind) and re.search(row.pattern, text, re.IGNORECASE | re.DOTALL):
            return row.raises(row.says.format(doing=doing, error=words), remedy=row.remedy)
    raise error


def engine_words(error: Exception) -> str:
    """The engine's own explanation, on one line of at most 500 characters."""
    words = str(getattr(error, "explanation", "") or error) or type(error).__name__
    return " ".join(words.split())[:500].rstrip(".")


@contextmanager
def engine_call(doing: str) -> Iterator[None]:
    """Run calls to the engine; its errors leave as Podium's.

    Raises:
        ExecutorFault: The engine is gone, hangs, or refused.
        ImageUnavailable: It was about an image that the host has not.
    """
    try:
        yield
    except ENGINE_ERRORS as error:
        raise meaning(error, doing) from error


def died_before_start(error: APIError) -> bool:
    """Whether the runtime's own process, made for a container, was gone before the engine could start it."""
    return "cannot start a stopped process" in engine_words(error)


@dataclass(frozen=True, slots=True)
class StartError:
    """A program that could not be started for reasons of its own: the status a shell would give, and why."""

    exit_status: int
    why: str


_HOOK = re.compile(r"error running (\w+ )?hook #\d+")
"""What was executed then is the host's: a hook that gives the container a GPU."""

_NOT_FOUND = r"executable file not found|no such file or directory"
_START_ERRORS = (
    (_NOT_FOUND, 127, "The image {image} has no command `{command}`."),
    (
        r"permission denied|is a directory",
        126,
        "The command `{command}` can't be executed in the image {image}: permission denied.",
    ),
    (
        r"exec format error",
        126,
        "The command `{command}` is not a program that this host's processor can execute.",
    ),
)


def start_error_of_engine(error: APIError, *, image: str, command: str) -> StartError | None:
    """The program's own reason why the engine could not start it, if it is one; a mount or cgroup error is not."""
    words = engine_words(error)
    if "docker-init" in words:
        return None
    exec_part = re.search(r"(?:exec:|exec failed:|exec \S+:)(?P<why>.*)", words)
    if not exec_part or _HOOK.search(words, 0, exec_part.start()):
        return None
    return _start_error(exec_part["why"], image=image, command=command)


def start_error_of_init(stderr_head: bytes, *, image: str, command: str) -> StartError | None:
    """The same from the first line of stderr: with an init process in between, it is that which says so."""
    line = re.match(rb"\[FATAL tini \(\d+\)\] exec (?P<why>.*)", stderr_head)
    return _start_error(line["why"].decode(errors="replace"), image=image, command=command) if line else None


def start_error_of_gate(stderr_head: bytes, *, image: str, command: str) -> StartError | None:
    """The same in the words of the shell that waits in a prepared container; shells differ in what surrounds them."""
    line = re.match(rb"podium: (?P<why>.*)", stderr_head)
    if not line:
        return None
    why = line["why"].decode(errors="replace")
    return _start_error(re.sub(r"not found$", "no such file or directory", why), image=image, command=command)


def _start_error(why: str, *, image: str, command: str) -> StartError | None:
    for pattern, status, says in _START_ERRORS:
        if re.search(pattern, why, re.IGNORECASE):
            return StartError(status, says.format(image=image, command=command))
    return None
