"""Files of the `file://` store, by signed request: the signature in the address is the permission."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from podium.platform.errors import NotFound, TooLarge
from podium.platform.gateway.services import Services, WithServices
from podium.platform.storage import FileStorage

router = APIRouter(tags=["storage"])

# What people uploaded never runs on the gateway's origin, whatever it claims to be.
UNTRUSTED = {"Content-Security-Policy": "sandbox; default-src 'none'"}

# A page that a scoring program wrote. Its scripts may draw; they run on an origin that is nobody's, and reach nothing.
UNTRUSTED_PAGE = {
    "Content-Security-Policy": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; "
        "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Content-Disposition": "inline",
}


_SHA256 = re.compile(r"\bsha-256=:([A-Za-z0-9+/=]{44}):")


class _Download(FileResponse):
    """A file in larger pieces: each is a trip to another thread."""

    chunk_size = 1 << 20


@router.get("/storage/{token}", response_class=FileResponse)
@router.head("/storage/{token}", response_class=FileResponse, include_in_schema=False)
def get_stored(token: str, services: WithServices, request: Request) -> FileResponse:
    """The bytes of an object; ranges are served."""
    storage = _files(services)
    grant = storage.grant(token, request.method)
    return _Download(
        storage.path(grant.key),
        media_type="application/octet-stream",
        filename=grant.filename,
        headers=UNTRUSTED,
    )


@router.put("/storage/{token}", status_code=201, response_class=Response)
async def put_stored(token: str, services: WithServices, request: Request) -> Response:
    """Store an object, whole or not at all."""
    storage = _files(services)
    grant = storage.grant(token, "PUT")
    announced = request.headers.get("content-length", "0")
    if grant.max_bytes is not None and announced.isdigit() and int(announced) > grant.max_bytes:
        raise TooLarge(f"The upload is larger than the {grant.max_bytes} bytes that were announced.")
    await storage.receive(grant, request.stream(), checksum=_checksum(request))
    return Response(status_code=201)


def _checksum(request: Request) -> tuple[str, str] | None:
    """The checksum that came along, by its name in `hashlib` and in base64; others than these two are not checked."""
    if md5 := request.headers.get("content-md5"):
        return "md5", md5
    found = _SHA256.search(request.headers.get("content-digest", ""))
    return ("sha256", found[1]) if found else None


def _files(services: Services) -> FileStorage:
    if not isinstance(services.storage, FileStorage):
        raise NotFound("Files are not kept here: signed requests lead to the store itself.")
    return services.storage
