"""Public leaderboards behind nginx, with the lines that operators are given for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from world import HTTP, Known, RunningGateway, World, eventually

from podium.platform.supervisor.ports import free_port

GUIDE = Path(__file__).parents[3] / "docs" / "operators.md"
CONFIGURATION = """
{user}
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {outside}
    server {{
        listen 127.0.0.1:{port};
        add_header X-Cache $upstream_cache_status always;
        {inside}
    }}
}}
"""


def lines_of_the_guide(gateway: str, folder: Path) -> tuple[str, str]:
    """What stands outside of `server` and what inside, for this gateway and a folder of one's own."""
    section = GUIDE.read_text(encoding="utf-8").partition("### A crowd at a leaderboard")[2]
    block = re.search(r"```\n(proxy_cache_path.*?)```", section, re.DOTALL)
    assert block is not None
    lines = block[1].replace("http://127.0.0.1:8400", gateway).replace("/var/cache/nginx/podium", f"{folder}/cache")
    outside, _, inside = lines.partition("\n")
    assert gateway in inside
    assert str(folder) in outside
    return outside, inside


@pytest.fixture
def nginx(gateway: RunningGateway, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx in front of the gateway."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is missing: make machine"
    port = free_port()
    outside, inside = lines_of_the_guide(gateway.address, tmp_path)
    user = "user root;" if os.geteuid() == 0 else ""
    written = tmp_path / "nginx.conf"
    written.write_text(CONFIGURATION.format(user=user, folder=tmp_path, port=port, outside=outside, inside=inside))
    log = tmp_path / "error.log"
    server = subprocess.Popen([program, "-e", str(log), "-c", str(written)])
    try:
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert server.poll() is None, log.read_text()
            try:
                return HTTP.get(f"{address}/nothing").status_code == 404
            except httpx.TransportError:
                return False

        eventually(answers)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def test_a_crowd_is_served_from_the_cache_and_who_has_a_token_past_it(
    nginx: str, world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga)
    world.join(ada, slug)
    world.score(ada, slug, {"accuracy": 0.75})

    def get(form: str, **headers: str) -> tuple[str, httpx.Response]:
        address = f"{nginx}/api/v1/competitions/{slug}/leaderboard.{form}"
        answer = HTTP.get(address, headers={"Accept-Encoding": "gzip", **headers})
        return answer.headers["x-cache"], answer

    for form in ("html", "json", "csv"):
        (first, whole), (second, again) = get(form), get(form)
        assert (first, second) == ("MISS", "HIT")
        assert (whole.status_code, again.content) == (200, whole.content)
        assert whole.headers["content-encoding"] == "gzip"
        assert "ada" in whole.text
        hit, known = get(form, **{"If-None-Match": whole.headers["etag"]})
        assert (hit, known.status_code, known.content) == ("HIT", 304, b"")
        hit, unpacked = get(form, **{"Accept-Encoding": "identity"})
        assert (hit, unpacked.text) == ("HIT", whole.text)
        assert "content-encoding" not in unpacked.headers
        past, own = get(form, Authorization=f"Bearer {olga.token}")
        assert (past, own.headers["cache-control"]) == ("BYPASS", "private, no-store")
        assert get(form)[1].headers["etag"] == whole.headers["etag"]
    assert [get("csv?as_of=2026-01-01T00:00:00Z")[0] for _ in range(2)] == ["MISS", "MISS"]
