"""Large bodies come whole, whatever is between, and what has come is given when the connection breaks."""

from __future__ import annotations

import ipaddress
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from podium.platform.large_bodies import PIECE_BYTES, large_pieces

CONTENT = os.urandom(3 * PIECE_BYTES + 12345)


class _Handler(BaseHTTPRequestHandler):
    """`/SIZE` is so much of the content; what follows a `?` says how it comes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, how = self.path.partition("?")
        body = CONTENT[: int(path.rpartition("/")[2])]
        self.send_response(200)
        if how == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how in {"breaks", "silent"}:
            self.wfile.write(body[: 2 * PIECE_BYTES])
            self.close_connection = True
            if how == "silent":
                time.sleep(1)
        else:
            self.wfile.write(body)

    def do_CONNECT(self) -> None:
        """As a proxy, pass on what goes either way."""
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            ways = {self.connection: other, other: self.connection}
            while True:
                held = isinstance(self.connection, ssl.SSLSocket) and self.connection.pending()
                for ready in [self.connection] if held else select.select(list(ways), [], [])[0]:
                    if not (data := ready.recv(1 << 16)):
                        self.close_connection = True
                        return
                    ways[ready].sendall(data)


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a cut connection is no news
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def plain() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5) as client:
        yield client


def received(http: httpx.Client, url: str) -> list[bytes]:
    with http.stream("GET", url) as answer:
        return [bytes(piece) for piece in large_pieces(answer)]


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES, len(CONTENT)])
def test_a_body_of_any_size_is_whole(http: httpx.Client, plain: str, size: int):
    for _ in range(2):
        assert b"".join(received(http, f"{plain}/{size}")) == CONTENT[:size]


def test_a_large_one_comes_in_large_pieces(http: httpx.Client, plain: str):
    assert len(received(http, f"{plain}/{len(CONTENT)}")) < len(CONTENT) / (1 << 17)


def test_one_whose_length_is_not_said_comes_too(http: httpx.Client, plain: str):
    assert b"".join(received(http, f"{plain}/{len(CONTENT)}?chunked")) == CONTENT


@pytest.mark.parametrize(("how", "fault"), [("breaks", httpx.TransportError), ("silent", httpx.ReadTimeout)])
def test_what_has_come_is_given_before_the_connection_is_said_to_have_broken(
    plain: str, how: str, fault: type[httpx.TransportError]
):
    came: list[bytes] = []
    with httpx.Client(timeout=0.3) as http, http.stream("GET", f"{plain}/{len(CONTENT)}?{how}") as answer:
        pieces = large_pieces(answer)
        with pytest.raises(fault):
            came.extend(bytes(piece) for piece in pieces)
    assert b"".join(came) == CONTENT[: 2 * PIECE_BYTES]


def test_a_piece_holds_until_the_next_but_one(http: httpx.Client, plain: str):
    with http.stream("GET", f"{plain}/{len(CONTENT)}") as answer:
        before, parts = b"", []
        for piece in large_pieces(answer):
            parts.append(bytes(before))
            before = piece
        parts.append(bytes(before))
    assert b"".join(parts) == CONTENT


@pytest.mark.parametrize("between", ["nothing", "a proxy", "a proxy over TLS"])
@pytest.mark.parametrize("target", ["http", "https"])
def test_over_tls_and_proxies(certificate: Path, between: str, target: str):
    trusted = ssl.create_default_context(cafile=str(certificate))
    with ExitStack() as stack:
        address = stack.enter_context(serving(certificate if target == "https" else None))
        proxy = None
        if between != "nothing":
            proxy_address = stack.enter_context(serving(certificate if between == "a proxy over TLS" else None))
            proxy = httpx.Proxy(proxy_address, ssl_context=trusted if between == "a proxy over TLS" else None)
        http = stack.enter_context(httpx.Client(timeout=5, verify=trusted, proxy=proxy))
        assert b"".join(received(http, f"{address}/{len(CONTENT)}")) == CONTENT


def test_a_certificate_that_is_not_trusted_is_refused(certificate: Path, http: httpx.Client):
    with serving(certificate) as address, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        received(http, f"{address}/{len(CONTENT)}")
