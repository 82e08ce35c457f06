"""Files of the `file://` store, by signed request: the signature in the address is the permission."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from podium.platform.errors import TooLarge
from podium.platform.gateway.services import WithServices
from podium.platform.jobs import SignedRequest
from podium.platform.records import SignedRequestRecord

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


@router.get("/storage/{token}", response_class=FileResponse)
@router.head("/storage/{token}", response_class=FileResponse, include_in_schema=False)
def get_stored(token: str, services: WithServices, request: Request) -> FileResponse:
    """The bytes of an object; ranges are served."""
    grant = services.storage.grant(token, request.method)
    return FileResponse(
        services.storage.path(grant.key),
        media_type="application/octet-stream",
        filename=grant.filename,
        headers=UNTRUSTED,
    )


@router.put("/storage/{token}", status_code=201, response_class=Response)
async def put_stored(token: str, services: WithServices, request: Request) -> Response:
    """Store an object, whole or not at all."""
    grant = services.storage.grant(token, "PUT")
    announced = request.headers.get("content-length", "0")
    if grant.max_bytes is not None and announced.isdigit() and int(announced) > grant.max_bytes:
        raise TooLarge(f"The upload is larger than the {grant.max_bytes} bytes that were announced.")
    await services.storage.receive(grant, request.stream())
    return Response(status_code=201)


def signed_record(request: SignedRequest) -> SignedRequestRecord:
    """A signed request as the API answers it."""
    return SignedRequestRecord(
        method=request.method,
        url=request.url,
        headers=request.headers,
        expires=request.expires,
        max_bytes=request.max_bytes,
    )
