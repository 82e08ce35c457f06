"""The way of images over each store: sent, fetched by the flow, kept, tried again, shown and fetched."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import SimpleITK as sitk
from importing import a_volume, without_processes
from world import PREDICTIONS, RunningGateway, World

from podium.flows import images as flow
from podium.platform.client import Client
from podium.platform.lifecycle import ImportStatus
from podium.platform.records.images import ImagePart


def test_from_the_upload_to_the_file(
    site: RunningGateway, site_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_processes(site_world, monkeypatch)
    ada = site_world.person("ada")
    slug = site_world.competition(site_world.person("olga", organizer=True))
    site_world.join(ada, slug)
    predictions = tmp_path / "predictions.zip"
    predictions.write_bytes(PREDICTIONS)
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "brain.mha").write_bytes(a_volume(tmp_path))
    (folder / "liver.mha").write_bytes(a_volume(tmp_path, seed=7)[:-4])
    with Client(site.address, ada.token) as client:
        submission = client.submit(slug, predictions).id
        session = client.begin_import(submission=submission)
        client.send_images(session.id, [folder])
        client.start_import(session.id)
        assert flow.import_images.fn(session.id).message == "1 image of 2 files, 1 file rejected"
        (folder / "liver.mha").write_bytes(a_volume(tmp_path, seed=7))
        client.send_images(session.id, [folder])
        client.retry_import(session.id)
        flow.import_images.fn(session.id)
        client.accept_import(session.id)
        assert client.import_session(session.id).status is ImportStatus.ACCEPTED

        brain, liver = client.images(submission=submission).images
        assert [brain.name, liver.name] == ["brain.mha", "liver.mha"]
        fetched = client.download_image(liver.id, tmp_path / "fetched.mha")
        assert sitk.GetArrayFromImage(sitk.ReadImage(fetched)).ravel().tolist() == list(range(7, 31))
        picture = client.image_file(brain.id, ImagePart.THUMBNAIL)
    answer = httpx.request(picture.method, picture.url, headers=picture.headers)
    assert (answer.status_code, answer.content[:3]) == (200, b"\xff\xd8\xff")
