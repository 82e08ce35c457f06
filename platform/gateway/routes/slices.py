"""Slices of images as pictures, for who may see the images."""

from __future__ import annotations

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from podium.platform.competition_images import LARGEST_BYTES, image_type
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.gateway.access import WithCaller
from podium.platform.gateway.services import Services, WithServices
from podium.platform.identity import Caller
from podium.platform.image_access import find_image
from podium.platform.records.slices import ImageViews
from podium.platform.viewing.image_rows import Viewed, image_views, segment_records, viewed
from podium.platform.viewing.orientation import VoxelAxis
from podium.platform.viewing.slices import LARGEST_SIDE, RENDERING, Cut, Picture
from podium.platform.viewing.windowing import Window

router = APIRouter(tags=["images"])

_CACHED = {"Cache-Control": "private, max-age=300", "Vary": "Authorization"}
_MOST = 1e12
WINDOW_HEADER, SEGMENTS_HEADER, OVERLAY_HEADER = "X-Podium-Window", "X-Podium-Segments", "X-Podium-Overlay"
Width = Annotated[float | None, Query(gt=0, le=_MOST, allow_inf_nan=False)]
Level = Annotated[float | None, Query(ge=-_MOST, le=_MOST, allow_inf_nan=False)]
Opacity = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)]
Side = Annotated[int, Query(ge=16, le=LARGEST_SIDE)]


@router.get("/images/{image_id}/thumbnail", response_class=Response)
def read_image_thumbnail(image_id: UUID, services: WithServices, caller: WithCaller) -> Response:
    """A small picture of the image's middle slice: JPEG, or PNG where voxels are labels."""
    with services.database.session() as session:
        key = find_image(session, image_id, caller).thumbnail
    with services.storage.open(key) as file:
        content = file.read(LARGEST_BYTES)
    kind = image_type(content)
    if kind is None:
        raise NotFound("The image has no small picture that can be shown.")
    return Response(content, media_type=kind, headers=_CACHED)


@router.get("/images/{image_id}/views")
def read_image_views(image_id: UUID, services: WithServices, caller: WithCaller) -> ImageViews:
    """How an image can be cut, in which windows it is usually looked at, and the colours of its labels."""
    with services.database.session() as session:
        return image_views(find_image(session, image_id, caller))


@router.get(
    "/images/{image_id}/slices/{axis}/{index}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 304: {"description": "It is as it was."}},
)
async def read_slice(
    image_id: UUID,
    axis: VoxelAxis,
    index: int,
    request: Request,
    time: int = 0,
    window: Width = None,
    level: Level = None,
    auto: bool = False,  # noqa: FBT001, FBT002  # by its name, as all that comes in an address
    overlay: UUID | None = None,
    opacity: Opacity = 0.5,
    size: Side = 1024,
) -> Response:
    """A slice as PNG, with square pixels, the way radiologists look at it.

    `window` and `level` are width and centre of the values to show; without them, the window is what the image's header
    suggests, or with `auto`, or where there is none, that of nearly all its values. `overlay` is another image whose
    voxels are labels: on another grid, its nearest voxels are shown. `size` bounds the longer side, in pixels.

    `X-Podium-Window` names level and width, `X-Podium-Segments` the labels over this slice with their colours, and
    `X-Podium-Overlay` says `same` or `resampled`.
    """
    services: Services = request.app.state.services
    caller: Caller = request.state.caller
    if (window is None) != (level is None):
        raise InvalidInput("`window` and `level` go together.", remedy="Give both, or none.")
    chosen = Window(level, window) if window is not None and level is not None else None
    image, over = await run_in_threadpool(_find, services, caller, image_id, overlay)
    cut = Cut(axis, index, time, chosen, auto, size)
    headers = {**_CACHED, "ETag": _tag(image, cut, over, opacity)}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    picture = await services.slices.draw(image, cut, over, opacity)
    return Response(picture.content, media_type="image/png", headers={**headers, **_told(picture, over)})


def _find(services: Services, caller: Caller, image_id: UUID, overlay: UUID | None) -> tuple[Viewed, Viewed | None]:
    with services.database.session() as session:
        image = viewed(find_image(session, image_id, caller))
        over = viewed(find_image(session, overlay, caller)) if overlay is not None else None
    return image, over


def _tag(image: Viewed, cut: Cut, over: Viewed | None, opacity: float) -> str:
    made_of = (RENDERING, image, cut, over, opacity if over is not None else None)
    return f'"{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}"'


def _told(picture: Picture, over: Viewed | None) -> dict[str, str]:
    told = {}
    if picture.window is not None:
        told[WINDOW_HEADER] = f"{picture.window.center:.10g} {picture.window.width:.10g}"
    if over is not None:
        told[OVERLAY_HEADER] = "resampled" if picture.is_resampled else "same"
        told[SEGMENTS_HEADER] = ",".join(f"{one.label}={one.colour}" for one in segment_records(picture.labels))
    return told
