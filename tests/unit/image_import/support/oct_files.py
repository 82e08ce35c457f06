"""Scans of the retina as Topcon's and Heidelberg's programs write them, with a value of its own in every voxel."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Values = NDArray[Any]
MM_PER_DEGREE, HEIGHT = 0.2896, 0.00387


def ramp(*shape: int, kind: str = "uint16") -> Values:
    return np.arange(np.prod(shape)).reshape(shape).astype(kind)


def topcon(chunks: dict[str, bytes], kind: bytes = b"FDS") -> bytes:
    parts = [bytes([len(name)]) + name.encode() + struct.pack("<I", len(data)) + data for name, data in chunks.items()]
    return b"FOCT" + kind + struct.pack("<II", 1, 1000) + b"".join(parts) + b"\0"


def scale(width: float, breadth: float, micrometres: float) -> bytes:
    return bytes(12) + struct.pack("<5d", width, breadth, micrometres, 0, 0) + bytes(1)


def raw_scan(values: Values, mode: int = 2) -> bytes:
    slices, height, width = values.shape
    data = values.astype("<u2").tobytes()
    return struct.pack("<B4IBI", mode, width, height, 16, slices, 0, len(data)) + data


def packed_scan(values: Values, mode: int = 2) -> bytes:
    slices, height, width = values.shape
    packed = [jpeg2000(plane) for plane in values]
    head = struct.pack("<B6I", mode, 0, 0, width, height, slices, 0)
    return head + b"".join(struct.pack("<I", len(plane)) + plane for plane in packed)


def raw_picture(values: Values) -> bytes:
    height, width, _ = values.shape
    return struct.pack("<4IBI", width, height, 24, 1, 0, values.nbytes) + values[..., ::-1].tobytes()


def packed_picture(values: Values) -> bytes:
    height, width, _ = values.shape
    packed = jpeg2000(values[..., ::-1])
    return struct.pack("<4I4sI", width, height, 24, 1, b"", len(packed)) + packed


def jpeg2000(values: Values) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(held, "JPEG2000", irreversible=False, no_jp2=True)
    return held.getvalue()


def fds(values: Values, **more: bytes) -> bytes:
    chunks = {"@CAPTURE_INFO_02": b"\0" + bytes(117), "@IMG_SCAN_03": raw_scan(values)}
    return topcon({**chunks, "@PARAM_SCAN_04": scale(6, 4.5, 3.5), **{f"@{name}": data for name, data in more.items()}})


class Heidelberg:
    """A file as it grows: containers, and at last the directory of them."""

    def __init__(self) -> None:
        self._containers: list[tuple[tuple[int, int, int, int, int, int], bytes]] = []

    def scan(
        self, values: Values, series: int = 1, *, places: list[bytes] | None = None, eye: bytes = b"R"
    ) -> Heidelberg:
        """Add slices of stored reflectivity, as slices x height x width."""
        self._add(series, -1, 65535, 11, bytes(14) + eye + bytes(12))
        for number, plane in enumerate(values):
            if places:
                self._add(series, 2 * number, 65535, 10004, places[number])
            self._add(series, 2 * number, 1, 1073741824, _image(plane.astype("<u2"), 35652097))
        return self

    def picture(self, values: Values, series: int = 1) -> Heidelberg:
        self._add(series, -1, 0, 1073741824, _image(values.astype(np.uint8), 33620481))
        return self

    def written(self, *, listed: bool = True) -> bytes:
        begin = 36 + 52
        directory = begin + 52 + 44 * len(self._containers)
        at, entries, data = directory, [], []
        for (patient, study, series, slice_, ind, kind), content in self._containers:
            ids = struct.pack("<4i2HI", patient, study, series, slice_, ind, 0, kind)
            entries.append(struct.pack("<4I", begin, at, len(content), 0) + ids + bytes(4))
            head = b"MDbData".ljust(12, b"\0") + struct.pack("<5I", 0, begin, at, len(content), 0) + ids + bytes(4)
            data.append(head + content)
            at += len(data[-1])
        head = b"CMDb".ljust(12, b"\0") + struct.pack("<I", 100) + b"\xff" * 20
        first = _directory(512, begin if listed else 0x18B9CA9C)
        return head + first + _directory(len(entries), 0) + b"".join(entries) + b"".join(data)

    def _add(self, series: int, slice_: int, ind: int, kind: int, content: bytes) -> None:
        self._containers.append(((7, 8, series, slice_, ind, kind), content))


def place(start: tuple[float, float], end: tuple[float, float], columns: int, count: int, number: int = 0) -> bytes:
    """Where a slice lies, in degrees."""
    numbers = (0, 0, 0, *start, *end, 0, 0, HEIGHT, 0, 0, 0, 0, 0, columns, count, number, 3)
    return struct.pack("<3I4fI3fI2fI4I", *numbers).ljust(428, b"\0")


def _image(values: Values, kind: int) -> bytes:
    height, width = values.shape
    return struct.pack("<5I", 20 + values.nbytes, kind, height * width, height, width) + values.tobytes()


def _directory(entries: int, current: int) -> bytes:
    return (
        b"MDbDir".ljust(12, b"\0") + struct.pack("<I", 100) + b"\xff" * 20 + struct.pack("<4I", entries, current, 0, 0)
    )
