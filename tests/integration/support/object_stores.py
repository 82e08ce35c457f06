"""Real object stores for tests: OpenStack Swift as an S3 that verifies signatures, and Azurite as Azure.

`scripts/machine.py` installs them into `.stores/`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from azure.storage.blob import ContainerClient
from botocore.config import Config

from podium.platform.supervisor.ports import free_port

STORES = Path(__file__).parents[3] / ".stores"
SWIFT = STORES / "swift" / "bin"
AZURITE = STORES / "azurite" / "node_modules" / ".bin" / "azurite-blob"
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""What every Azurite has: no secret."""
BUCKET = "podium"
KEY_ID, SECRET = "test:tester", "testing"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class ObjectStore:
    """A store that runs, as the settings name it."""

    url: str
    endpoint: str
    key_id: str
    secret: str

    @property
    def settings(self) -> dict[str, str]:
        """Settings of the server."""
        return {
            "storage_url": self.url,
            "storage_endpoint": self.endpoint,
            "storage_key_id": self.key_id,
            "storage_secret": self.secret,
        }


@contextmanager
def running(command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A program that runs while the block does."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_port(port: int, log: Path, address: str = "127.0.0.1") -> None:
    """Wait until something listens."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)
        else:
            return


@contextmanager
def azurite() -> Iterator[ObjectStore]:
    """Azure's blobs, with a container."""
    folder = Path(tempfile.mkdtemp(prefix="podium-azurite-"))
    port = free_port()
    log = folder / "log"
    try:
        command = [str(AZURITE), "--blobPort", str(port), "--location", str(folder), "--silent"]
        with running([*command, "--skipApiVersionCheck", "--disableTelemetry"], log):
            wait_for_port(port, log)
            endpoint = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
            ContainerClient(endpoint, BUCKET, credential=AZURE_KEY).create_container()
            yield ObjectStore(f"abfs://{BUCKET}@{AZURE_ACCOUNT}/p", endpoint, AZURE_ACCOUNT, AZURE_KEY)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def swift(address: str = "127.0.0.1") -> Iterator[ObjectStore]:
    """S3 as Swift speaks it, with a bucket, at an address of this host."""
    # Not in /tmp where that is in memory: Swift keeps what it knows of an object in the file's extended attributes.
    folder = Path(tempfile.mkdtemp(prefix="podium-swift-"))
    try:
        with ExitStack() as parts:
            port = _start_swift(folder, parts, address)
            endpoint = f"http://{address}:{port}"
            _make_bucket(endpoint)
            yield ObjectStore(f"s3://{BUCKET}/p", endpoint, KEY_ID, SECRET)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_RINGS = """
import sys
from swift.common.ring import RingBuilder
for ring in sys.argv[1:]:
    path, port = ring.split("=")
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1.0})
    builder.rebalance()
    builder.get_ring().save(path)
"""
"""Says where the one server of each kind is; quicker than Swift's own tool, which starts anew for each step."""


def _start_swift(folder: Path, parts: ExitStack, address: str) -> int:
    ports = {name: free_port() for name in ("proxy", "account", "container", "object")}
    (folder / "devices" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_prefix = p\nswift_hash_path_suffix = s\n")
    rings = [f"{folder}/{name}.ring.gz={ports[name]}" for name in ("account", "container", "object")]
    subprocess.run([str(SWIFT / "python"), "-c", _RINGS, *rings], check=True, timeout=60)
    for name, port in ports.items():
        config = folder / f"{name}.conf"
        config.write_text(_proxy(folder, port, address) if name == "proxy" else _server(folder, name, port))
        log = folder / f"{name}.log"
        parts.enter_context(running([str(SWIFT / f"swift-{name}-server"), str(config), "-v"], log))
    for name, port in ports.items():
        wait_for_port(port, folder / f"{name}.log", address if name == "proxy" else "127.0.0.1")
    return ports["proxy"]


def _common(folder: Path, port: int, address: str = "127.0.0.1") -> str:
    return textwrap.dedent(f"""\
        [DEFAULT]
        bind_ip = {address}
        bind_port = {port}
        workers = 0
        user = root
        swift_dir = {folder}
        devices = {folder}/devices
        mount_check = false
        disable_fallocate = true
        log_level = ERROR
        """)


def _server(folder: Path, name: str, port: int) -> str:
    return _common(folder, port) + textwrap.dedent(f"""\
        [pipeline:main]
        pipeline = {name}-server
        [app:{name}-server]
        use = egg:swift#{name}
        """)


def _proxy(folder: Path, port: int, address: str) -> str:
    return _common(folder, port, address) + textwrap.dedent("""\
        [pipeline:main]
        pipeline = catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth copy slo dlo proxy-server
        [app:proxy-server]
        use = egg:swift#proxy
        account_autocreate = true
        allow_account_management = true
        [filter:catch_errors]
        use = egg:swift#catch_errors
        [filter:gatekeeper]
        use = egg:swift#gatekeeper
        [filter:healthcheck]
        use = egg:swift#healthcheck
        [filter:cache]
        use = egg:swift#memcache
        [filter:listing_formats]
        use = egg:swift#listing_formats
        [filter:s3api]
        use = egg:swift#s3api
        s3_acl = false
        location = us-east-1
        check_bucket_owner = false
        min_segment_size = 5242880
        [filter:tempauth]
        use = egg:swift#tempauth
        user_test_tester = testing .admin
        [filter:copy]
        use = egg:swift#copy
        [filter:slo]
        use = egg:swift#slo
        [filter:dlo]
        use = egg:swift#dlo
        """)


def _make_bucket(endpoint: str) -> None:
    client = botocore.session.get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10}),
    )
    client.create_bucket(Bucket=BUCKET)
