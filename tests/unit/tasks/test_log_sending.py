"""Log lines on their way to a gateway that is a stand-in."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest

from podium.platform.errors import PlatformFault
from podium.platform.gateway.access import ACCESS
from podium.platform.jobs import LogChunk, LogChunks, LogStream
from podium.tasks import log_sending
from podium.tasks.gateway import GatewayRefused
from podium.tasks.log_sending import CUT_MARK, DROPPED_MARK, LogSender

OUT, ERR = LogStream.SCORING_STDOUT, LogStream.SCORING_STDERR
EVALUATION = uuid4()


class StandInGateway:
    """Takes log lines; can be away for a number of calls."""

    def __init__(self, away: int = 0) -> None:
        self.sent: list[LogChunks] = []
        self.away = away
        self.refuses = 0

    def append_logs(self, attempt_id: UUID, chunks: LogChunks, *, patience: float) -> None:
        if self.away:
            self.away -= 1
            raise PlatformFault("The gateway can't be reached.")
        if self.refuses:
            self.refuses -= 1
            raise GatewayRefused("This attempt is over.")
        self.sent.append(chunks)

    @property
    def chunks(self) -> list[LogChunk]:
        return [chunk for chunks in self.sent for chunk in chunks.chunks]

    def text(self, stream: LogStream, evaluation: UUID = EVALUATION) -> str:
        """The text of a stream, put together by the offsets as a reader would."""
        text = ""
        for chunk in self.chunks:
            if (chunk.evaluation_id, chunk.stream) == (evaluation, stream):
                assert len(text) == chunk.offset
                text += chunk.text
        return text


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def sender(gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch) -> LogSender:
    monkeypatch.setattr(log_sending, "GATHER_SECONDS", 0.01)
    return LogSender(gateway, uuid4())  # type: ignore[arg-type]  # the part of the client that it needs


def test_each_stream_of_each_evaluation_has_its_own_offsets(sender: LogSender, gateway: StandInGateway) -> None:
    other = uuid4()
    sender.write(EVALUATION, OUT, b"one\n")
    sender.write(EVALUATION, ERR, b"warning\n")
    sender.write(other, OUT, b"elsewhere\n")
    sender.write(EVALUATION, OUT, b"two\n")
    sender.close()
    assert gateway.text(OUT) == "one\ntwo\n"
    assert gateway.text(ERR) == "warning\n"
    assert gateway.text(OUT, other) == "elsewhere\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_character_that_is_cut_in_two_waits_for_its_rest(
    sender: LogSender, gateway: StandInGateway, size: int
) -> None:
    text = "größer 日本 🏆\n"
    data = text.encode()
    for start in range(0, len(data), size):
        sender.write(EVALUATION, OUT, data[start : start + size])
    sender.close()
    assert text == gateway.text(OUT)


def test_bytes_that_are_no_text_are_marked(sender: LogSender, gateway: StandInGateway) -> None:
    sender.write(EVALUATION, OUT, b"a\xffb\n\xf0\x9f")
    sender.close()
    assert gateway.text(OUT) == "a\N{REPLACEMENT CHARACTER}b\n\N{REPLACEMENT CHARACTER}"


def test_the_platform_adds_lines_of_its_own(sender: LogSender, gateway: StandInGateway) -> None:
    sender.write(EVALUATION, OUT, b"one\n")
    sender.note(EVALUATION, OUT, "[podium: cut]")
    sender.close()
    assert gateway.text(OUT) == "one\n[podium: cut]\n"


def test_long_text_is_cut_into_chunks(
    sender: LogSender, gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sending, "CHUNK_CHARACTERS", 10)
    sender.write(EVALUATION, OUT, b"0123456789" * 7 + b"end")
    sender.close()
    assert gateway.text(OUT) == "0123456789" * 7 + "end"
    assert max(len(chunk.text) for chunk in gateway.chunks) == 10


def test_a_request_is_never_larger_than_the_gateway_takes(gateway: StandInGateway) -> None:
    """Control characters take the most room: six bytes each in JSON."""
    sender = LogSender(gateway, uuid4(), stream_bytes=9_000_000)  # type: ignore[arg-type]  # the part that it needs
    sender.write(EVALUATION, OUT, b"\x01" * 9_000_000)
    sender.close()
    assert len(gateway.text(OUT)) == 9_000_000
    assert max(len(chunks.model_dump_json()) for chunks in gateway.sent) < (ACCESS["append_logs"].body_bytes or 0)


def test_what_comes_too_fast_is_dropped_with_one_mark(
    sender: LogSender, gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sending, "PENDING_CHARACTERS", 100)
    gateway.away = 1_000_000
    for text in (b"a" * 90, b"b" * 20, b"c" * 20):
        sender.write(EVALUATION, OUT, text)
    gateway.away = 0
    sender.close()
    assert gateway.text(OUT) == "a" * 90 + DROPPED_MARK


def test_after_an_overflow_there_is_text_again(
    sender: LogSender, gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sending, "PENDING_CHARACTERS", 100)
    sender.write(EVALUATION, OUT, b"x" * 101)
    while not gateway.chunks:
        threading.Event().wait(0.005)
    with sender._lock:
        assert sender._waiting_characters == 0
    sender.write(EVALUATION, OUT, b"later\n")
    sender.close()
    assert gateway.text(OUT) == f"{DROPPED_MARK}later\n"


def test_a_gateway_that_is_away_costs_nothing_but_time(sender: LogSender, gateway: StandInGateway) -> None:
    gateway.away = 1_000_000
    sender.write(EVALUATION, OUT, b"before\n")
    while gateway.away > 999_998:
        threading.Event().wait(0.005)
    sender.write(EVALUATION, ERR, b"meanwhile\n")
    sender.write(EVALUATION, OUT, b"after\n")
    gateway.away = 0
    sender.close()
    assert gateway.text(OUT) == "before\nafter\n"
    assert gateway.text(ERR) == "meanwhile\n"


def test_what_the_gateway_does_not_take_is_not_offered_again(sender: LogSender, gateway: StandInGateway) -> None:
    gateway.refuses = 1
    sender.write(EVALUATION, OUT, b"refused\n")
    while gateway.refuses:
        threading.Event().wait(0.005)
    sender.write(EVALUATION, OUT, b"taken\n")
    sender.close()
    # The offset tells that something is missing.
    assert [(chunk.offset, chunk.text) for chunk in gateway.chunks] == [(8, "taken\n")]


def test_a_stream_is_cut_once_over_all_programs_that_write_to_it(
    gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_sending, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(log_sending, "MARK_BYTES", 0)
    sender = LogSender(gateway, uuid4(), stream_bytes=6)  # type: ignore[arg-type]  # the part that it needs
    for piece in (b"abc", b"defghi", b"jkl"):
        sender.write(EVALUATION, OUT, piece)
    sender.write(EVALUATION, ERR, b"another")
    sender.note(EVALUATION, OUT, "[podium: what the platform says comes after it]")
    sender.close()
    assert gateway.text(OUT) == f"abcdef{CUT_MARK}[podium: what the platform says comes after it]\n"
    assert gateway.text(ERR) == f"anothe{CUT_MARK}"


def test_closing_twice_sends_nothing_twice(sender: LogSender, gateway: StandInGateway) -> None:
    sender.write(EVALUATION, OUT, b"once\n")
    sender.close()
    sender.close()
    assert [chunk.text for chunk in gateway.chunks] == ["once\n"]


def test_closing_at_the_end_of_a_gathering_ends_the_thread(
    gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender is closed just after it looked whether it is, and before it waits for news again."""
    monkeypatch.setattr(log_sending, "GATHER_SECONDS", 0.01)
    sender = LogSender(gateway, uuid4())  # type: ignore[arg-type]  # the part of the client that it needs

    class ClosedLate(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if super().wait(0):
                return True
            self.set()
            sender._news.set()
            return False

    sender._closing = ClosedLate()
    sender.write(EVALUATION, OUT, b"last words\n")
    sender._thread.join(2)
    assert not sender._thread.is_alive()
    assert gateway.text(OUT) == "last words\n"
