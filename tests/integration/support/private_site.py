"""A site at a private address of this host: outside of all containers, and not on loopback's own address."""

from __future__ import annotations

import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site(BaseHTTPRequestHandler):
    """A site that can be told from all others."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the site")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def private_address(second: int) -> Iterator[str]:
    """A private address of this host for as long as the block runs; whoever runs beside takes another `second`."""
    address = f"10.{second}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    yield address
    subprocess.run(["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)


@contextmanager
def serving_site(address: str) -> Iterator[str]:
    """Serve the site at an address of this host; its `host:port`."""
    server = ThreadingHTTPServer((address, 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{address}:{server.server_port}"
    server.shutdown()
    server.server_close()
