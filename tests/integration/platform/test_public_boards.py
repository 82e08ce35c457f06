"""Public leaderboards as a crowd gets them: the same bytes for all, made once, and nothing that is not public."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import update
from world import HTTP, Known, RunningGateway, World, board

from podium.platform.gateway import board_snapshots
from podium.platform.models import Competition, Leaderboard, now
from podium.platform.rates import Pace, Traffic

FORMS = ("json", "csv", "html")
COLUMNS = ({"key": "accuracy"}, {"key": "secret", "hidden": True})


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is looked after each time, so that no test waits for it."""
    monkeypatch.setattr(board_snapshots, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(board_snapshots, "STALE_SECONDS", 0.0)


def get(
    gateway: RunningGateway,
    slug: str,
    form: str,
    token: str | None = None,
    params: Mapping[str, str] | None = None,
    **headers: str,
) -> httpx.Response:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return HTTP.get(
        f"{gateway.address}/api/v1/competitions/{slug}/leaderboard.{form}",
        headers={"Accept-Encoding": "identity", **headers},
        params=params,
    )


def made(world: World, olga: Known, ada: Known, **rules: object) -> str:
    slug = world.competition(olga, leaderboards=[board(*COLUMNS, **rules)])
    world.join(ada, slug)
    world.score(ada, slug, {"accuracy": 0.75, "secret": 0.123456})
    return slug


def test_a_board_goes_out_in_each_form_and_may_be_kept(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = made(world, olga, ada)
    for form in FORMS:
        answer = get(gateway, slug, form)
        assert answer.status_code == 200, answer.text
        assert "ada" in answer.text
        assert "0.75" in answer.text
        assert "secret" not in answer.text
        assert "0.1234" not in answer.text
        assert answer.headers["cache-control"].startswith("public, max-age=5, stale-while-revalidate=")
        assert answer.headers["vary"] == "Accept-Encoding, Authorization"
        assert answer.headers["last-modified"].endswith("GMT")
        tag = answer.headers["etag"]
        again = get(gateway, slug, form, **{"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        packed = get(gateway, slug, form, **{"Accept-Encoding": "br, gzip;q=0.5"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["etag"] != tag, "other bytes under one strong tag"
        assert packed.text == answer.text
    page = get(gateway, slug, "html")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert f'data-version="{page.headers["etag"].strip(chr(34))}"' in page.text


def test_a_change_makes_another_tag_and_nothing_else_does(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = made(world, olga, ada)
    first = get(gateway, slug, "json").headers["etag"]
    assert get(gateway, slug, "json").headers["etag"] == first
    world.score(ada, slug, {"accuracy": 0.5})
    answer = get(gateway, slug, "json", **{"If-None-Match": first})
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["scores"] == [0.5]


def test_a_board_of_the_past_goes_out_as_csv_and_is_nobody_elses(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = made(world, olga, ada)
    moment = now()
    world.score(ada, slug, {"accuracy": 0.5})
    then = get(gateway, slug, "csv", params={"as_of": moment.isoformat()})
    assert ([line.split(",")[2] for line in then.text.split()], then.headers["cache-control"]) == (
        ["accuracy", "0.75"],
        "private, no-store",
    )
    assert ",0.5," in get(gateway, slug, "csv").text
    assert get(gateway, slug, "csv", params={"as_of": "2026-01-01"}).status_code == 422
    # What is made for one caller is counted as their other reads are.
    monkeypatch.setitem(gateway.services.pacing._paces, Traffic.READS, Pace(1, 0.001))
    statuses = [get(gateway, slug, "csv", params={"as_of": moment.isoformat()}).status_code for _ in range(2)]
    assert statuses[-1] == 429
    assert get(gateway, slug, "csv").status_code == 200


def test_a_crowd_has_it_rendered_once(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_snapshots, "FRESH_SECONDS", 60.0)
    slug = made(world, olga, ada)
    before = gateway.services.boards.rendered
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: get(gateway, slug, "html"), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert gateway.services.boards.rendered == before + 1


def test_who_has_a_token_gets_a_view_of_their_own_that_nobody_keeps(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = made(world, olga, ada, anonymous=True)
    for form in FORMS:
        public, own, whole = (get(gateway, slug, form, token) for token in (None, ada.token, olga.token))
        assert "Participant " in public.text
        assert ">ada<" not in public.text
        assert '"ada"' not in public.text
        assert "ada" in own.text
        assert "secret" in whole.text
        for private in (own, whole):
            assert private.headers["cache-control"] == "private, no-store"
            assert "etag" not in private.headers


def test_what_may_no_longer_be_seen_is_not_shown(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    slug = made(world, olga, ada)
    tags = {form: get(gateway, slug, form).headers["etag"] for form in FORMS}
    with world.session() as session:
        session.execute(update(Leaderboard).values(hidden=True))
    for form in FORMS:
        answer = get(gateway, slug, form, **{"If-None-Match": tags[form]})
        assert answer.status_code == 403
        assert answer.headers["cache-control"] == "no-store"
        assert get(gateway, slug, form, olga.token).status_code == 200
    with world.session() as session:
        session.execute(update(Competition).values(published=False))
    for form in FORMS:
        assert get(gateway, slug, form, **{"If-None-Match": tags[form]}).status_code == 404


def test_names_on_the_page_are_text(world: World, gateway: RunningGateway, olga: Known, ada: Known) -> None:
    slug = made(world, olga, ada)
    with world.session() as session:
        session.execute(update(Competition).values(title="<script>alert(1)</script>@version@"))
    page = get(gateway, slug, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;@version@" in page.text
    assert page.text.count("<script>") == 1
