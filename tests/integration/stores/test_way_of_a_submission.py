"""The way of a large submission over each store: in parts, broken off and gone on with, fetched, scored, shown."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from world import HTTP, Known, RunningGateway, World, result_of, sha256_of

from podium.platform.client import Client, Progress, Step
from podium.platform.client.retries import Patience
from podium.platform.errors import InvalidInput, NotFound, PlatformFault
from podium.platform.jobs import OutputKind
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Upload
from podium.platform.storage import incoming_key
from podium.tasks.gateway import Transfers

PART = 5 << 20
PAGE = b"<p>plots</p>" * 5000


class BreaksOff(httpx.HTTPTransport):
    """A network that lets so many parts through and is gone then."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.left = parts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.left -= 1
            if self.left < 0:
                raise httpx.ConnectError("the network is gone")
        return super().handle_request(request)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A zip of three parts, which can't be made smaller."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("predictions.bin", os.urandom(2 * PART + 1000))
    return path


@pytest.fixture
def ada(site_world: World) -> Known:
    return site_world.person("ada")


@pytest.fixture
def slug(site_world: World, ada: Known) -> str:
    made = site_world.competition(site_world.person("olga", organizer=True), enable_detailed_results=True)
    site_world.join(ada, made)
    return made


@pytest.fixture
def fetched(tmp_path: Path) -> Callable[..., bytes]:
    """What an agent gets of a source."""

    def fetch(source: object) -> bytes:
        transfers = Transfers()
        try:
            transfers.fetch(source, tmp_path / "fetched", stop=threading.Event())  # type: ignore[arg-type]
        finally:
            transfers.close()
        return (tmp_path / "fetched").read_bytes()

    return fetch


def test_from_the_upload_to_the_page(
    site: RunningGateway,
    site_world: World,
    ada: Known,
    slug: str,
    archive: Path,
    tmp_path: Path,
    fetched: Callable[..., bytes],
) -> None:
    told: list[Progress] = []
    with Client(site.address, ada.token) as client:
        submission = client.submit(slug, archive, on_progress=told.append)
        uploading = [one.done for one in told if one.step is Step.UPLOADING]
        assert uploading == sorted(uploading)
        assert uploading[-1] == archive.stat().st_size
        assert submission.status is SubmissionStatus.QUEUED
        storage = site.services.storage
        assert storage.find(incoming_key(submission.id)) is None
        with site_world.session() as session:
            assert session.get(Upload, submission.id) is None

        job = site_world.claim(submission.id)
        assert fetched(job.submission) == archive.read_bytes()
        assert fetched(job.evaluations[0].scoring_program)
        page = tmp_path / "page.html"
        page.write_bytes(PAGE)
        transfers = Transfers()
        transfers.put(job.evaluations[0].outputs[OutputKind.DETAILED_RESULTS], page)
        transfers.close()
        output = {"kind": "detailed_results", "sha256": sha256_of(PAGE), "size": len(PAGE)}
        result = {
            "evaluation_id": str(job.evaluations[0].evaluation_id),
            "outcome": "succeeded",
            "scores": {"accuracy": 1.0},
            "outputs": [output],
        }
        answer = site.call(
            "POST",
            f"/attempts/{job.attempt_id}/result",
            job.attempt_token,
            content=result_of(job, [result]).model_dump_json(),
            headers={"Content-Type": "application/json"},
        )
        assert answer.is_success, answer.text
        assert client.submission(submission.id).status is SubmissionStatus.FINISHED
        shown = site.call(
            "GET", f"/submissions/{submission.id}/detailed-results/{job.evaluations[0].evaluation_id}", ada.token
        )
        assert shown.content == PAGE
        file = site.call("GET", f"/submissions/{submission.id}/file", ada.token).json()
        assert HTTP.get(file["url"], headers={"Range": "bytes=9-99"}).content == archive.read_bytes()[9:100]
        assert client.storage().by_kind == {"submissions": archive.stat().st_size}


def test_an_upload_that_broke_off_goes_on_by_its_id(
    site: RunningGateway, site_world: World, ada: Known, slug: str, archive: Path
) -> None:
    """Even in another process; what has arrived is not sent again."""
    announced = []
    impatient = Patience(tries=1)
    with (
        Client(site.address, ada.token, transport=BreaksOff(2), patience=impatient) as client,
        pytest.raises(PlatformFault, match="the network is gone"),
    ):
        client.submit(slug, archive, on_created=announced.append)
    (submission,) = announced
    network = BreaksOff(1)
    with Client(site.address, ada.token, transport=network) as client:
        offered = client.announced_upload(submission.id)
        assert offered.parts is not None
        assert (offered.parts.count, len(offered.parts.there)) == (3, 2)
        other = archive.with_name("other.zip")
        other.write_bytes(archive.read_bytes()[:-1] + b"x")
        with pytest.raises(InvalidInput, match=r"other\.zip is not the file that was announced as large\.zip"):
            client.resume_submission(submission.id, other)
        told: list[Progress] = []
        assert client.resume_submission(submission.id, archive, on_progress=told.append).status == "queued"
        uploading = [one.done for one in told if one.step is Step.UPLOADING]
        assert uploading[0] >= PART
        assert network.left == 0
        with pytest.raises(NotFound):
            client.announced_upload(submission.id)
    stranger = site_world.person("eve")
    assert site.call("POST", f"/uploads/{submission.id}", stranger.token).status_code == 404
    assert (
        site.call("POST", f"/uploads/{submission.id}/parts", stranger.token, json={"numbers": [1]}).status_code == 404
    )


def test_parts_that_make_another_file_begin_anew(
    site: RunningGateway, site_world: World, ada: Known, slug: str, archive: Path
) -> None:
    """All parts arrive, and one of them is not of the file: it is refused, and may be sent again."""
    with Client(site.address, ada.token) as client:
        data = archive.read_bytes()
        started = client.start_submission(
            slug, "large.zip", file=type("File", (), {"size": len(data), "sha256": sha256_of(data)})()
        )
        sign = client._signer(started.submission.id)
        for number, begin in enumerate(range(0, len(data), PART), start=1):
            piece = data[begin : begin + PART]
            signed = sign(number)
            wrong = piece[:-1] + b"x" if number == 2 else piece
            assert HTTP.put(signed.url, content=wrong, headers=signed.headers).is_success
        with pytest.raises(InvalidInput, match="its SHA-256 differs"):
            client.complete_submission(started.submission.id)
        with pytest.raises(InvalidInput, match="parts 1 to 3, and none of number 4"):
            sign(4)
        assert client.resume_submission(started.submission.id, archive).status == "queued"


def test_an_agents_download_goes_on_where_it_broke_off(
    site: RunningGateway, site_world: World, ada: Known, slug: str, archive: Path, tmp_path: Path
) -> None:
    with Client(site.address, ada.token) as client:
        submission = client.submit(slug, archive)
    source = site_world.claim(submission.id).submission
    ranges: list[str | None] = []

    class Flaky(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            ranges.append(request.headers.get("range"))
            answer = super().handle_request(request)
            if len(ranges) < 3:
                return httpx.Response(answer.status_code, headers=answer.headers, stream=_Cut(answer.stream, PART))
            return answer

    transfers = Transfers()
    transfers._http = httpx.Client(transport=Flaky())
    transfers.fetch(source, tmp_path / "fetched", stop=threading.Event())
    transfers.close()
    assert (tmp_path / "fetched").read_bytes() == archive.read_bytes()
    assert ranges[0] is None
    assert [one is not None and int(one.removeprefix("bytes=").rstrip("-")) > 0 for one in ranges[1:]] == [True, True]


class _Cut(httpx.SyncByteStream):
    """A body that ends with the connection."""

    def __init__(self, stream: object, size: int) -> None:
        self._stream = stream
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:  # type: ignore[attr-defined]
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left <= 0:
                raise httpx.ReadError("the connection broke")

    def close(self) -> None:
        self._stream.close()  # type: ignore[attr-defined]
