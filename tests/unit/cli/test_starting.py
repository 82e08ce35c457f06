"""The command line starts quickly, loads little, and behaves without a terminal."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podium.platform.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from podium.platform.errors import PodiumError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium, Samples

HEAVY = ["pydantic", "sqlalchemy", "prefect", "yaml", "fastapi", "docker", "httpx", "rich"]
PODIUM = [sys.executable, "-c", "from podium.platform.cli.app import main; main()"]
DOCS = Path(__file__).parents[3] / "docs" / "participants.md"


def environment(gateway: Gateway, config: Path, **more: str) -> dict[str, str]:
    return os.environ | {"PODIUM_CONFIG": str(config), "PODIUM_GATEWAY": gateway.url, "PODIUM_TOKEN": "t"} | more


def test_nothing_heavy_is_loaded():
    code = f"""
import sys
import podium.platform.cli.app as app
app.create_app()
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_help_is_quick():
    # Seconds of the processor, and the best of three: other tests run at the same time.
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*PODIUM, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 1.5


def test_help_says_every_exit_status():
    text = subprocess.check_output([*PODIUM, "--help"], text=True, env=os.environ | {"COLUMNS": "1000"})
    for code, meaning in MEANINGS.items():
        assert f"{code.value} {meaning}" in text
    assert set(MEANINGS) == set(ExitCode)


def test_the_documentation_says_every_exit_status():
    text = DOCS.read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {code.value} |" in text


def test_an_error_that_nobody_listed_is_a_fault():
    assert exit_code_of(PodiumError("?")) is ExitCode.FAULT


def test_without_a_terminal_there_are_no_colours_and_no_cut_ids(gateway: Gateway, config: Path, samples: type[Samples]):
    gateway.on("GET /competitions/iris/submissions", [samples.submission(message="x" * 200)])
    ran = subprocess.run(
        [*PODIUM, "submissions", "iris"],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(gateway, config, COLUMNS="40", FORCE_COLOR="1"),
    )
    assert samples.ID in ran.stdout
    assert "x" * 200 in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr


def test_a_terminal_that_lacks_a_character_gets_a_question_mark(gateway: Gateway, config: Path, samples: type[Samples]):
    gateway.on("GET /competitions/iris/leaderboard", samples.board(samples.row(1, "Zoë", 0.5)))
    ran = subprocess.run(
        [*PODIUM, "leaderboard", "iris"],
        check=True,
        capture_output=True,
        env=environment(gateway, config, PYTHONIOENCODING="latin-1"),
    )
    assert "Zoë" in ran.stdout.decode("latin-1")
    assert b"Accuracy ?" in ran.stdout


def test_an_interrupt_ends_with_130(gateway: Gateway, config: Path, samples: type[Samples]):
    gateway.on(f"GET /submissions/{samples.ID}/logs", {"pieces": [], "cursor": 0, "ended": False})
    process = subprocess.Popen(
        [*PODIUM, "logs", samples.ID, "--follow"],
        env=environment(gateway, config),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(gateway.calls) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_traceback(gateway: Gateway, config: Path, samples: type[Samples]):
    rows = [samples.submission(number=number, message="x" * 500) for number in range(500)]
    gateway.on("GET /competitions/iris/submissions", rows)
    command = " ".join(f"'{part}'" for part in PODIUM) + " submissions iris | head -1"
    ran = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment(gateway, config), check=True
    )
    assert "Traceback" not in ran.stderr
    assert ran.stdout.startswith("number")


@pytest.mark.parametrize("arguments", [["nonsense"], ["submit", "iris"], ["submissions", "--limit", "0"]])
def test_a_wrong_command_ends_with_2(arguments: list[str], config: Path):
    ran = subprocess.run([*PODIUM, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_a_missing_library_names_the_extra(tmp_path: Path, config: Path):
    code = """
import sys
sys.modules["yaml"] = None
from podium.platform.cli.app import main
sys.argv = ["podium", "bundle", "check", "."]
main()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 2
    assert "pip install 'podium[organizer]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_what_nobody_foresaw_is_a_short_message(podium: Podium, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise KeyError("boom")

    monkeypatch.setattr("podium.platform.cli.people.show_list", fail)
    monkeypatch.setattr("podium.platform.client.people.PeopleCalls.tokens", lambda _: ())
    ran = podium("token", "list")
    assert ran.code == 7
    assert "KeyError: 'boom'" in ran.err
    assert "PODIUM_DEBUG=1" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("PODIUM_DEBUG", "1")
    assert "Traceback" in podium("token", "list").err


def test_errors_are_json_where_json_is_asked_for(podium: Podium, gateway: Gateway):
    gateway.on("GET /competitions/iris", (404, "not-found", "There is no competition 'iris'."))
    ran = podium("competition", "show", "iris", "--json")
    assert ran.code == 5
    assert ran.out == ""
    assert json.loads(ran.err) == {
        "type": "not-found",
        "title": "There is no such thing",
        "detail": "There is no competition 'iris'.",
        "remedy": "Do this.",
        "exit_status": 5,
    }


@pytest.mark.parametrize(
    ("status", "type_", "code"),
    [
        (401, "not-authenticated", 3),
        (403, "not-allowed", 4),
        (404, "not-found", 5),
        (409, "conflict", 6),
        (429, "quota-exceeded", 6),
        (413, "too-large", 1),
        (422, "invalid-input", 2),
        (500, "platform-fault", 7),
        (409, "illegal-transition", 6),
    ],
)
def test_every_refusal_has_its_exit_status(podium: Podium, gateway: Gateway, status: int, type_: str, code: int):
    gateway.on("GET /me", (status, type_, "Because."))
    ran = podium("whoami")
    assert ran.code == code
    assert ran.out == ""
    assert ran.err.splitlines()[0].startswith("Error: ")
    assert ran.err.splitlines()[1:] == ["  Because.", "  Do this."]


def test_a_gateway_that_is_not_there_is_named(podium: Podium, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PODIUM_GATEWAY", "http://127.0.0.1:9")
    monkeypatch.setattr("podium.platform.client.retries.Patience.pauses", lambda _: iter(()))
    ran = podium("whoami")
    assert ran.code == 7
    assert "http://127.0.0.1:9" in ran.err
    assert "podium status" in ran.err


def test_the_version_is_shown(podium: Podium):
    ran = podium("--version")
    assert ran.code == 0
    assert ran.out.startswith("podium ")
