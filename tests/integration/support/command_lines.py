"""The command line without its start: a process that has loaded it forks for each command.

Starting `podium` costs up to half a second of a core, and the tests give hundreds of commands. Here a command runs as
from a shell in all else: in a process of its own, with its own arguments, environment, folder and files. What is
tested of the start itself (`podium up`, the installed wheel, what is followed until it is killed) starts the program.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

LOADED = (
    "httpx",
    "psycopg",
    "pydantic",
    "pydantic_settings",
    "rich.progress",
    "rich.table",
    "sqlalchemy",
    "yaml",
    "podium.platform.bundles",
    "podium.platform.client",
    "podium.platform.supervisor.commands",
)
"""What commands import, loaded beforehand."""
LARGEST_REQUEST = 1 << 20
"""Bytes of a command's arguments and environment."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  whatever the command answers
        return json.loads(self.out)


def run_podium(*arguments: str, environment: Mapping[str, str], seconds: float) -> Ran:
    """Run a command of `podium` to its end.

    Raises:
        TimeoutError: It takes longer; it is killed.
    """
    request = json.dumps({"arguments": arguments, "environment": dict(environment), "folder": str(Path.cwd())}).encode()
    with (
        Path(os.devnull).open("rb") as nothing,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line,
    ):
        line.settimeout(seconds)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST_REQUEST)
        line.connect(_starter())
        socket.send_fds(line, [request], [nothing.fileno(), out.fileno(), err.fileno()])
        pid = int(line.recv(64))
        try:
            code = int(line.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise TimeoutError(f"podium {' '.join(arguments)} took longer than {seconds} s") from None
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return Ran(code, *texts)


@cache
def _starter() -> str:
    """The address of this process' starter of commands, which ends with it."""
    address = str(Path(tempfile.mkdtemp(prefix="podium-commands-")) / "socket")
    process = subprocess.Popen([sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(process.communicate)  # the end of its input ends it
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return address


def _command_of(server: socket.socket) -> dict[str, Any] | None:
    """Start what is asked for until the input ends: None then, and in each command's own process its request."""
    commands: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as waited:
        waited.register(server, selectors.EVENT_READ)
        waited.register(sys.stdin.fileno(), selectors.EVENT_READ)
        while True:
            for number in [key.fd for key, _ in waited.select()]:
                if number == sys.stdin.fileno():
                    return None
                if number == server.fileno():
                    line, _ = server.accept()
                    request, files, *_ = socket.recv_fds(line, LARGEST_REQUEST, 3)
                    if (pid := os.fork()) == 0:
                        for standard, file in enumerate(files):
                            os.dup2(file, standard)
                        os.closerange(3, 1 << 16)
                        asked: dict[str, Any] = json.loads(request)
                        return asked
                    for file in files:
                        os.close(file)
                    line.send(str(pid).encode())
                    end = os.pidfd_open(pid)
                    commands[end] = pid, line
                    waited.register(end, selectors.EVENT_READ)
                else:
                    waited.unregister(number)
                    os.close(number)
                    pid, line = commands.pop(number)
                    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    with line, contextlib.suppress(BrokenPipeError):  # whoever asked has given up
                        line.send(str(code).encode())


def _become(request: Mapping[str, Any]) -> None:
    """Be the command that is asked for: its arguments, environment, folder and files."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["podium", *request["arguments"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "wb", closefd=False), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _start_commands(address: str) -> None:
    for name in LOADED:
        import_module(name)
    import_module("podium.platform.cli.app").create_command()
    # What only a client loads, the machine's certificates too.
    import_module("podium.platform.client").Client("http://127.0.0.1:1", None).close()
    gc.freeze()  # or each command would copy what is loaded as it collects
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(address)
    server.listen(64)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    request = _command_of(server)
    if request is not None:
        _become(request)
        import_module("podium.platform.cli.app").main()


if __name__ == "__main__":
    _start_commands(sys.argv[1])
