"""Slices over the gateway: unpacked by a real child process, of a file in a real store, for who may see it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import SimpleITK as sitk
from imported_images import image_of
from PIL import Image as Picture
from world import Known, RunningGateway, World, problem_of

from podium.platform import stored
from podium.platform.client import Client
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.models import ImportSession
from podium.platform.records.slices import SegmentRecord, WindowRecord

Connect = Callable[[str | None], Client]
VOXELS = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)


@pytest.fixture
def image(world: World, ada: Known, slug: str, tmp_path: Path) -> UUID:
    """An image of a submission of ada's, whose voxels are all different."""
    array = sitk.GetImageFromArray(VOXELS)
    array.SetSpacing((0.5, 0.5, 2.0))
    path = tmp_path / "image.mha"
    sitk.WriteImage(array, str(path), useCompression=True)
    thumbnail = tmp_path / "thumbnail.png"
    Picture.fromarray(VOXELS[1]).save(thumbnail)
    submission_id = world.submit(ada, slug)
    files = [stored.store(world.database, world.storage, one) for one in (path, thumbnail)]
    with world.session() as session:
        of = ImportSession(person_id=ada.id, owner_id=ada.id, submission_id=submission_id)
        session.add(of)
        session.flush()
        row = image_of(of, files[0].key)
        row.sha256, row.size, row.thumbnail = files[0].sha256, files[0].size, files[1].key
        row.segments, row.flags = list(range(60)), []
        session.add(row)
        session.flush()
        return row.id


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(content)))


def test_slices_are_seen_by_their_owner(
    world: World, gateway: RunningGateway, connect: Connect, ada: Known, image: UUID
) -> None:
    own = connect(ada.token)
    views = own.image_views(image)
    assert [(view.axis, view.name, view.slices, view.left) for view in views.views] == [
        ("z", "Axial", 3, "R"),
        ("y", "Coronal", 4, "R"),
        ("x", "Sagittal", 5, "A"),
    ]
    assert views.windows[0] == WindowRecord("suggested", 40, 400)
    assert [segment.label for segment in views.segments] == list(range(1, 60))
    for index in range(3):
        found = own.image_slice(image, "z", index, window=256, level=128)
        np.testing.assert_array_equal(pixels(found.content), VOXELS[index])
    coronal = own.image_slice(image, "y", 2, window=256, level=128)
    np.testing.assert_array_equal(pixels(coronal.content)[2::4], VOXELS[::-1, 2])
    assert own.image_slice(image, "z", 0).window == WindowRecord("", 40, 400)
    over = own.image_slice(image, "z", 0, overlay=image, opacity=1)
    assert over.segments[:2] == (SegmentRecord(1, "#e69f00"), SegmentRecord(2, "#56b4e9"))
    assert not over.is_resampled
    assert tuple(pixels(over.content)[0, 1]) == (0xE6, 0x9F, 0)
    np.testing.assert_array_equal(pixels(own.image_thumbnail(image)), VOXELS[1])
    with pytest.raises(InvalidInput, match="numbered from 0 to 2"):
        own.image_slice(image, "z", 3)
    with pytest.raises(InvalidInput, match="`window` and `level` go together"):
        own.image_slice(image, "z", 0, window=10)

    answer = gateway.call("GET", f"/images/{image}/slices/z/1", ada.token)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=300"
    known = {"If-None-Match": answer.headers["etag"]}
    assert gateway.call("GET", f"/images/{image}/slices/z/1", ada.token, headers=known).status_code == 304
    assert gateway.call("GET", f"/images/{image}/slices/z/2", ada.token, headers=known).status_code == 200


def test_slices_are_not_seen_by_others(
    world: World, gateway: RunningGateway, connect: Connect, olga: Known, image: UUID
) -> None:
    assert len(connect(olga.token).image_views(image).views) == 3  # she organizes
    bob = world.person("bob")
    for path in ("views", "thumbnail", "slices/z/0"):
        answer = gateway.call("GET", f"/images/{image}/{path}", bob.token)
        assert answer.status_code == 404, path
        assert "no image of that id" in problem_of(answer)["detail"]
    # Nor over what somebody may see.
    with pytest.raises(NotFound):
        connect(bob.token).image_slice(image, "z", 0, overlay=image)
    assert gateway.call("GET", f"/images/{image}/slices/z/0").status_code == 401
