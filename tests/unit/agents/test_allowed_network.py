"""The allow-list: names, the addresses that they lead to, and the proxy that keeps it."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from podium.agents.executors.allow_proxy import AllowProxy, Caps
from podium.agents.executors.allowed_network import AllowList, Refused
from podium.platform.bundles.destinations import Destination, parse_destination


def listing(*texts: str, private: bool = False, leads_to: tuple[str, ...] = ("93.184.216.34",)) -> AllowList:
    return AllowList(frozenset(map(parse_destination, texts)), private=private, resolve=lambda *_: leads_to)


def test_only_entries_are_wanted_by_host_and_port() -> None:
    allowed = listing("data.example:443", "[2606:2800:220:1::1]:443")
    assert allowed.wanted("Data.example", 443) == Destination("data.example", 443)
    assert allowed.wanted("2606:2800:220:1::1", 443).port == 443
    for host, port in (
        ("data.example", 80),
        ("x.data.example", 443),
        ("data.example.evil.example", 443),
        ("93.184.216.34", 443),
    ):
        with pytest.raises(Refused, match="not on the competition's allow-list"):
            allowed.wanted(host, port)
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "::1", "*"):
        with pytest.raises(Refused):
            allowed.wanted(host, 443)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%2", "fd00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "nonsense",
    ],
)  # fmt: skip
@pytest.mark.parametrize("private", [True, False])
def test_a_name_never_leads_inside(address: str, *, private: bool) -> None:
    allowed = listing("evil.example", leads_to=(address,), private=private)
    with pytest.raises(Refused, match="its name leads to"):
        allowed.addresses(Destination("evil.example", 443))


def test_of_several_addresses_only_those_outside_are_taken() -> None:
    allowed = listing("a.example", leads_to=("10.0.0.1", "93.184.216.34", "::1", "2606:2800:220:1::1"))
    assert allowed.addresses(Destination("a.example", 443)) == ["93.184.216.34", "2606:2800:220:1::1"]


def test_a_private_address_needs_the_organizers_word_and_the_operators() -> None:
    entry = Destination("10.0.0.7", 5432)
    assert listing("10.0.0.7:5432", private=True).addresses(entry) == ["10.0.0.7"]
    with pytest.raises(Refused, match="operator does not allow"):
        listing("10.0.0.7:5432").addresses(entry)
    loopback = AllowList(frozenset({Destination("127.0.0.1", 80)}), private=True)
    with pytest.raises(Refused):  # not even if an entry got past the parser
        loopback.addresses(Destination("127.0.0.1", 80))


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    allowed = AllowList(frozenset({Destination("a.example", 80)}), resolve=lambda *_: next(answers))
    asked: list[object] = []

    def connect(address: object, *_: object) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        allowed.connect(Destination("a.example", 80))
    assert asked == [("93.184.216.34", 80)]


def test_a_public_address_of_the_agents_own_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(socket.socket):
        def getsockname(self) -> tuple[str, int]:
            return ("93.184.216.34", 4000)

        def getpeername(self) -> tuple[str, int]:
            return ("93.184.216.34", 80)

    own = Own()
    monkeypatch.setattr(socket, "create_connection", lambda *_: own)
    with pytest.raises(Refused, match="agent's own host"):
        listing("a.example:80").connect(Destination("a.example", 80))
    assert own.fileno() == -1


@dataclass(frozen=True, slots=True)
class To(AllowList):
    """Leads every entry to one port of this test."""

    port: int = 0

    def connect(self, destination: Destination) -> socket.socket:
        if destination.host == "gone.example":
            raise ConnectionRefusedError(111, "Connection refused")
        return socket.create_connection(("127.0.0.1", self.port), 5)


class Site(BaseHTTPRequestHandler):
    """A small site, which says what it was asked."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host']} {self.headers.get('Proxy-Authorization')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def site() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def proxied(site: int, *texts: str, caps: Caps | None = None) -> Iterator[tuple[AllowProxy, int]]:
    allowed = To(frozenset(map(parse_destination, texts)), port=site)
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = AllowProxy(listener, allowed, caps)
    proxy.start()
    try:
        yield proxy, listener.getsockname()[1]
    finally:
        proxy.close()


def talk(port: int, request: bytes, *, more: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        answer = connection.recv(4096)
        if more:
            connection.sendall(more)
            while piece := connection.recv(65536):
                answer += piece
        return answer


def test_plain_requests_go_through_and_are_counted(site: int) -> None:
    with proxied(site, "a.example:80") as (proxy, port):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port}"}))
        assert opener.open("http://a.example/x?y=1", timeout=10).read() == b"/x?y=1 a.example None"
        assert opener.open("http://a.example/", data=b"body" * 50_000, timeout=10).read() == b"body" * 50_000
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open("http://b.example/", timeout=10)
        assert refused.value.code == 403
        assert b"not on the competition's allow-list" in refused.value.read()
        assert proxy.summary() == "2 connections to a.example:80, 1 refused to b.example:80"


def test_tunnels_carry_whatever_they_are_given(site: int) -> None:
    with proxied(site, "a.example:443") as (proxy, port):
        request = b"GET /t HTTP/1.0\r\nHost: a.example\r\n\r\n"
        answer = talk(port, b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", more=request)
        assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.0 200")
        assert answer.endswith(b"/t a.example None")
        assert b" 403 " in talk(port, b"CONNECT a.example:22 HTTP/1.1\r\n\r\n")
        assert proxy.summary() == "1 connection to a.example:443, 1 refused to a.example:22"


def test_a_second_request_on_the_same_connection_is_not_passed_on(site: int) -> None:
    two = b"GET http://a.example/1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: x\r\nConnection: keep-alive\r\n\r\n"
    with proxied(site, "a.example:80") as (_, port):
        answer = talk(port, two, more=b"GET http://b.example/2 HTTP/1.1\r\nHost: b\r\n\r\n")
    assert answer.count(b"HTTP/1.0 200") == 1
    assert b"/1 a None" in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET https://a.example/ HTTP/1.1\r\n\r\n",
        b"GET ftp://a.example/ HTTP/1.1\r\n\r\n",
        b"CONNECT a.example HTTP/1.1\r\n\r\n",
        b"CONNECT a.example:443/x HTTP/1.1\r\n\r\n",
        b"CONNECT a.example:99999 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\r\n\r\n",
        b"GET http://[x HTTP/1.1\r\n\r\n",
        b"GET http://a.example/ HTTP/1.1" + b"x" * 20_000,
    ],
)
def test_what_is_no_request_for_a_proxy_is_told_so(site: int, request_: bytes) -> None:
    with proxied(site, "a.example:80") as (proxy, port):
        assert talk(port, request_).startswith(b"HTTP/1.1 4")
        assert proxy.summary() == ""


def test_what_can_not_be_reached_is_told_and_noted(site: int) -> None:
    with proxied(site, "gone.example:443") as (proxy, port):
        assert b" 502 podium: gone.example:443 could not be reached: Connection refused." in talk(
            port, b"CONNECT gone.example:443 HTTP/1.1\r\n\r\n"
        )
        assert proxy.summary() == "1 failed to gone.example:443"


def test_names_that_a_program_makes_up_do_not_get_into_the_log_as_they_are(site: int) -> None:
    with proxied(site) as (proxy, port):
        for number in range(30):
            talk(port, f"CONNECT h{number}.\x1bc:1 HTTP/1.1\r\n\r\n".encode())
        assert "\x1b" not in proxy.summary()
        assert "20 refused to others" in proxy.summary()


def test_bytes_and_connections_have_caps(site: int) -> None:
    with proxied(site, "a.example:443", caps=Caps(connections=1, bytes=1000)) as (proxy, port):
        with socket.create_connection(("127.0.0.1", port), 10) as first:
            first.sendall(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
            assert b"200" in first.recv(1000)
            assert b" 503 podium: more than 1 connections at once." in talk(port, b"")
            first.sendall(b"x" * 2000)
            assert first.recv(1000) == b""
        assert "the rest was cut off after 1000 bytes" in proxy.summary()


def test_an_idle_connection_is_ended(site: int) -> None:
    with proxied(site, "a.example:443", caps=Caps(idle_seconds=0.2)) as (_, port):
        assert talk(port, b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", more=b"G").endswith(b"established\r\n\r\n")


def test_everything_ends_with_the_program(site: int) -> None:
    with proxied(site, "a.example:443") as (_, port):
        connection = socket.create_connection(("127.0.0.1", port), 10)
        connection.sendall(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
        assert b"200" in connection.recv(1000)
    assert connection.recv(1000) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
