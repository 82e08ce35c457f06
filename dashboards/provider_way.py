"""The way to the provider that people sign in at, and back: pages of this server that no script of Streamlit draws."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from podium.dashboards import times
from podium.dashboards.arrivals import (
    BEGUN_SECONDS,
    Arrival,
    Begun,
    Words,
    arrivals,
    begun,
    binding_of,
    new_secret,
    sha256,
    words,
)
from podium.dashboards.browser_cookie import give_secret, secret_in
from podium.dashboards.gateway import open_gateway
from podium.dashboards.navigation import PageName
from podium.dashboards.settings import Settings
from podium.platform.errors import PodiumError
from podium.platform.records.sign_in import SignedIn

SIGN_IN_PATH = "/provider/sign-in"
LINK_PATH = "/provider/link"
BACK_PATH = "/provider/back"
_SECONDS = 30.0  # the gateway asks the provider meanwhile
_ONCE_SECONDS = 300.0


def routes(settings: Settings) -> list[Route]:
    """The pages of the way."""

    def sign_in(request: Request) -> Response:
        secret = secret_in(request.cookies, settings) or new_secret()
        way = Begun(competition=request.query_params.get("competition", "")[:100])
        return _leave(secret, way, settings)

    def link(request: Request) -> Response:
        # Whose account it is has been put there by the session that showed the link; else nothing is begun.
        secret = secret_in(request.cookies, settings)
        way = begun.find(secret) if secret else None
        return _leave(secret, way, settings) if way is not None and way.token else _to(PageName.SIGN_IN)

    def back(request: Request) -> Response:
        return _arrive(secret_in(request.cookies, settings), request.query_params, settings)

    return [Route(SIGN_IN_PATH, sign_in), Route(LINK_PATH, link), Route(BACK_PATH, back)]


def begin_link(secret: str, token: str) -> None:
    """Let the browser of a session go to the provider, to link who it is there to the account of this token."""
    begun.put(secret, Begun(token=token), seconds=BEGUN_SECONDS)


def _leave(secret: str, way: Begun, settings: Settings) -> Response:
    """Send a browser to the provider."""
    try:
        with open_gateway(way.token or None, seconds=_SECONDS) as gateway:
            begin = gateway.begin_link if way.token else gateway.begin_sign_in
            address = begin(sha256(binding_of(secret))).address
    except PodiumError as error:
        return _back_here(secret, way, _refusal(error), settings)
    begun.put(secret, way, seconds=BEGUN_SECONDS)
    response = RedirectResponse(address, 303)
    give_secret(response, secret, settings)
    return response


def _arrive(secret: str, query: Mapping[str, str], settings: Settings) -> Response:
    """Take a browser up that comes back from the provider."""
    way = (begun.take(secret) if secret else None) or Begun()
    if "code" not in query or "state" not in query:
        return _back_here(secret, way, Words("You did not sign in there.", is_refusal=True), settings)
    returned = {"state": query["state"], "code": query["code"], "binding": binding_of(secret)}
    try:
        with open_gateway(way.token or None, seconds=_SECONDS) as gateway:
            if way.token:
                gateway.complete_link(**returned)
                return _back_here(secret, way, Words("From now on you can sign in there."), settings)
            return _signed_in(gateway.complete_sign_in(**returned), secret, way, settings)
    except PodiumError as error:
        return _back_here(secret, way, _refusal(error), settings)


def _signed_in(who: SignedIn, old: str, way: Begun, settings: Settings) -> Response:
    """Keep somebody signed in in their browser, under a secret that nobody knew before."""
    arrivals.take(old)
    secret = new_secret()
    arrivals.put(secret, Arrival(who.secret, is_kept=True), seconds=(who.expires - times.now()).total_seconds())
    if who.is_new:
        _say(secret, Words(f"Welcome. Your account here is {who.person.username}."))
    goes_on = way.competition and not who.is_new
    response = _to(PageName.COMPETITION, competition=way.competition) if goes_on else _to(PageName.SIGN_IN)
    give_secret(response, secret, settings)
    return response


def _back_here(secret: str, way: Begun, said: Words, settings: Settings) -> Response:
    """Go on as before, with something to say: whoever was signed in still is."""
    kept = arrivals.find(secret) if secret else None
    response = _to(PageName.SIGN_IN)
    if kept is None:
        secret = new_secret()
        give_secret(response, secret, settings)
        if way.token:
            arrivals.put(secret, Arrival(way.token, is_kept=False), seconds=_ONCE_SECONDS)
    _say(secret, said)
    return response


def _say(secret: str, said: Words) -> None:
    words.put(secret, said, seconds=_ONCE_SECONDS)


def _refusal(error: PodiumError) -> Words:
    return Words(f"{error.detail} {error.remedy}".strip(), is_refusal=True)


def _to(page: PageName, **query: str) -> RedirectResponse:
    return RedirectResponse(f"/{page.value}{'?' if query else ''}{urlencode(query)}", 303)
