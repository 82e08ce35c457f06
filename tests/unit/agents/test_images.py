"""Parts of image making that need no engine."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from podium.agents.images import debian
from podium.agents.images.archive import ImageArchive
from podium.platform.errors import PodiumError

SHOWN = """\
ii \tpython3\t3.11\tpython3-minimal (= 3.11), \tpython3.11:any (>= 3.11~), libfoo | libbar\tpython3-profiler
ii \tpython3-minimal\t3.11\tdpkg (>= 1), libc6\t
ii \tpython3.11\t3.11\tlibc6 (>= 2), media-types | mime-support\t
ii \tlibbar\t1\t, virtual-thing\t
ii \tprovider\t1\t, \tvirtual-thing (= 1)
ii \tlibc6\t2\t, \t
ii \tmedia-types\t1\t, \t
rc \tlibfoo\t1\t, \t
ii \tdpkg\t1\ttar, \t
ii \tunrelated\t1\t, \t
""".replace("(= 3.11), \tpython", "(= 3.11), python")


def test_closure_takes_installed_alternatives_and_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_output", lambda command: "python3-minimal: x" if "--search" in command else SHOWN)
    names = [package.name for package in debian.closure(["python3"])]
    assert names == ["libbar", "libc6", "media-types", "provider", "python3", "python3-minimal", "python3.11"]


def test_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_output", lambda command: "python3-minimal: x" if "--search" in command else SHOWN)
    with pytest.raises(PodiumError, match="apt-get install libgomp1"):
        debian.closure(["python3", "libgomp1"])


def test_host_without_dpkg_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PodiumError, match="no /usr/bin/python3 from a Debian package"):
        debian.python_minor()


def test_only_reviewed_files_of_etc_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "/.\n/etc\n/etc/shadow\n/etc/debian_version\n/usr/share/doc/x\n/bin/sh\ndiverted by x to: /y\n"
    monkeypatch.setattr(debian, "_output", lambda command: listed)
    found = {str(path) for path in debian.files([debian.Package("x", "1", (), ())])}
    assert "/etc/debian_version" in found
    assert found <= {"/etc", "/etc/debian_version", "/bin/sh", "/usr/bin/sh"}


def test_archive_gives_everything_to_root_and_tidies_modes(tmp_path: Path) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    program = tmp_path / "tree" / "inner" / "program"
    program.write_text("x")
    program.chmod(0o4777)
    (tmp_path / "tree" / "secretive").write_text("y")
    (tmp_path / "tree" / "secretive").chmod(0o600)
    (tmp_path / "tree" / "link").symlink_to("secretive")
    os.mkfifo(tmp_path / "tree" / "pipe")
    with ImageArchive(tmp_path / "x.tar") as archive:
        archive.add_skeleton()
        archive.add_tree(tmp_path / "tree", "usr/local/site")
    with tarfile.open(tmp_path / "x.tar") as tar:
        members = {member.name: member for member in tar}
        assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
        assert members["usr/local/site/inner/program"].mode == 0o755
        assert members["usr/local/site/secretive"].mode == 0o644
        assert members["usr/local/site/link"].linkname == "secretive"
        assert "usr/local/site/pipe" not in members
        assert members["tmp"].mode == 0o1777
        assert members["usr/bin/python"].linkname == "python3"
        assert len(members) == len(tar.getnames())
