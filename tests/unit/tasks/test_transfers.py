"""Files that come with the message that names them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from podium.platform.errors import PlatformFault
from podium.platform.jobs import INLINE_BYTES, OutputKind, OutputRecord, SignedRequest, Source
from podium.tasks.gateway import Transfers

CONTENT = b"\x00\xffa zip"
NOWHERE = SignedRequest(method="GET", url="http://127.0.0.1:1/nothing", expires=datetime.now(UTC))


@pytest.fixture
def transfers() -> Iterator[Transfers]:
    made = Transfers()
    yield made
    made.close()


def source(content: bytes) -> Source:
    """As it arrives over the wire."""
    made = Source(request=NOWHERE, sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT), content=content)
    return Source.model_validate_json(made.model_dump_json())


def test_a_file_that_came_with_its_message_is_not_asked_for(transfers: Transfers, tmp_path: Path) -> None:
    transfers.fetch(source(CONTENT), tmp_path / "file", stop=threading.Event())
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_one_that_is_not_what_was_announced_is_fetched_after_all(transfers: Transfers, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()  # it can't be had, and is not waited for
    with pytest.raises(PlatformFault):
        transfers.fetch(source(b"another"), tmp_path / "file", stop=stop)


def test_only_small_ones_travel_so() -> None:
    with pytest.raises(ValidationError):
        OutputRecord(kind=OutputKind.SCORING_OUTPUT, sha256="0" * 64, size=1, content=b"x" * (INLINE_BYTES + 1))
