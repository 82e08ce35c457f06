"""Whole leaderboards for everybody: JSON, CSV and a page, made so that browsers, proxies and CDNs may keep them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool

from podium.platform.gateway.board_forms import MEDIA_TYPES, Form, board_in_form, find_board
from podium.platform.gateway.board_page.page import VERSION_MARK, page_policy
from podium.platform.gateway.board_snapshots import Snapshot
from podium.platform.gateway.pacing import counted_as
from podium.platform.gateway.services import Services
from podium.platform.identity import Caller
from podium.platform.rates import Traffic

router = APIRouter(tags=["competitions"])
PhaseName = Annotated[str | None, Query(max_length=300)]


@router.get("/competitions/{slug}/leaderboard.json", response_class=Response)
async def read_leaderboard_json(slug: str, request: Request, phase: PhaseName = None) -> Response:
    """The first thousand rows of a phase's leaderboard, as a `LeaderboardRecord`."""
    return await _answer(request, slug, phase, Form.JSON)


@router.get("/competitions/{slug}/leaderboard.html", response_class=Response)
async def read_leaderboard_page(slug: str, request: Request, phase: PhaseName = None) -> Response:
    """The first thousand rows of a phase's leaderboard, as a page that stands by itself."""
    return await _answer(request, slug, phase, Form.HTML)


@router.get("/competitions/{slug}/leaderboard.csv", response_class=Response)
async def read_leaderboard_csv(
    slug: str, request: Request, phase: PhaseName = None, as_of: AwareDatetime | None = None
) -> Response:
    """A phase's whole leaderboard as CSV, scores in whole precision, as it stands or as it stood."""
    return await _answer(request, slug, phase, Form.CSV, as_of)


# Services and caller are taken from the request, without a thread for each: a crowd comes here.
async def _answer(
    request: Request, slug: str, phase: str | None, form: Form, as_of: datetime | None = None
) -> Response:
    services: Services = request.app.state.services
    caller: Caller | None = request.state.caller
    headers = {"Vary": "Accept-Encoding, Authorization"}
    if form is Form.HTML:
        headers["Content-Security-Policy"] = page_policy(services.settings.board_embedders)
    if form is Form.CSV:
        headers["Content-Disposition"] = f'attachment; filename="{slug.lower()}-leaderboard.csv"'
    if caller is not None or as_of is not None:
        # Made for this one caller, so that it is a read like any other.
        services.pacing.require(Traffic.READS, counted_as(caller, request.client.host if request.client else ""))
        text = await run_in_threadpool(_own_view, services, slug, caller, phase, form, as_of)
        headers["Cache-Control"] = "private, no-store"
        return Response(text, media_type=MEDIA_TYPES[form], headers=headers)
    snapshot = await services.boards.get(slug, phase, form)
    headers |= _cache_headers(snapshot, services.settings.board_seconds)
    is_packed = _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f"{snapshot.tag}-gz" if is_packed else snapshot.tag
    headers["ETag"] = f'"{tag}"'
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return Response(snapshot.packed if is_packed else snapshot.body, media_type=MEDIA_TYPES[form], headers=headers)


def _own_view(
    services: Services, slug: str, caller: Caller | None, phase: str | None, form: Form, as_of: datetime | None
) -> str:
    """A board as the caller alone asks for it: with their own name, with what only organizers see, or of the past."""
    with services.database.session() as session:
        text, _ = board_in_form(session, find_board(session, slug, caller, phase), form, as_of=as_of)
    return text.replace(VERSION_MARK, "", 1) if form is Form.HTML else text


def _cache_headers(snapshot: Snapshot, seconds: int) -> dict[str, str]:
    found = {"Cache-Control": f"public, max-age={seconds}, stale-while-revalidate={3 * seconds}, stale-if-error=600"}
    if snapshot.updated is not None:
        found["Last-Modified"] = format_datetime(snapshot.updated.astimezone(UTC), usegmt=True)
    return found


def _takes_gzip(accepted: str) -> bool:
    """Whether a client takes gzip: it names it, and not with a weight of zero."""
    for part in accepted.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "").lower().rstrip("0.") != "q="
    return False


def _is_known(named: str, tag: str) -> bool:
    """Whether `If-None-Match` names a tag. Proxies that pack answers anew make a tag weak, which is as good here."""
    tags = {part.strip().removeprefix("W/") for part in named.split(",")}
    return f'"{tag}"' in tags or "*" in tags
