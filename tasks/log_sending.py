"""Log lines on their way to the gateway: gathered for a moment, sent with offsets, never in the way of a program."""

from __future__ import annotations

import codecs
import logging
import threading
from uuid import UUID

from podium.platform.errors import PlatformFault, PodiumError
from podium.platform.jobs import MIB, LogChunk, LogChunks, LogStream
from podium.tasks.gateway import GatewayClient

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.25
CHUNK_CHARACTERS = 200_000
CHUNKS = 10
"""Chunks of one request: less than the gateway takes even where JSON needs six bytes for a character."""
PENDING_CHARACTERS = 20_000_000
"""Text that waits at most; what comes on top is dropped, with a mark, rather than fill the agent's memory."""
PATIENCE = 2.0
"""Seconds for which one request is offered; what is not taken waits for the next."""
LAST_PATIENCE = 20.0
STREAM_BYTES = 8 * MIB
MARK_BYTES = 1024
"""What a stream may have beyond its cap: the mark of the executor, where that has cut it."""
CUT_MARK = "\n[podium: the log was cut here, at its size limit]\n"
DROPPED_MARK = "\n[podium: lines were dropped here, they came faster than they could be sent]\n"

Key = tuple[UUID, LogStream]


class LogSender:
    """Sends the text of an attempt's streams in order, from one thread of its own.

    While the gateway is away the text waits, and nothing of it is lost or sent twice: offsets say where it belongs.

    Args:
        stream_bytes: Kept bytes of each stream, over all programs that write to it; then it is cut, with a mark.
    """

    def __init__(self, gateway: GatewayClient, attempt_id: UUID, *, stream_bytes: int = STREAM_BYTES) -> None:
        self._gateway = gateway
        self._attempt_id = attempt_id
        self._stream_bytes = stream_bytes
        self._decoders: dict[Key, codecs.IncrementalDecoder] = {}
        self._room: dict[Key, int] = {}
        self._cut: set[Key] = set()
        self._offsets: dict[Key, int] = {}
        self._pending: list[tuple[Key, str]] = []
        self._unsent: list[LogChunk] = []
        self._waiting_characters = 0
        self._dropped = False
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, evaluation_id: UUID, stream: LogStream, data: bytes) -> None:
        """Add bytes of a stream; a character that is cut in two waits for its rest."""
        key = (evaluation_id, stream)
        with self._lock:
            kept = data[: self._room.setdefault(key, self._stream_bytes + MARK_BYTES)]
            self._room[key] -= len(kept)
            decoder = self._decoders.setdefault(key, codecs.getincrementaldecoder("utf-8")(errors="replace"))
            self._add(key, decoder.decode(kept))
            if len(kept) < len(data) and key not in self._cut:
                self._cut.add(key)
                self._add(key, CUT_MARK)
            self._begin()
        self._news.set()

    def note(self, evaluation_id: UUID, stream: LogStream, text: str) -> None:
        """Add a line of the platform's own, however long the stream is."""
        with self._lock:
            self._add((evaluation_id, stream), f"{text}\n")
            self._begin()
        self._news.set()

    def close(self) -> None:
        """Send what is left and end."""
        with self._lock:
            for key, decoder in self._decoders.items():
                self._add(key, decoder.decode(b"", final=True))
        self._closing.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout=PATIENCE + LAST_PATIENCE + 5)

    def _begin(self) -> None:
        """Start the thread with the first text: most attempts have none."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"logs-{self._attempt_id}", daemon=True)
            self._thread.start()

    def _add(self, key: Key, text: str) -> None:
        if not text:
            return
        if self._waiting_characters + len(text) > PENDING_CHARACTERS:
            if self._dropped:
                return
            self._dropped = True
            text = DROPPED_MARK
        else:
            self._dropped = False
        self._pending.append((key, text))
        self._waiting_characters += len(text)

    def _take(self) -> list[LogChunk]:
        """What is new, as chunks: the pieces of one stream joined, cut to size, offsets counted."""
        with self._lock:
            pending, self._pending = self._pending, []
        texts: dict[Key, list[str]] = {}
        for key, text in pending:
            texts.setdefault(key, []).append(text)
        chunks = []
        for key, parts in texts.items():
            text = "".join(parts)
            for start in range(0, len(text), CHUNK_CHARACTERS):
                piece = text[start : start + CHUNK_CHARACTERS]
                offset = self._offsets.get(key, 0)
                chunks.append(LogChunk(evaluation_id=key[0], stream=key[1], offset=offset, text=piece))
                self._offsets[key] = offset + len(piece)
        return chunks

    def _run(self) -> None:
        while True:
            self._news.wait()
            # Cleared before the look at `closing`, or the news of a close in between would be lost.
            self._news.clear()
            # Lines that come together go together; the first one waits no longer than this.
            ending = self._closing.wait(GATHER_SECONDS)
            self._unsent += self._take()
            self._send_all(LAST_PATIENCE if ending else PATIENCE)
            if ending:
                return

    def _send_all(self, patience: float) -> None:
        """Send what waits, in order, until the gateway takes no more; that is tried again."""
        while self._unsent:
            batch = tuple(self._unsent[:CHUNKS])
            try:
                self._gateway.append_logs(self._attempt_id, LogChunks(chunks=batch), patience=patience)
            except PlatformFault as error:
                logger.warning("log lines of attempt %s wait: %s", self._attempt_id, error)
                self._news.set()
                return
            except PodiumError as error:
                # Logs never decide over a submission: the attempt's heartbeat notices if it is over.
                logger.warning("log lines of attempt %s are not taken: %s", self._attempt_id, error)
            del self._unsent[:CHUNKS]
            with self._lock:
                self._waiting_characters -= sum(len(chunk.text) for chunk in batch)
