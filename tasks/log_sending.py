"""Log lines on their way to the gateway: gathered for a moment, sent with offsets, never in the way of a program."""

from __future__ import annotations

import codecs
import logging
import threading
from uuid import UUID

from podium.platform.errors import PodiumError
from podium.platform.jobs import LogChunk, LogChunks, LogStream
from podium.tasks.gateway import GatewayClient

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.25
CHUNK_CHARACTERS = 200_000
CHUNKS = 10
"""Chunks of one request: less than the gateway takes even where JSON needs six bytes for a character."""
PENDING_CHARACTERS = 20_000_000
"""Text that waits at most; what comes on top is dropped, with a mark, rather than fill the agent's memory."""
LAST_PATIENCE = 20.0


class LogSender:
    """Sends the text of an attempt's streams in order, from one thread of its own."""

    def __init__(self, gateway: GatewayClient, attempt_id: UUID) -> None:
        self._gateway = gateway
        self._attempt_id = attempt_id
        self._decoders: dict[tuple[UUID, LogStream], codecs.IncrementalDecoder] = {}
        self._offsets: dict[tuple[UUID, LogStream], int] = {}
        self._pending: list[tuple[UUID, LogStream, str]] = []
        self._pending_characters = 0
        self._dropped = False
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"logs-{attempt_id}", daemon=True)
        self._thread.start()

    def write(self, evaluation_id: UUID, stream: LogStream, data: bytes) -> None:
        """Add bytes of a stream; a character that is cut in two waits for its rest."""
        with self._lock:
            decoder = self._decoders.setdefault(
                (evaluation_id, stream), codecs.getincrementaldecoder("utf-8")(errors="replace")
            )
            self._add(evaluation_id, stream, decoder.decode(data))
        self._news.set()

    def note(self, evaluation_id: UUID, stream: LogStream, text: str) -> None:
        """Add a line of the platform's own."""
        with self._lock:
            self._add(evaluation_id, stream, f"{text}\n")
        self._news.set()

    def close(self) -> None:
        """Send what is left and end."""
        with self._lock:
            for (evaluation_id, stream), decoder in self._decoders.items():
                self._add(evaluation_id, stream, decoder.decode(b"", final=True))
        self._closing.set()
        self._news.set()
        self._thread.join(timeout=LAST_PATIENCE + 5)

    def _add(self, evaluation_id: UUID, stream: LogStream, text: str) -> None:
        if not text:
            return
        if self._pending_characters + len(text) > PENDING_CHARACTERS:
            if self._dropped:
                return
            self._dropped = True
            text = "\n[podium: lines were dropped here, they came faster than they could be sent]\n"
        else:
            self._dropped = False
        self._pending.append((evaluation_id, stream, text))
        self._pending_characters += len(text)

    def _take(self) -> list[LogChunk]:
        """The next chunks: neighbours of one stream joined, cut to size, offsets counted."""
        with self._lock:
            pending, self._pending, self._pending_characters = self._pending, [], 0
        texts: dict[tuple[UUID, LogStream], list[str]] = {}
        for evaluation_id, stream, text in pending:
            texts.setdefault((evaluation_id, stream), []).append(text)
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
            chunks = self._take()
            for start in range(0, len(chunks), CHUNKS):
                self._send(LogChunks(chunks=tuple(chunks[start : start + CHUNKS])))
            if ending:
                return

    def _send(self, chunks: LogChunks) -> None:
        try:
            self._gateway.append_logs(self._attempt_id, chunks, patience=LAST_PATIENCE)
        except PodiumError as error:
            # Logs never decide over a submission: the attempt's heartbeat notices if it is over.
            logger.warning("log lines of attempt %s could not be sent: %s", self._attempt_id, error)
