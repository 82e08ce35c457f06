"""Files are read by processes that may fail, and a failure is that of one file."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from podium.platform.images.children import children
from podium.platform.images.isolation import bubblewrap
from podium.platform.images.job_kinds import GroupFile, ImportJob, Made
from podium.platform.images.kinds import Kind
from podium.platform.images.limits import ImportLimits
from podium.platform.images.problems import Reason, Refusal
from podium.platform.images.session import import_files


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for name in ("a.png", "z.png"):
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(folder / name)
    return folder


def zeros_of_nifti(path: Path, *, gigabytes: int) -> None:
    """A small file that takes long to unpack."""
    image = sitk.GetImageFromArray(np.zeros((1, 1, 1), np.uint8))
    plain = path.with_name("plain.nii")
    sitk.WriteImage(image, str(plain))
    head = bytearray(plain.read_bytes())[:352]
    plain.unlink()
    head[40:56] = np.array([3, 1024, 1024, 1024 * gigabytes, 1, 1, 1, 1], "<i2").tobytes()
    with gzip.open(path, "wb", compresslevel=1) as target:
        target.write(head)
        for _ in range(1024 * gigabytes):
            target.write(bytes(1 << 20))


def test_on_a_full_disk_no_file_is_blamed(uploads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("podium.platform.images.children._LITTLE_ROOM", 1 << 62)
    monkeypatch.setattr("podium.platform.images.children._answers", lambda *_: [])
    report = import_files(uploads, tmp_path / "made")
    assert {file.reason for file in report.rejected} == {Reason.NO_ROOM}


def test_a_whole_session_in_real_processes(uploads: Path, tmp_path: Path):
    (uploads / "bad.mha").write_bytes(b"ObjectType = Image\nElementDataFile = LOCAL\n")
    steps = []
    report = import_files(uploads, tmp_path / "made", progress=lambda *step: steps.append(step))
    assert [made.image.metadata.name for made in report.images] == ["a.png", "z.png"]
    assert [file.path for file in report.rejected] == ["bad.mha"]
    assert report.files == 3
    assert report.isolation == ("bubblewrap" if bubblewrap() else "limits alone")
    assert steps[-1] == ("imported", 3, 3)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["image-000000", "image-000002"]


def test_what_takes_too_much_memory_fails_alone(uploads: Path, tmp_path: Path):
    Image.fromarray(np.zeros((16000, 16000), np.uint8)).save(uploads / "large.png", compress_level=1)
    report = import_files(uploads, tmp_path / "made", limits=ImportLimits(memory_bytes=600 << 20))
    assert {file.path: file.reason for file in report.rejected} == {"large.png": "out_of_memory"}
    assert len(report.images) == 2


def test_what_takes_too_long_fails_alone(uploads: Path, tmp_path: Path):
    zeros_of_nifti(uploads / "long.nii.gz", gigabytes=1)
    report = import_files(uploads, tmp_path / "made", limits=ImportLimits(cpu_seconds=1, wall_seconds=60, threads=1))
    assert {file.path: file.reason for file in report.rejected} == {"long.nii.gz": "out_of_time"}
    assert len(report.images) == 2


def test_what_unpacks_to_more_than_allowed_fails_alone(uploads: Path, tmp_path: Path):
    zeros_of_nifti(uploads / "large.nii.gz", gigabytes=1)
    report = import_files(uploads, tmp_path / "made", limits=ImportLimits(file_bytes=100 << 20))
    assert {file.path: file.reason for file in report.rejected} == {"large.nii.gz": "too_large"}
    assert len(report.images) == 2


def test_a_process_that_breaks_down_is_blamed_on_the_file_that_it_was_at(uploads: Path, tmp_path: Path):
    zeros_of_nifti(uploads / "long.nii.gz", gigabytes=1)
    limits = ImportLimits(children=1)
    workplace = tmp_path / "work"
    workplace.mkdir()
    names = [(Kind.RASTER, "a.png"), (Kind.NIFTI, "long.nii.gz"), (Kind.RASTER, "z.png")]
    jobs = []
    for number, (kind, name) in enumerate(names):
        (workplace / str(number)).mkdir()
        files = (GroupFile(name, str(uploads / name)),)
        jobs.append(ImportJob(kind, name, files, str(workplace / str(number)), limits))
    with children(workplace, [uploads], limits) as hands:
        killer = threading.Thread(target=kill_child, args=(hands._server.pid, workplace / "1" / "unpacked.nii"))
        killer.start()
        answers = dict(hands.do(jobs))
        killer.join()
    assert isinstance(answers[0], Made)
    assert isinstance(answers[2], Made)
    assert isinstance(answers[1], Refusal)
    assert answers[1].reason == "crashed"
    assert "SIGSEGV" in answers[1].detail


def kill_child(server: int, until: Path) -> None:
    """Wait until a child has begun with the second file, and break it: of the server's processes, the youngest one."""
    while not until.exists():
        time.sleep(0.01)
    os.kill(max(descendants(server)), signal.SIGSEGV)


def descendants(pid: int) -> Iterator[int]:
    for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(found)
        yield from descendants(int(found))


@pytest.mark.skipif(bubblewrap() is None, reason="there is no wall without bubblewrap")
def test_processes_see_no_network_and_no_other_files(uploads: Path, tmp_path: Path):
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from podium.platform.images.isolation import environment, wall  # noqa: PLC0415

    secret = tmp_path / "secret"
    secret.write_text("x")
    code = f"""
import os, socket
print(os.path.exists({str(secret)!r}), os.path.exists({str(uploads / "a.png")!r}), os.path.exists("/etc/passwd"))
for path in ({str(uploads / "new")!r}, "/usr/new"):
    try:
        open(path, "w")
        print("written")
    except OSError:
        print("kept out")
try:
    socket.create_connection(("127.0.0.1", {listening()}), 2)
    print("connected")
except OSError:
    print("no network")
"""
    workplace = tmp_path / "work"
    workplace.mkdir()
    done = subprocess.run(
        [*wall([uploads], workplace), sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:4] == ["False True False", "kept out", "kept out", "no network"]


def listening() -> int:
    import socket  # noqa: PLC0415

    server = socket.create_server(("127.0.0.1", 0))
    KEPT.append(server)
    return int(server.getsockname()[1])


KEPT: list[object] = []
