"""A real registry on loopback, with or without a password, and small images to keep in it."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors

USER, PASSWORD = "robot", "s3cret-of-the-tests"
# What `htpasswd -nbB robot s3cret-of-the-tests` writes.
_HTPASSWD = "robot:$2b$04$m902InC5cUNt7BAJ4EFvZuPf/o/1n0wRTxJqq0a4l864Rv81zRuzi\n"


class Registry:
    """A registry: started, stopped, and started again with what it had."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        login = ""
        if private:
            passwords = folder / "htpasswd"
            passwords.write_text(_HTPASSWD)
            login = f"auth: {{htpasswd: {{realm: tests, path: {passwords}}}}}\n"
        (folder / "registry.yml").write_text(
            "version: 0.1\n"
            f"storage: {{filesystem: {{rootdirectory: {folder / 'content'}}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '{self.address}'}}\n{login}"
        )

    def start(self) -> None:
        with (self._folder / "registry.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(self._folder / "registry.yml")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            assert self._process.poll() is None, (self._folder / "registry.log").read_text()
            time.sleep(0.05)
        raise AssertionError("the registry did not come")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Images:
    """Small images of one file each; every one that was made is gone in the end."""

    def __init__(self) -> None:
        self.client = docker.APIClient()
        self._names: set[str] = set()
        self._ids: set[str] = set()

    def make(self, name: str, *, size: int = 1000) -> str:
        """An image with `size` random bytes in it; its id."""
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            entry = tarfile.TarInfo(f"file-{uuid.uuid4().hex}")
            entry.size = size
            tar.addfile(entry, io.BytesIO(os.urandom(size)))
        repository, _, tag = name.rpartition(":")
        self.client.import_image_from_data(made.getvalue(), repository=repository, tag=tag)
        image_id = self.id_of(name)
        assert image_id
        self._names.add(name)
        self._ids.add(image_id)
        return image_id

    def adopt(self, name: str) -> None:
        """Have an image removed in the end that something else brings."""
        self._names.add(name)

    def publish(self, name: str, *, size: int = 1000, password: str = "") -> str:
        """Make an image that the registry has and the host has not; its id."""
        image_id = self.make(name, size=size)
        repository, _, tag = name.rpartition(":")
        auth = {"username": USER, "password": password} if password else None
        for line in self.client.push(repository, tag=tag, stream=True, decode=True, auth_config=auth):
            assert "error" not in line, line
        self.client.remove_image(name)
        assert self.id_of(image_id) is None
        return image_id

    def id_of(self, name: str) -> str | None:
        try:
            found: dict[str, str] = self.client.inspect_image(name)
        except docker.errors.ImageNotFound:
            return None
        return found["Id"]

    def clear(self) -> None:
        for name in [*self._names, *self._ids]:
            with contextlib.suppress(docker.errors.APIError):
                self.client.remove_image(name, force=True)
        self.client.close()


class Faucet:
    """A way to a registry through which only so many bytes come; then it hangs, with nothing said."""

    def __init__(self, port: int, *, most_bytes: int) -> None:
        self._to = port
        self._left = most_bytes
        self.dry = threading.Event()
        self._closed = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed.is_set():
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass, args=(near, far), kwargs={"counted": False}, daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near), kwargs={"counted": True}, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(16_384):
                if counted:
                    self._left -= len(data)
                if self._left < 0:
                    self.dry.set()
                    self._closed.wait()
                    return
                target.sendall(data)


@contextlib.contextmanager
def running(registry: Registry) -> Iterator[Registry]:
    """Have it run until the end of the block."""
    registry.start()
    try:
        yield registry
    finally:
        registry.kill()
