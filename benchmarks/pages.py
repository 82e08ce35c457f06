"""How long the leaderboard's page takes to its first paint, for 1, 10 and 50 viewers at once, beside a plain page.

All are served by Streamlit, in turns, from processes of their own, over real websocket sessions: a viewer connects,
asks for the page as a browser does, and has it painted when the script's first run has ended and all its elements have
arrived. The plain page is the floor: a table of 200 rows and a chart, nothing else, with no file watcher; once with the
flags of Podium's pages, and once (`collecting`) with Streamlit's own way of collecting garbage after each run. Podium's
page asks a stand-in gateway in this process, which answers a board of 10,000 rows from memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from podium.dashboards.server import server_arguments
from podium.dashboards.settings import Settings
from podium.platform.bundles.content import Sorting, SubmissionRule
from podium.platform.client.conversion import record_to_json
from podium.platform.records.competitions import ColumnRecord, CompetitionRecord, CompetitionSummary, PhaseRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow

PLAIN = """\
import altair as alt
import pandas as pd
import streamlit as st
st.title("Leaderboard")
table = pd.DataFrame({"rank": range(1, 201), "who": [f"participant-{n}" for n in range(200)],
                      "score": [1 - n / 500 for n in range(200)], "loss": [n / 500 for n in range(200)]})
st.dataframe(table, hide_index=True)
st.altair_chart(alt.Chart(table).mark_line().encode(x="rank:Q", y="score:Q"))
"""


def answers() -> dict[str, bytes]:
    """What the stand-in gateway says, by path."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    columns = (
        ColumnRecord("accuracy", "Accuracy", Sorting.DESC, 4, is_primary=True, computation=None),
        ColumnRecord("loss", "Log loss", Sorting.ASC, 3, is_primary=False, computation=None),
    )
    phase = PhaseRecord(
        1,
        "Final",
        "",
        start,
        start + timedelta(days=3650),
        "open",
        5,
        100,
        600,
        only_result_submissions=False,
        tasks=(),
    )
    summary = CompetitionSummary(
        "bench", "Benchmark", "", "ada", published=True, phase="Final", deadline=phase.end, participants=10_000,
        submissions=90_000, reward=None, created=start,
    )  # fmt: skip
    competition = CompetitionRecord(
        summary=summary, terms="", terms_is_html=False, terms_sha256="0" * 64, registration_auto_approve=True,
        docker_image="", contact_email=None, phases=(phase,), pages=(), fact_sheet=(), columns=columns,
        leaderboard_title="Results", leaderboard_hidden=False, submission_rule=SubmissionRule.FORCE_BEST,
        participation=None, may_organize=False,
    )  # fmt: skip
    rows = tuple(
        LeaderboardRow(
            n, f"participant-{n}", UUID(int=n), 3, start + timedelta(minutes=n), (1 - n / 500, n / 500), {}, 9, place=n,
            previous_rank=n + 1, rank_change=1 if n % 7 == 0 else 0,
        )
        for n in range(1, 101)
    )  # fmt: skip
    board = LeaderboardRecord(
        "bench", "Benchmark", "Results", "Final", columns, (), rows, 10_000, start + timedelta(days=9), version="1"
    )
    said = {
        "/competitions": (summary,),
        "/competitions/bench": competition,
        "/competitions/bench/leaderboard": board,
        "/competitions/bench/leaderboard/history": (),
    }
    found = {path: json.dumps(record_to_json(record)).encode() for path, record in said.items()}
    found["/competitions/bench/leaderboard.json"] = json.dumps(record_to_json(replace(board, rows=rows))).encode()
    return found


@contextmanager
def stand_in_gateway() -> Iterator[str]:
    said = answers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = said[urlsplit(self.path).path.removeprefix("/api/v1")]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@contextmanager
def serve(command: list[str], port: int, folder: Path, **environment: str) -> Iterator[str]:
    """A Streamlit server of one's own."""
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address, deadline = f"127.0.0.1:{port}", time.monotonic() + 60
            while True:
                try:
                    httpx.get(f"http://{address}/_stcore/health", timeout=5).raise_for_status()
                    break
                except httpx.HTTPError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def plain_command(gateway: str, port: int) -> list[str]:
    """How the plain page is served: with the flags of Podium's pages."""
    flags = server_arguments(Settings(gateway, gateway, "", "127.0.0.1", port, upload_megabytes=100))
    return [sys.executable, "-m", "streamlit", "run", "plain.py", *flags]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def first_paint(address: str, query: str, page: str, sign: bytes) -> tuple[float, int]:
    """Seconds until a viewer has the page, and the bytes of it; `sign` must be among them, or it is another page."""
    began, size, is_there = time.perf_counter(), 0, False
    async with websockets.connect(
        f"ws://{address}/_stcore/stream", subprotocols=[websockets.Subprotocol("streamlit")], max_size=None,
        origin=websockets.Origin(f"http://{address}"),
    ) as session:  # fmt: skip
        ask = BackMsg()
        ask.rerun_script.query_string = query
        ask.rerun_script.page_name = page
        await session.send(ask.SerializeToString())
        while True:
            data = await asyncio.wait_for(session.recv(), 120)
            assert isinstance(data, bytes)
            size += len(data)
            is_there = is_there or sign in data
            message = ForwardMsg()
            message.ParseFromString(data)
            # Of any other message this field is the default, which is the very word for a good end.
            is_end = message.WhichOneof("type") == "script_finished"
            if is_end and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                assert is_there, "the page lacks what it is for"
                return time.perf_counter() - began, size


Page = tuple[str, str, str, bytes]
"""Address of its server, query, path, and what is in it."""


async def visit(viewers: int, page: Page) -> list[tuple[float, int]]:
    return list(await asyncio.gather(*(first_paint(*page) for _ in range(viewers))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 50])
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "plain.py").write_text(PLAIN)
        gateway = stack.enter_context(stand_in_gateway())
        ports = free_port(), free_port(), free_port()
        plain, collecting = (
            stack.enter_context(serve([*plain_command(gateway, port), *more], port, folder))
            for port, more in ((ports[0], ()), (ports[2], ("--runner.postScriptGC=true",)))
        )
        podium = stack.enter_context(
            serve(
                [sys.executable, "-m", "podium.dashboards"], ports[1], folder,
                PODIUM_GATEWAY=gateway, PODIUM_DASHBOARDS_PORT=str(ports[1]), PODIUM_DASHBOARDS_HOST="127.0.0.1",
            )
        )  # fmt: skip
        pages = {
            "collecting": (collecting, "", "", b"vega"),
            "plain": (plain, "", "", b"vega"),
            "leaderboard": (podium, "competition=bench", "leaderboard", b">participant-100<"),
        }
        for page in pages.values():
            for _ in range(3):  # what is loaded once is no viewer's cost
                asyncio.run(visit(2, page))
        print(f"load {os.getloadavg()[0]:.1f}, {chosen.rounds} rounds, seconds until all have the page (first / last)")
        for viewers in chosen.viewers:
            seconds: dict[str, list[float]] = {name: [] for name in pages}
            kept = {}
            for _ in range(chosen.rounds if viewers > 1 else 3 * chosen.rounds):
                for name, page in pages.items():
                    found = asyncio.run(visit(viewers, page))
                    seconds[name].append(max(second for second, _ in found))
                    kept[name] = found[0][1]
            medians = {name: statistics.median(all_of) for name, all_of in seconds.items()}
            ratios = (medians["leaderboard"] / medians[floor] for floor in ("collecting", "plain"))
            print(
                f"{viewers:3} viewers: "
                + ", ".join(f"{name} {median:.3f}" for name, median in medians.items())
                + ", leaderboard beside the two others "
                + ", ".join(f"{ratio:.2f}" for ratio in ratios)
                + "; kB a viewer: "
                + ", ".join(f"{name} {size / 1000:.0f}" for name, size in kept.items())
            )


if __name__ == "__main__":
    main()
