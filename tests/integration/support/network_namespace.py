"""A network namespace of the tests' own: nothing of it is seen on the host, and it ends with who holds it."""

from __future__ import annotations

import ctypes
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

AnswerT = TypeVar("AnswerT")
_CLONE_NEWNET = 0x40000000


class Namespace:
    """A network namespace. Its holder works in `folder`, so that the guard finds it."""

    def __init__(self, folder: Path) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], cwd=folder)
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        give_up = time.monotonic() + 10
        while (there := self._identity()) is None or there == str(Path("/proc/self/ns/net").readlink()):
            assert time.monotonic() < give_up, "no network namespace could be made"
            time.sleep(0.005)
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *command: str) -> list[str]:
        """The command line that runs a program in it; the process is the program's own."""
        return ["nsenter", f"--net={self.path}", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.command(*command), check=True, capture_output=True)

    def call(self, function: Callable[[], AnswerT]) -> AnswerT:
        """Call a function in a thread that lives in it; so does all that the thread starts."""
        answers: list[AnswerT] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                self._enter()
                answers.append(function())
            except BaseException as error:  # noqa: BLE001  handed on to the caller
                errors.append(error)

        thread = threading.Thread(target=work, name="namespace", daemon=True)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return answers[0]

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with self.path.open() as namespace:
            if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "the network namespace can't be entered")

    def _identity(self) -> str | None:
        try:
            return str(self.path.readlink())
        except OSError:
            return None

    @property
    def holder(self) -> int:
        """The process by which others name it."""
        return self._holder.pid


def link(one: Namespace, other: Namespace, name: str, addresses: tuple[str, str]) -> None:
    """A cable between two namespaces, with the same name at both ends, and their addresses (`10.0.0.1/30`)."""
    one.run("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", str(other.holder))
    for namespace, address in zip((one, other), addresses, strict=True):
        namespace.run("ip", "address", "add", address, "dev", name)
        namespace.run("ip", "link", "set", name, "up")
