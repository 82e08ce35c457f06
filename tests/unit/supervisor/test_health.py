"""How a part shows that it is well."""

from __future__ import annotations

import http.server
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podium.platform.supervisor.health import (
    AliveHealth,
    FileHealth,
    HealthCheck,
    HttpHealth,
    PostgresHealth,
    health_as_data,
    health_from_data,
)
from podium.platform.supervisor.ports import free_port


@pytest.fixture
def answering() -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/well" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_that_answers_200_is_well(answering: str) -> None:
    assert HttpHealth(f"{answering}/well").check().well


def test_another_answer_is_named(answering: str) -> None:
    health = HttpHealth(f"{answering}/other").check()
    assert not health.up
    assert "503" in health.trouble


def test_no_answer_is_named_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch, answering: str) -> None:
    monkeypatch.setenv("http_proxy", answering)
    health = HttpHealth(f"http://127.0.0.1:{free_port()}/well").check()
    assert not health.up
    assert "does not answer" in health.trouble


def test_a_fresh_file_is_believed(tmp_path: Path) -> None:
    file = tmp_path / "health"
    check = FileHealth(str(file))
    assert not check.check().up
    file.write_text(json.dumps({"state": "ready", "detail": ""}))
    assert check.check().well


def test_a_part_in_trouble_is_up_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "health"
    file.write_text(json.dumps({"state": "trouble", "detail": "Docker's engine does not answer"}))
    health = FileHealth(str(file)).check()
    assert health.up
    assert not health.well
    assert health.trouble == "Docker's engine does not answer"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"state": 3}'])
def test_a_file_with_nonsense_is_not_well(tmp_path: Path, text: str) -> None:
    (tmp_path / "health").write_text(text)
    assert not FileHealth(str(tmp_path / "health")).check().well


def test_an_old_file_is_not_believed_and_is_forgotten_before_a_start(tmp_path: Path) -> None:
    file = tmp_path / "health"
    file.write_text(json.dumps({"state": "ready"}))
    os.utime(file, (time.time() - 21, time.time() - 21))
    check = FileHealth(str(file))
    assert not check.check().up
    check.forget()
    assert not file.exists()
    check.forget()


@pytest.mark.parametrize(
    "check", [HttpHealth("http://127.0.0.1:1/"), FileHealth("/x", 3), PostgresHealth("/x", 5432), AliveHealth()]
)
def test_a_check_can_be_written_down(check: HealthCheck) -> None:
    assert health_from_data(json.loads(json.dumps(health_as_data(check)))) == check


@pytest.mark.parametrize("data", [{}, {"kind": "astrology"}, {"kind": "http"}, {"kind": "http", "url": "x", "more": 1}])
def test_a_check_that_cannot_be_read_asks_nothing(data: dict[str, Any]) -> None:
    assert health_from_data(data) == AliveHealth()
