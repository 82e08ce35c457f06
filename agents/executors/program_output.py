"""A program's output on its way to the log: in order, up to a cap, and never held in memory."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from podium.tasks.programs import ExecutorFault, OnOutput, Stream

_HEAD_BYTES = 1024
_TAIL_BYTES = 2048
_PIECE_BYTES = 64 * 1024
_STREAMS: dict[int, Stream] = {1: "stdout", 2: "stderr"}
CUT_MARK = b"\n[podium: the log was cut here, at its size limit]\n"
LOST_MARK = b"\n[podium: the rest of the log could not be read]\n"


class CappedOutput:
    """Hands output on until a stream has had `log_bytes`; then comes a mark, and the rest is dropped.

    A consumer that raises gets nothing more; its error is kept in `failure` while the output keeps being drained, so
    that the program never blocks on it.

    Attributes:
        stderr_head: The first bytes of stderr.
        stderr_tail: The last bytes of stderr, also of what was dropped.
    """

    def __init__(self, on_output: OnOutput, *, log_bytes: int) -> None:
        self._on_output = on_output
        self._left: dict[Stream, int] = {"stdout": log_bytes, "stderr": log_bytes}
        self._truncated: set[Stream] = set()
        self.stderr_head = b""
        self.stderr_tail = b""
        self.failure: Exception | None = None

    @property
    def truncated(self) -> frozenset[Stream]:
        """Streams of which output was dropped."""
        return frozenset(self._truncated)

    def take(self, stream: Stream, piece: bytes) -> None:
        """Take the next piece of a stream."""
        if stream == "stderr":
            self.stderr_head += piece[: _HEAD_BYTES - len(self.stderr_head)]
            self.stderr_tail = (self.stderr_tail + piece[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        kept = piece[: self._left[stream]]
        self._left[stream] -= len(kept)
        if kept:
            self._hand_on(stream, kept)
        if len(kept) < len(piece):
            self._mark(stream, CUT_MARK)

    def lost(self, *streams: Stream) -> None:
        """Remember that the end of these streams could not be read."""
        for stream in streams:
            self._mark(stream, LOST_MARK)

    def _mark(self, stream: Stream, mark: bytes) -> None:
        """Say once, where it is, that the stream does not go on."""
        if stream not in self._truncated:
            self._truncated.add(stream)
            self._hand_on(stream, mark)

    def _hand_on(self, stream: Stream, piece: bytes) -> None:
        if self.failure is None:
            try:
                self._on_output(stream, piece)
            except Exception as failure:  # noqa: BLE001 -- whatever the consumer raises ends the program, see failure
                self.failure = failure


class AttachedOutput:
    """Reads what the engine sends from a container, both streams in one, in a thread of its own."""

    def __init__(self, attached: object, output: CappedOutput, *, name: str) -> None:
        self._attached = attached  # holds the response, whose end would close the socket
        self._socket = raw_socket(attached)
        # The timeout of ordinary calls is on it, and a program may be silent for longer.
        self._socket.settimeout(None)
        self._output = output
        self._thread = threading.Thread(target=self._read, name=f"output-{name}", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Wait until all output was handed on; what has not come after `seconds` is given up."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._output.lost("stdout", "stderr")
        self.close()

    def close(self) -> None:
        """Let go of the engine's connection."""
        with contextlib.suppress(OSError):  # the engine may have closed it already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        try:
            for stream, piece in _pieces(self._socket):
                self._output.take(stream, piece)
        except (OSError, ValueError):
            self._output.lost("stdout", "stderr")


def raw_socket(attached: object) -> socket.socket:
    """The socket in what the SDK returns for a container's input and output.

    Raises:
        ExecutorFault: There is none: the engine was reached in a way that has no sockets.
    """
    inner = getattr(attached, "_sock", attached)
    if not isinstance(inner, socket.socket):
        raise ExecutorFault(
            f"The connection to the Docker engine ({type(inner).__name__}) can't carry a program's output.",
            remedy="Connect to the engine by its socket, tcp or tls; ssh is not supported.",
        )
    return inner


def _pieces(attached: socket.socket) -> Iterator[tuple[Stream, bytes]]:
    # The engine's framing: one byte says the stream, three are unused, four give the length of what follows.
    while header := _exactly(attached, 8):
        kind, length = struct.unpack(">BxxxL", header)
        while length:
            piece = attached.recv(min(length, _PIECE_BYTES))
            if not piece:
                raise ConnectionResetError("the engine closed the stream in the middle of a frame")
            length -= len(piece)
            if kind in _STREAMS:
                yield _STREAMS[kind], piece


def _exactly(attached: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = attached.recv(count - len(data))
        if not more:
            return b""
        data += more
    return data
