"""The entries of a network allow-list."""

from __future__ import annotations

import pytest

from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import BadDestination, parse_destination, relaxation_names


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("data.example", "data.example:443"),
        (" Data.example:80 ", "data.example:80"),
        ("data.example.:443", "data.example:443"),
        ("a-b.c_d.example:65535", "a-b.c_d.example:65535"),
        ("database:5432", "database:5432"),
        ("93.184.216.34", "93.184.216.34:443"),
        ("10.1.2.3:5432", "10.1.2.3:5432"),
        ("[2606:2800:220:1::1]:8443", "[2606:2800:220:1::1]:8443"),
        ("2606:2800:220:0001::1", "[2606:2800:220:1::1]:443"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example:443"),
    ],
)
def test_an_entry_is_written_in_one_way(text: str, written: str) -> None:
    destination = parse_destination(text)
    assert str(destination) == written
    assert parse_destination(str(destination)) == destination


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*.example.org:443", "wildcard"),
        ("https://example.org", "host and the port alone"),
        ("example.org/path", "host and the port alone"),
        ("ada@example.org:443", "names a user"),
        ("example.org:0", "from 1 to 65535"),
        ("example.org:65536", "from 1 to 65535"),
        ("example.org:https", "from 1 to 65535"),
        ("example.org:", "from 1 to 65535"),
        ("example.org:٤٤٣", "from 1 to 65535"),
        ("", "not the name"),
        (":443", "not the name"),
        ("bücher.example", "not the name"),
        ("exa mple.org", "not the name"),
        ("-x.example.org", "not the name"),
        (f"{'a' * 64}.org", "not the name"),
        (f"{'a.' * 127}org", "not the name"),
        ("2130706433:80", "not the name"),
        ("0x7f000001:80", "not the name"),
        ("127.1:80", "not the name"),
        ("localhost:8400", "agent's own host"),
        ("x.localhost", "agent's own host"),
        ("127.0.0.1:80", "no program may ever reach"),
        ("[::1]:80", "no program may ever reach"),
        ("0.0.0.0:80", "no program may ever reach"),
        ("169.254.169.254:80", "no program may ever reach"),
        ("[fe80::1]:80", "no program may ever reach"),
        ("224.0.0.1:80", "no program may ever reach"),
        ("255.255.255.255:80", "no program may ever reach"),
        ("[::ffff:127.0.0.1]:80", "no program may ever reach"),
        ("[64:ff9b::a9fe:a9fe]:80", "no program may ever reach"),
        ("[2002:7f00:1::]:80", "no program may ever reach"),
        ("[fe80::1%eth0]:80", "no program may ever reach"),
    ],
)
def test_what_can_not_be_allowed_says_why(text: str, why: str) -> None:
    with pytest.raises(BadDestination, match=why):
        parse_destination(text)


def test_names_of_relaxations_are_what_an_operator_allows() -> None:
    assert relaxation_names(Relaxations()) == ()
    assert relaxation_names(Relaxations(network=("data.example:443",))) == ("network",)
    assert relaxation_names(Relaxations(network=("data.example:443", "10.0.0.1:80"))) == ("network", "private_network")
    assert relaxation_names(Relaxations(network=("[fd00::1]:80",))) == ("network", "private_network")
    assert relaxation_names(Relaxations(network=("100.64.0.1:80",))) == ("network", "private_network")
    assert relaxation_names(Relaxations(root=True)) == ("root",)
