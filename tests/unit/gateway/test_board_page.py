"""The public page of a board, without a server, and what may be said of who frames it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from podium.platform.bundles.content import Sorting
from podium.platform.gateway.board_csv import board_csv
from podium.platform.gateway.board_page.page import PhaseLink, board_page, page_policy
from podium.platform.gateway.routes.public_boards import _is_known, _takes_gzip
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow
from podium.platform.settings import ServerSettings

DAY = datetime(2026, 5, 31, 12, tzinfo=UTC)
COLUMN = ColumnRecord("accuracy", "Accuracy", Sorting.DESC, 2, is_primary=True, computation=None)
ROW = LeaderboardRow(1, "ada", UUID(int=1), 7, DAY, (0.987654321,), {}, 3, place=1, previous_rank=3, rank_change=2)
BOARD = LeaderboardRecord("iris", "Iris", "Results", "Final", (COLUMN,), (), (ROW,), 1, DAY)
PHASES = (PhaseLink(1, "Warm-up", DAY, DAY), PhaseLink(2, "Final", DAY, None))


def test_the_policy_allows_the_pages_own_script_and_style_alone() -> None:
    page, policy = board_page(BOARD, PHASES, 2), page_policy(())
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "http" not in page.replace("https?", "")
    assert not re.search(r"\s(on\w+|style)=", page)


def test_a_board_is_a_table_that_says_what_it_is() -> None:
    page = board_page(BOARD, PHASES, 2)
    assert "<caption>Iris, phase Final: Results, best first</caption>" in page
    assert '<th scope="row" class="who" title="ada">ada</th>' in page
    assert 'data-v="0.987654321">0.99<' in page
    assert '<span aria-hidden="true">▲2</span><span class="unseen">, risen by 2</span>' in page
    assert '<a href="leaderboard.html?phase=2" aria-current=page>Final</a>' in page
    assert page == board_page(BOARD, PHASES, 2)


def test_what_is_not_plain_is_said() -> None:
    special = replace(BOARD, total=1234, anonymous=True, frozen_since=DAY)
    page = board_page(special, PHASES, 2)
    assert "frozen: this is how it stood at 2026-05-31 12:00 UTC" in page
    assert "Names are hidden" in page
    assert "the first 1 of 1,234 rows" in page
    empty = board_page(replace(BOARD, rows=(), total=0), PHASES, 2)
    assert "No scored submission yet" in empty
    assert "<table>" not in empty


def test_the_scores_of_each_task_stand_beside_the_boards_own() -> None:
    computed = replace(COLUMN, key="mean", title="Mean", is_primary=False, computation="avg")
    row = replace(ROW, scores=(0.5, 0.5), task_scores=((0.25, 0.25), (0.75, 0.75)))
    other = replace(row, participant="bob", task_scores=())
    board = replace(BOARD, columns=(COLUMN, computed), rows=(row, other), tasks=("Easy <1>", "Hard"))
    page = board_page(board, PHASES, 2)
    for task in ("Easy &lt;1&gt;", "Hard"):
        assert f'Accuracy <small class="quiet">{task}</small>' in page
    assert "Mean <small" not in page
    assert page.index('data-v="0.25">0.25<') < page.index('data-v="0.75">0.75<')
    assert page.count('<td class="number" data-v="">') == 2
    head, ada, bob = (line.split(",") for line in board_csv(board).splitlines())
    assert head[-2:] == ["accuracy (Easy <1>)", "accuracy (Hard)"]
    assert (ada[-2:], bob[-2:]) == (["0.25", "0.75"], ["", ""])


def test_names_of_people_are_text() -> None:
    hostile = replace(ROW, participant='"><img src=x onerror=alert(1)>')
    assert "<img" not in board_page(replace(BOARD, rows=(hostile,)), PHASES, 2)


def _settings(embedders: str) -> ServerSettings:
    return ServerSettings(
        database_url="postgresql://x", storage_url="file:///x", secret_key="x" * 32, board_embedders=embedders
    )


def test_embedders_are_sites_and_nothing_else() -> None:
    sites = _settings("https://example.org/, https://*.example.com:8443").board_embedders
    assert sites == ("https://example.org", "https://*.example.com:8443")
    assert "frame-ancestors https://example.org https://*.example.com:8443;" in page_policy(sites)
    for wrong in ("https://a.org; script-src *", "'self'", "javascript:x", "https://a.org/path"):
        with pytest.raises(ValidationError, match="is no site"):
            _settings(wrong)


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("gzip, br", True), ("br;q=1, GZIP;q=0.2", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("", False)],
)
def test_gzip_is_sent_to_those_who_take_it(*, accepted: str, takes: bool) -> None:
    assert _takes_gzip(accepted) is takes


def test_a_known_tag_is_found_among_others() -> None:
    assert _is_known('"a", W/"b-gz"', "b-gz")
    assert _is_known("*", "b")
    assert not _is_known('"b"', "b-gz")
    assert not _is_known("", "b")
