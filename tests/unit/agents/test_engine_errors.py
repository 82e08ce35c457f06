"""What the engine's errors mean."""

from __future__ import annotations

import docker.errors
import pytest
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound

from podium.agents.executors.engine_errors import (
    ENGINE_ERRORS,
    engine_call,
    meaning,
    start_error_of_engine,
    start_error_of_init,
)
from podium.platform.errors import PodiumError
from podium.tasks.programs import ExecutorFault, ImageUnavailable


def api_error(text: str, status: int = 500) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError(text, response=response, explanation=text)


_NOT_MADE = "failed to create task for container: failed to create shim task: OCI runtime create failed: "
_NOT_CREATED = f"{_NOT_MADE}runc create failed: unable to start container process: error during container init: "
_NO_DEVICE = 'failed to inject devices: failed to stat CDI host device "/dev/nvidia9": no such file or directory'
_NO_PROGRAM = 'couldn\'t find binary: exec: "nvidia-container-cli": executable file not found in $PATH'
_LIBRARY = "/usr/lib/libcuda.so.550.1"
GPU_TROUBLE = (  # as engine 28.5.2 with runc says it
    "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=GPU-2",
    f"CDI device injection failed: {_NO_DEVICE}",
    'could not select device driver "cdi" with capabilities: []',
    f"{_NOT_MADE}failed to create the automatic CDI modifier: failed to initialize NVML: ERROR_LIBRARY_NOT_FOUND",
    f"{_NOT_CREATED}error running hook #0: fork/exec /usr/bin/nvidia-cdi-hook: no such file or directory",
    f"{_NOT_CREATED}error running createContainer hook #0: fork/exec /usr/bin/nvidia-ctk: no such file or directory",
    f"{_NOT_CREATED}error running hook #0: error running hook: exit status 1, stdout: , stderr: {_NO_PROGRAM}",
    f'{_NOT_CREATED}error mounting "{_LIBRARY}" to rootfs at "{_LIBRARY}": stat {_LIBRARY}: no such file or directory',
)


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ImageNotFound("no", explanation="No such image: x:1"), ImageUnavailable, "map the name with an image alias"),
        (api_error("No such image: sha256:0", 404), ImageUnavailable, "Pull or build it"),
        (api_error("write /x: no space left on device"), ExecutorFault, "Free some space"),
        (PermissionError(13, "Permission denied"), ExecutorFault, "group `docker`"),
        (requests.ReadTimeout("read timed out"), ExecutorFault, "did not answer in time"),
        (requests.ConnectionError("Read timed out."), ExecutorFault, "did not answer in time"),
        (requests.ConnectionError("Connection refused"), ExecutorFault, "Is dockerd running?"),
        (ConnectionResetError(104, "reset"), ExecutorFault, "Is dockerd running?"),
        (DockerException("Error while fetching server API version: no file"), ExecutorFault, "Is dockerd running?"),
        (api_error("bind source path does not exist: /x", 400), ExecutorFault, "share the work folder"),
        (api_error('could not select device driver "" with capabilities: [[gpu]]'), ExecutorFault, "NVIDIA"),
        *((api_error(words), ExecutorFault, "NVIDIA container toolkit") for words in GPU_TROUBLE),
        (api_error('exec: "docker-init": executable file not found in $PATH', 400), ExecutorFault, "Install `tini`"),
        (api_error("something never seen before"), ExecutorFault, "refused while it worked: something never seen"),
        (docker.errors.InvalidArgument("odd"), ExecutorFault, "failed while it worked: odd"),
    ],
)
def test_each_error_says_whose_doing_it_is_and_what_to_do(error: Exception, kind: type, says: str) -> None:
    meant = meaning(error, "while it worked")
    assert type(meant) is kind
    assert says in str(meant)


def leaves(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(leaf for inner in kind.__subclasses__() for leaf in leaves(inner))]


@pytest.mark.parametrize(
    "kind", sorted({leaf for top in ENGINE_ERRORS[:3] for leaf in leaves(top)}, key=lambda kind: kind.__qualname__)
)
def test_no_error_of_the_libraries_is_without_a_meaning(kind: type[Exception]) -> None:
    empty = type(
        kind.__name__, (kind,), {"__init__": lambda self: None, "__str__": lambda self: "x", "explanation": ""}
    )
    assert isinstance(meaning(empty(), "while it worked"), PodiumError)


def test_error_of_the_agent_itself_is_not_the_engines() -> None:
    with pytest.raises(KeyError), engine_call("while it worked"):
        raise KeyError("x")
    with pytest.raises(ExecutorFault) as fault, engine_call("while it worked"):
        raise urllib3.exceptions.ProtocolError("broken")
    assert isinstance(fault.value.__cause__, urllib3.exceptions.ProtocolError)


def test_long_explanations_are_cut_to_one_line() -> None:
    assert len(str(meaning(api_error("x\n" * 5000), "while it worked"))) < 700


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown', 127),
        ('runc create failed: exec: "/app": permission denied: unknown', 126),
        ("runc create failed: exec /x: exec format error", 126),
        ('runc create failed: exec: "error running hook #0": executable file not found in $PATH: unknown', 127),
    ],
)
def test_program_that_the_engine_could_not_start(text: str, status: int) -> None:
    refused = start_error_of_engine(api_error(text, 400), image="image:1", command="nope")
    assert refused is not None
    assert refused.exit_status == status
    assert "nope" in refused.why


@pytest.mark.parametrize(
    "text",
    [
        "error mounting /x to rootfs: permission denied",
        'exec: "docker-init": executable file not found in $PATH',
        "failed to create cgroup: no such file or directory",
        *GPU_TROUBLE,
    ],
)
def test_trouble_of_the_host_is_not_the_programs(text: str) -> None:
    assert start_error_of_engine(api_error(text), image="image:1", command="nope") is None


def test_init_process_says_why_on_the_first_line_alone() -> None:
    words = {"image": "image:1", "command": "nope"}
    line = b"[FATAL tini (7)] exec nope failed: No such file or directory\n"
    refused = start_error_of_init(line, **words)
    assert refused is not None
    assert (refused.exit_status, refused.why) == (127, "The image image:1 has no command `nope`.")
    assert start_error_of_init(b"hello\n" + line, **words) is None
