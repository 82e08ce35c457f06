"""A small program in the place of a part: `stand_in.py step|web|agent well|fails|stubborn|troubled PORT`."""

from __future__ import annotations

import http.server
import json
import signal
import sys
import time
from pathlib import Path


class Well(http.server.BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def main(kind: str, how: str, port: int) -> None:
    print(f"a stand-in: {kind}, {how}", flush=True)
    if how == "fails":
        print("something is wrong with the drains", flush=True)
        sys.exit(3)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "web":
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Well).serve_forever()
    while kind == "agent":
        state = "trouble" if how == "troubled" else "ready"
        # Whole or not at all, as a real agent does it: it may be read at any moment.
        Path("health.new").write_text(json.dumps({"state": state, "detail": "no engine" if how == "troubled" else ""}))
        Path("health.new").replace("health")
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
