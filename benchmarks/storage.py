"""Bytes per second to and from each store: Podium's signed requests beside the store's own client, in one run.

    .venv/bin/python benchmarks/storage.py [--store file s3 abfs] [--rounds 5] [--size 200] [--memory 5000]

For each store, in turns, so that both see the same machine:

- *raw*: the client of the store itself, with its key: s3fs, adlfs, and for a folder a plain copy;
- *podium up*: the client's upload, in parts by signed requests, each checked on arrival by a checksum of its own;
- *podium down*: the agent's download by a signed request, checked by its SHA-256;
- *floor*, for a folder only: a copy with the sums that the way must have at least, by one thread that has no network:
  up, each MB is read, summed, written and summed again, as by a sender and a store; down, only once, as by the agent.

The folder is served by a gateway in a process of its own; S3 and Azure are the servers of the tests, which
`make machine` installs. `--memory` fetches a file of so many MB from the folder as an agent does, and prints what
memory that took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from podium.platform.client.connection import Connection
from podium.platform.client.part_uploads import upload_parts
from podium.platform.client.progress import silent
from podium.platform.client.retries import Patience
from podium.platform.identifiers import new_id
from podium.platform.jobs import Source
from podium.platform.records.storage import PartsRecord, SignedRequestRecord
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, content_key, incoming_key, open_storage
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres import PostgresCluster
from podium.platform.uploads import part_sizes, signed_record
from podium.tasks.gateway import Transfers

MB = 1_000_000
SECRET = "a key that only this benchmark knows, long enough"
STORES = Path(__file__).parents[1] / "tests" / "integration" / "support" / "object_stores.py"


@dataclass(frozen=True)
class Round:
    """Seconds of one round; a floor is known for a folder only."""

    raw_up: float
    floor_up: float | None
    podium_up: float
    raw_down: float
    floor_down: float | None
    podium_down: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", nargs="+", default=["file", "s3", "abfs"], choices=["file", "s3", "abfs"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=200, help="of the file, in MB")
    parser.add_argument("--memory", type=int, default=0, help="also fetch a file of so many MB, and print the memory")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--fetch", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fetch:
        return _fetch_and_tell(*arguments.fetch)
    folder = Path(tempfile.mkdtemp(prefix="podium-storage-"))
    found: dict[str, list[Round]] = {}
    try:
        file = _random_file(folder / "file", arguments.size * MB)
        for kind in arguments.store:
            with _store(kind, folder) as (storage, raw), closing(_connection()) as connection:
                _round(storage, raw, connection, file, folder)  # warm: imports, connections
                found[kind] = [_round(storage, raw, connection, file, folder) for _ in range(arguments.rounds)]
                if kind == "file" and arguments.memory:
                    _memory(storage, folder, arguments.memory * MB)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(found, arguments.size, arguments.json)
    return 0


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[tuple[Storage, Any]]:
    """A store, and its own client as a file system of fsspec; `None` for a folder."""
    common = {"database_url": "postgresql://nowhere", "secret_key": SECRET, "part_bytes": 64 << 20}
    if kind == "file":
        with _gateway(folder) as settings:
            yield open_storage(settings), None
        return
    make = runpy.run_path(str(STORES))[{"s3": "swift", "abfs": "azurite"}[kind]]
    with make() as store:
        storage: Any = open_storage(ServerSettings.model_validate({**common, **store.settings}))
        yield storage, storage._files  # the very client, with the same settings


@contextmanager
def _gateway(folder: Path) -> Iterator[ServerSettings]:
    """A gateway in a process of its own, as in production."""
    folder.chmod(0o711)
    with ExitStack() as stack:
        cluster = stack.enter_context(PostgresCluster(folder / "postgres", databases=("podium",)))
        port = free_port()
        values = {
            "database_url": cluster.create_database("benchmark"),
            "storage_url": (folder / "store").as_uri(),
            "secret_key": SECRET,
            "public_url": f"http://127.0.0.1:{port}",
            "port": str(port),
        }
        environment = {**os.environ, **{f"PODIUM_{name.upper()}": value for name, value in values.items()}}
        with (folder / "gateway.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "podium.platform.gateway"], env=environment, stdout=log, stderr=log
            )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{values['public_url']}/api/v1/health", timeout=5)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise SystemExit((folder / "gateway.log").read_text()) from None
                time.sleep(0.1)
            else:
                break
        yield ServerSettings.model_validate(values)


def _connection() -> Connection:
    """A client's, to a gateway that is not asked anything."""
    return Connection("http://127.0.0.1:1", None, timeout=60, patience=Patience())


def _round(storage: Storage, raw: Any, connection: Connection, file: Path, folder: Path) -> Round:
    back = folder / "back"
    key, raw_key = incoming_key(new_id()), incoming_key(new_id())
    sha256 = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    size = file.stat().st_size
    raw_up = _seconds(lambda: _raw_up(storage, raw, raw_key, file, folder))
    floor_up = _seconds(lambda: _summed_copy(file, folder / "summed", sums=2)) if raw is None else None
    podium_up = _seconds(lambda: _upload(storage, connection, key, file))
    storage.accept(key, sha256=sha256, size=size)
    storage.discard(key)
    raw_down = _seconds(lambda: _raw_down(storage, raw, raw_key, back, folder))
    _forget(back)
    floor_down = _seconds(lambda: _summed_copy(folder / "copy", back, sums=1)) if raw is None else None
    _forget(back)
    source = Source(request=storage.sign_get(content_key(sha256), filename="file"), sha256=sha256, size=size)
    podium_down = _seconds(lambda: _download(source, back))
    _forget(back)
    storage.discard(raw_key)
    storage.remove_content(content_key(sha256))
    _forget(folder / "copy")
    _forget(folder / "summed")
    return Round(raw_up, floor_up, podium_up, raw_down, floor_down, podium_down)


def _upload(storage: Storage, connection: Connection, key: str, file: Path) -> None:
    """As the client does, with the store in the gateway's place for what is signed."""
    sizes = part_sizes(file.stat().st_size, 64 << 20)
    reference = storage.begin_parts(key)

    def sign(number: int) -> SignedRequestRecord:
        return signed_record(storage.sign_part(key, reference, number, size=sizes[number - 1]))

    upload_parts(connection, PartsRecord(64 << 20, len(sizes), (), storage.checksum), sign, file, file.name, silent)
    storage.join_parts(key, reference, sizes)


def _download(source: Source, back: Path) -> None:
    transfers = Transfers()
    transfers.fetch(source, back, stop=threading.Event())
    transfers.close()


def _raw_up(storage: Any, raw: Any, key: str, file: Path, folder: Path) -> None:
    if raw is None:
        shutil.copyfile(file, folder / "copy")
    else:
        raw.put_file(str(file), storage._path(key))


def _raw_down(storage: Any, raw: Any, key: str, back: Path, folder: Path) -> None:
    if raw is None:
        shutil.copyfile(folder / "copy", back)
    else:
        raw.get_file(storage._path(key), str(back))


def _summed_copy(source: Path, destination: Path, *, sums: int) -> None:
    """A copy of which every byte is summed so many times."""
    digests = [hashlib.sha256() for _ in range(sums)]
    buffer = memoryview(bytearray(1 << 20))
    with source.open("rb", buffering=0) as reading, destination.open("wb", buffering=0) as writing:
        while count := reading.readinto(buffer):
            writing.write(buffer[:count])
            for digest in digests:
                digest.update(buffer[:count])


def _memory(storage: Storage, folder: Path, size: int) -> None:
    file = _random_file(folder / "large", size)
    sha256 = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    stored = storage.store(file, sha256)
    source = Source(request=storage.sign_get(stored.key, filename="large"), sha256=sha256, size=size)
    command = [sys.executable, __file__, "--fetch", source.model_dump_json(), str(folder / "fetched")]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    _forget(folder / "fetched")


def _fetch_and_tell(source: str, destination: str) -> int:
    """What an agent does, in a process whose memory is nothing else's."""
    wanted = Source.model_validate_json(source)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = _seconds(lambda: _download(wanted, Path(destination)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"A file of {wanted.size / MB:,.0f} MB was fetched in {took:.1f} s; "
        f"the highest memory rose from {before / 1024:.0f} to {after / 1024:.0f} MiB."
    )
    return 0


def _random_file(path: Path, size: int) -> Path:
    block = os.urandom(min(size, 32 * MB))
    with path.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
        file.write(block[: size % len(block)])
    return path


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _report(found: dict[str, list[Round]], size: int, to: Path | None) -> None:
    print(f"MB/s of {size} MB, medians; in brackets Podium's share of them")
    print(f"{'store':8}{'':6}{'raw':>8}{'':>8}{'floor':>8}{'':>8}{'podium':>10}")
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for kind, rounds in found.items():
        rows[kind] = {way: _speeds(rounds, way, size) for way in ("up", "down")}
        for way, speeds in rows[kind].items():
            line = f"{kind:8}{way:6}"
            for name in ("raw", "floor"):
                speed = speeds.get(name)
                line += f"{speed:8.0f}{_share(speeds['podium'], speed):>8}" if speed else " " * 16
            print(f"{line}{speeds['podium']:10.0f}")
    if to is not None:
        to.write_text(json.dumps(rows, indent=2))


def _share(speed: float, whole: float) -> str:
    return f"({speed / whole:.2f})"


def _speeds(rounds: list[Round], way: str, size: int) -> dict[str, float]:
    """MB/s of the raw client, the floor where there is one, and Podium."""
    seconds = {name: [getattr(one, f"{name}_{way}") for one in rounds] for name in ("raw", "floor", "podium")}
    return {name: size / statistics.median(values) for name, values in seconds.items() if None not in values}


if __name__ == "__main__":
    sys.exit(main())
