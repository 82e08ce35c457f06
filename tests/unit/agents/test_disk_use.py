"""Counting what hostile programs put on the disk."""

from __future__ import annotations

import mmap
import os
import time
from collections import namedtuple
from pathlib import Path

import pytest

from podium.agents.executors.disk_use import DiskWatch, disk_use, full_disk, require_room, unlinked_use
from podium.tasks.programs import ExecutorFault
from podium.tasks.tree_removal import remove_tree

MIB = 2**20


def write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))
        file.write(os.urandom(size % MIB))


def test_files_in_all_folders_count(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "inner").mkdir(parents=True)
    second.mkdir()
    write(first / "a", MIB)
    write(first / "inner/b", 2 * MIB)
    write(second / "c", 3 * MIB)
    found = disk_use([first, second, tmp_path / "nowhere"])
    assert 6 * MIB <= found.bytes < 6 * MIB + 64 * 1024
    assert (found.files, found.largest, found.uncounted) == (4, 3 * MIB, False)


def test_links_are_not_followed_and_names_of_one_file_count_once(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    write(outside / "big", 4 * MIB)
    (folder / "file").symlink_to(outside / "big")
    (folder / "folder").symlink_to(outside)
    (folder / "itself").symlink_to(folder)
    write(folder / "own", MIB)
    for number in range(10):
        os.link(folder / "own", folder / f"name-{number}")
    assert disk_use([folder]).bytes < 2 * MIB


def test_a_folder_that_is_a_link_itself_holds_nothing(tmp_path: Path) -> None:
    write(tmp_path / "big", MIB)
    (tmp_path / "link").symlink_to(tmp_path)
    assert disk_use([tmp_path / "link"]).bytes == 0


def test_holes_take_no_room_but_have_a_size(tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1024 * MIB)
    found = disk_use([tmp_path])
    assert found.bytes < MIB
    assert found.largest == 1024 * MIB


def test_pipes_and_the_like_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert disk_use([tmp_path]).files == 1


def test_counting_stops_at_too_many_files(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()
    assert not disk_use([tmp_path], most_files=50).uncounted
    found = disk_use([tmp_path], most_files=49)
    assert found.uncounted
    assert found.files == 50


def test_what_lies_too_deep_to_be_counted_is_too_much(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1000):  # deeper than a path can say
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert disk_use([tmp_path]).uncounted
    remove_tree(tmp_path / "d")  # pytest can't


def test_folders_that_are_closed_to_the_agent_are_counted_all_the_same(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    write(hidden / "big", MIB)
    hidden.chmod(0)
    assert disk_use([tmp_path]).bytes >= MIB


def test_files_without_a_name_are_found_through_who_has_them_open(tmp_path: Path) -> None:
    devices = frozenset({tmp_path.stat().st_dev})
    before = unlinked_use([os.getpid()], devices)
    write(tmp_path / "open", 2 * MIB)
    with (tmp_path / "open").open("rb"):
        (tmp_path / "open").unlink()
        assert unlinked_use([os.getpid()], devices) - before == 2 * MIB
    assert unlinked_use([os.getpid()], devices) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look at what another process has mapped")
def test_files_without_a_name_that_are_only_mapped_are_found_too(tmp_path: Path) -> None:
    devices = frozenset({tmp_path.stat().st_dev})
    before = unlinked_use([os.getpid()], devices)
    write(tmp_path / "mapped", 2 * MIB)
    with (tmp_path / "mapped").open("r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    (tmp_path / "mapped").unlink()
    assert unlinked_use([os.getpid()], devices) - before == 2 * MIB
    mapped.close()


Filesystem = namedtuple("Filesystem", "f_bavail f_frsize f_files f_favail")  # noqa: PYI024 -- as os.statvfs has it


@pytest.mark.parametrize(
    ("filesystem", "is_full"),
    [
        (Filesystem(10**6, 4096, 10**6, 10**5), False),
        (Filesystem(10, 4096, 10**6, 10**5), True),
        (Filesystem(10**6, 4096, 10**6, 3), True),
        (Filesystem(10**6, 4096, 0, 0), False),
    ],
)
def test_a_full_disk(tmp_path: Path, filesystem: Filesystem, *, is_full: bool) -> None:
    found = full_disk([tmp_path], statvfs=lambda _: filesystem)  # type: ignore[arg-type, return-value] -- a stand-in
    assert found == (tmp_path if is_full else None)


def test_an_agent_without_room_takes_no_work(tmp_path: Path) -> None:
    require_room(tmp_path, least_bytes=1)
    with pytest.raises(ExecutorFault, match=r"is full: less than 1024 TiB.*takes work again by itself"):
        require_room(tmp_path, least_bytes=2**50)


def test_watch_finds_too_much_without_making_anybody_wait(tmp_path: Path) -> None:
    watch = DiskWatch([tmp_path], most_bytes=MIB)
    assert not watch.exceeded()
    write(tmp_path / "big", 2 * MIB)
    began = time.monotonic()
    while not watch.exceeded():
        assert time.monotonic() < began + 60
        time.sleep(0.01)
    watch.close()
