"""Which port a part gets."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from podium.platform.errors import InvalidInput
from podium.platform.supervisor.ports import PortTaken, choose_port, free_port, is_free, port_holder


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    port = free_port()
    assert choose_port("gateway", preferred=port) == port


def test_the_next_free_one_is_taken_when_the_preferred_is_not(taken_port: int) -> None:
    port = choose_port("gateway", preferred=taken_port)
    assert port > taken_port
    assert is_free(port)


def test_last_times_port_is_taken_again() -> None:
    remembered = free_port()
    assert choose_port("gateway", remembered=remembered, preferred=1024) == remembered


def test_last_times_port_is_given_up_when_another_program_has_it(taken_port: int) -> None:
    preferred = free_port()
    assert choose_port("gateway", remembered=taken_port, preferred=preferred) == preferred


def test_two_parts_never_get_the_same_port() -> None:
    port = free_port()
    assert choose_port("dashboards", preferred=port, taken={port}) != port


def test_two_podiums_that_start_together_never_get_the_same_port() -> None:
    port = free_port()
    code = (
        "import sys; from podium.platform.supervisor.ports import choose_port\n"
        f"print(choose_port('gateway', preferred={port}), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert int(other.stdout.readline()) == port
        # Nobody listens on it yet.
        assert is_free(port)
        assert choose_port("gateway", preferred=port) != port
        with pytest.raises(PortTaken):
            choose_port("gateway", asked=port, preferred=port)
        other.communicate()
    assert choose_port("gateway", preferred=port) == port


def test_a_port_that_was_asked_for_is_refused_by_name_when_it_is_taken(taken_port: int) -> None:
    with pytest.raises(PortTaken) as refused:
        choose_port("gateway", asked=taken_port, preferred=8400)
    assert f"(pid {os.getpid()})" in refused.value.detail
    assert "--gateway-port" in refused.value.remedy


def test_a_port_that_was_asked_for_is_refused_when_another_part_has_it() -> None:
    port = free_port()
    with pytest.raises(PortTaken, match="another part of Podium"):
        choose_port("gateway", asked=port, preferred=8400, taken={port})


def test_the_holder_of_a_port_is_named(taken_port: int) -> None:
    assert str(os.getpid()) in port_holder(taken_port)
    assert port_holder(free_port()) == "another program"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidInput, match=re.escape("192.0.2.1")):
        choose_port("gateway", preferred=8400, host="192.0.2.1")
