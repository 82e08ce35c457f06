"""Taking files out of folders that a hostile program wrote."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from podium.tasks.output_copies import copy_tree, read_file, zip_tree
from podium.tasks.output_rules import OutputLimits, OutputRefused
from podium.tasks.output_tree import open_files
from podium.tasks.tree_removal import remove_tree

LIMITS = OutputLimits()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def taken(tree: Path, tmp_path: Path, limits: OutputLimits = LIMITS) -> None:
    copy_tree(tree, tmp_path / "copy", limits)


def test_plain_files_are_copied_with_their_folders(tree: Path, tmp_path: Path) -> None:
    (tree / "scores.json").write_text('{"a": 1}')
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "deep" / "er" / "x é.bin").write_bytes(b"12345")
    (tree / "empty").mkdir()
    copied = copy_tree(tree, tmp_path / "copy", LIMITS)
    assert (copied.files, copied.bytes) == (2, 13)
    assert (tmp_path / "copy" / "deep" / "er" / "x é.bin").read_bytes() == b"12345"
    assert (tmp_path / "copy" / "empty").is_dir()


def test_zip_holds_the_same_and_says_its_digest(tree: Path, tmp_path: Path) -> None:
    (tree / "a.txt").write_text("hello")
    (tree / "folder").mkdir()
    (tree / "folder" / "b.txt").write_text("there")
    os.utime(tree / "a.txt", (0, 0))  # 1970, which a zip archive can't say
    target = tmp_path / "out.zip"
    size, sha256 = zip_tree(tree, target, LIMITS)
    assert size == target.stat().st_size
    assert sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "folder/", "folder/b.txt"]
        assert archive.read("folder/b.txt") == b"there"


def test_refused_zip_leaves_no_half_archive(tree: Path, tmp_path: Path) -> None:
    (tree / "a").write_text("x")
    (tree / "b").symlink_to("/etc/passwd")
    with pytest.raises(OutputRefused):
        zip_tree(tree, tmp_path / "out.zip", LIMITS)
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "/nowhere", "inside"])
def test_symbolic_links_are_refused_by_name(tree: Path, tmp_path: Path, target: str) -> None:
    (tree / "inside").write_text("x")
    (tree / "link").symlink_to(target)
    with pytest.raises(OutputRefused, match="`link` is refused: it is a symbolic link"):
        taken(tree, tmp_path)


def test_links_to_folders_are_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "etc").symlink_to("/etc", target_is_directory=True)
    with pytest.raises(OutputRefused, match="symbolic link"):
        taken(tree, tmp_path)


def test_tree_that_is_itself_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc", target_is_directory=True)
    with pytest.raises(NotADirectoryError):
        taken(tmp_path / "link", tmp_path)


@pytest.mark.timeout(10)
def test_named_pipe_is_refused_without_waiting_for_a_writer(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(OutputRefused, match="`pipe` is refused: it is a named pipe"):
        taken(tree, tmp_path)
    with pytest.raises(OutputRefused, match="named pipe"):
        read_file(tree, "pipe", 10)


def test_socket_is_refused(tree: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "s"))
        with pytest.raises(OutputRefused, match="it is a socket"):
            taken(tree, tmp_path)


def test_device_is_refused(tree: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can make a device")
    os.mknod(tree / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    with pytest.raises(OutputRefused, match="it is a device"):
        taken(tree, tmp_path)


def test_hard_link_is_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    os.link(tmp_path / "secret", tree / "mine")
    with pytest.raises(OutputRefused, match="it is a hard link"):
        taken(tree, tmp_path)


def test_deep_nesting_is_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "a" / "b" / "c").mkdir(parents=True)
    with pytest.raises(OutputRefused, match="`a/b/c` is refused: folders lie more than 2 deep"):
        taken(tree, tmp_path, OutputLimits(depth=2))


def test_too_many_names_are_refused_before_they_are_all_read(tree: Path, tmp_path: Path) -> None:
    for number in range(12):
        (tree / f"f{number}").touch()
    with pytest.raises(OutputRefused, match="more than 10 files") as refused:
        taken(tree, tmp_path, OutputLimits(files=10))
    assert refused.value.limit == "output_files"


def test_too_many_bytes_are_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "a").write_bytes(b"x" * 60)
    (tree / "b").write_bytes(b"x" * 60)
    with pytest.raises(OutputRefused, match="more than 100 bytes") as refused:
        taken(tree, tmp_path, OutputLimits(bytes=100))
    assert refused.value.limit == "output_bytes"


def test_sparse_giant_is_refused_by_its_size(tree: Path, tmp_path: Path) -> None:
    with (tree / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(OutputRefused, match="bytes"):
        taken(tree, tmp_path)


@pytest.mark.parametrize(
    "name",
    [b"new\nline", b"\x1b[31m", b"not-utf8-\xff", b"right\xe2\x80\xaeleft", b"line\xe2\x80\xa8end", b"back\\slash"],
)
def test_names_that_deceive_are_refused_and_shown_harmless(tree: Path, tmp_path: Path, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(tree) + b"/" + name))).touch()
    with pytest.raises(OutputRefused, match="its name has control characters") as refused:
        taken(tree, tmp_path)
    assert str(refused.value).isprintable()
    str(refused.value).encode()


def test_long_names_are_refused(tree: Path, tmp_path: Path) -> None:
    (tree / ("n" * 50)).touch()
    with pytest.raises(OutputRefused, match="longer than 40 bytes"):
        taken(tree, tmp_path, OutputLimits(name_bytes=40))


def test_file_that_grows_is_taken_at_the_size_it_was_opened_with(tree: Path) -> None:
    (tree / "log").write_bytes(b"12345")
    for file in open_files(tree, LIMITS):
        with (tree / "log").open("ab") as log:
            log.write(b"6789")
        assert file.size == 5


def test_file_swapped_for_a_link_after_listing_is_refused(tree: Path) -> None:
    (tree / "a").touch()
    (tree / "b").touch()
    files = open_files(tree, LIMITS)
    assert next(files).name == "a"
    (tree / "b").unlink()
    (tree / "b").symlink_to("/etc/passwd")
    with pytest.raises(OutputRefused, match="`b` is refused: it is a symbolic link"):
        next(files)


def test_folder_swapped_for_a_link_while_walking_never_leads_out(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (tree / "f").mkdir()
    (tree / "f" / "plain").write_text("plain")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (tree / "f").rename(tree.parent / "aside")
            (tree / "f").symlink_to(outside)
            (tree / "f").unlink()
            (tree.parent / "aside").rename(tree / "f")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(500):
            try:
                names = [file.name for file in open_files(tree, LIMITS)]
            except OutputRefused:
                continue
            assert "f/secret" not in names
    finally:
        done.set()
        swapper.join()


def test_read_file_gives_contents_or_none(tree: Path) -> None:
    (tree / "sub").mkdir()
    (tree / "sub" / "scores.json").write_text("{}")
    assert read_file(tree, "sub/scores.json", 10) == b"{}"
    assert read_file(tree, "scores.json", 10) is None
    assert read_file(tree, "other/scores.json", 10) is None


def test_read_file_refuses_links_on_the_way_and_at_the_end(tree: Path) -> None:
    (tree / "etc").symlink_to("/etc")
    (tree / "scores.json").symlink_to("/etc/passwd")
    for name in ("etc/passwd", "scores.json"):
        with pytest.raises(OutputRefused, match="symbolic link"):
            read_file(tree, name, 10_000)


def test_read_file_refuses_folders_and_large_files(tree: Path) -> None:
    (tree / "scores.json").mkdir()
    (tree / "big").write_bytes(b"x" * 11)
    with pytest.raises(OutputRefused, match="not a plain file"):
        read_file(tree, "scores.json", 10)
    with pytest.raises(OutputRefused, match="more than 10 bytes"):
        read_file(tree, "big", 10)


def test_a_path_that_no_host_could_make_again_is_refused_and_is_no_trouble_of_the_host(
    tree: Path, tmp_path: Path
) -> None:
    folder = os.open(tree, os.O_RDONLY)
    for _ in range(25):  # more bytes than a path may have when it is opened by its name
        os.mkdir("n" * 250, dir_fd=folder)
        inner = os.open("n" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    with pytest.raises(OutputRefused, match="its path is longer than 1024 bytes"):
        taken(tree, tmp_path)


def test_no_bit_of_a_mode_gets_past_the_host(tree: Path, tmp_path: Path) -> None:
    (tree / "tool").write_text("x")
    (tree / "tool").chmod(0o6777)
    (tree / "folder").mkdir()
    (tree / "folder").chmod(0o7777)
    taken(tree, tmp_path)
    assert stat.S_IMODE((tmp_path / "copy" / "tool").stat().st_mode) & 0o7133 == 0
    assert stat.S_IMODE((tmp_path / "copy" / "folder").stat().st_mode) & 0o7022 == 0
    zip_tree(tree, tmp_path / "out.zip", LIMITS)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.getinfo("tool").external_attr >> 16 == stat.S_IFREG | 0o644


def test_sparse_file_counts_with_its_whole_size_in_the_sum(tree: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        with (tree / name).open("wb") as sparse:
            sparse.truncate(600)
    with pytest.raises(OutputRefused, match="`b` is refused: with it, the output has more than 1000 bytes"):
        taken(tree, tmp_path, OutputLimits(bytes=1000))


def test_names_that_differ_by_case_alone_are_both_taken(tree: Path, tmp_path: Path) -> None:
    (tree / "Scores.json").write_text("1")
    (tree / "scores.json").write_text("2")
    zip_tree(tree, tmp_path / "out.zip", LIMITS)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"Scores.json": b"1", "scores.json": b"2"}


def test_file_that_becomes_shorter_is_refused(tree: Path) -> None:
    (tree / "a").write_bytes(b"12345")
    files = open_files(tree, LIMITS)
    file = next(files)
    os.truncate(tree / "a", 2)
    with pytest.raises(OutputRefused, match="`a` is refused: it became shorter"):
        list(file.pieces())


def test_folders_count_as_names(tree: Path, tmp_path: Path) -> None:
    for number in range(11):
        (tree / f"d{number}").mkdir()
    with pytest.raises(OutputRefused, match="more than 10 files and folders"):
        taken(tree, tmp_path, OutputLimits(files=10))


def test_remove_tree_follows_no_link(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (tree / "link").symlink_to(outside)
    (tree / "folder").mkdir()
    (tree / "folder" / "link").symlink_to(outside)
    os.mkfifo(tree / "folder" / "pipe")
    remove_tree(tree)
    assert not tree.exists()
    assert (outside / "kept").exists()


def test_remove_tree_of_a_link_removes_the_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    remove_tree(tmp_path / "link")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "outside" / "kept").exists()
    remove_tree(tmp_path / "never-there")


def test_remove_tree_survives_folders_deeper_than_recursion_goes(tree: Path) -> None:
    (tree / "wide").mkdir()
    for number in range(2500):
        (tree / "wide" / str(number)).touch()
    folder = os.open(tree, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    remove_tree(tree)
    assert not tree.exists()


def test_remove_tree_opens_folders_that_were_closed(tree: Path) -> None:
    (tree / "closed" / "inner").mkdir(parents=True)
    (tree / "closed" / "inner" / "x").touch()
    (tree / "closed" / "inner").chmod(0)
    (tree / "closed").chmod(0)
    remove_tree(tree)
    assert not tree.exists()
