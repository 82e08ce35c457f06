"""Images as an import leaves them in the database, without an import."""

from __future__ import annotations

from podium.platform.images.metadata import ColorSpace, EyeChoice, ImageType
from podium.platform.models import Image, ImportSession


def image_of(session: ImportSession, content: str, *, name: str = "brain") -> Image:
    """A volume of 5 by 4 by 3 voxels, with one file of the store in the place of its three."""
    return Image(
        session_id=session.id,
        owner_id=session.owner_id,
        dataset_id=session.dataset_id,
        submission_id=session.submission_id,
        type=ImageType.MHD,
        content=content,
        sha256="0" * 64,
        size=60,
        stored_bytes=90,
        thumbnail=content,
        preview=content,
        name=name,
        width=5,
        height=4,
        depth=3,
        voxel_width_mm=0.5,
        voxel_height_mm=0.5,
        voxel_depth_mm=2.0,
        window_center=40.0,
        window_width=400.0,
        color_space=ColorSpace.GRAY,
        eye_choice=EyeChoice.NOT_APPLICABLE,
        value_type="uint8",
        channels=1,
        low=0.0,
        high=59.0,
        grid={
            "size": [5, 4, 3],
            "spacing": [0.5, 0.5, 2.0],
            "origin": [0, 0, 0],
            "direction": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        },
        flags=[{"kind": "spacing_unknown", "detail": "The spacing is not known."}],
        headers={},
        attributes={"Modality": "CT"},
        removed=["PatientName"],
        sources=[{"path": f"{name}.mha", "size": 100, "sha256": "1" * 64}],
    )
