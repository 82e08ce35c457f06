"""Logs over HTTP: append-only, resumable, apart by attempt, and never larger than they may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from world import Agency, Known, RunningGateway, World

from podium.platform.client import Client
from podium.platform.models import LogText, Phase
from podium.platform.records.submissions import LogPiece
from podium.platform.submissions import logs
from podium.platform.submissions.logs import CUT_MARK, NOTES_CHARACTERS

Connect = Callable[[str | None], Client]


@pytest.fixture
def agent(world: World) -> str:
    return world.agent_token()


@pytest.fixture
def attempt(gateway: RunningGateway, world: World, ada: Known, agent: str) -> Agency:
    slug = world.competition(world.person("olga", organizer=True))
    world.join(ada, slug)
    return gateway.claim(agent, world.submit(ada, slug))


@pytest.fixture
def reader(connect: Connect, ada: Known) -> Client:
    return connect(ada.token)


def stored(world: World, attempt: Agency) -> tuple[int, int]:
    """Rows and characters that are stored of an attempt."""
    with world.session() as session:
        query = select(func.count(), func.coalesce(func.sum(func.length(LogText.text)), 0)).where(
            LogText.attempt_id == attempt.job.attempt_id
        )
        rows, characters = session.execute(query).one()
    return rows, characters


def test_a_reader_goes_on_where_it_was_and_misses_and_repeats_nothing(attempt: Agency, reader: Client) -> None:
    seen: list[LogPiece] = []
    offset = 0
    for number in range(20):
        text = f"line {number}\n"
        assert attempt.log("scoring_stdout", offset, text).status_code == 204
        offset += len(text)
        if number % 3 == 0:  # as a reader that comes again and again, each time with nothing but the cursor
            after = seen[-1].sequence if seen else 0
            seen += reader.logs(attempt.job.submission_id, after=after).pieces
    seen += reader.logs(attempt.job.submission_id, after=seen[-1].sequence).pieces
    assert "".join(piece.text for piece in seen) == "".join(f"line {number}\n" for number in range(20))
    assert tuple(seen) == reader.logs(attempt.job.submission_id).pieces


def test_the_tries_at_a_submission_are_told_apart(
    gateway: RunningGateway, attempt: Agency, reader: Client, agent: str
) -> None:
    attempt.log("scoring_stdout", 0, "first try\n")
    attempt.call("handback", json={"reason": "The disk is full."})
    assert attempt.log("scoring_stdout", 10, "too late\n").status_code == 409
    gateway.claim(agent, attempt.job.submission_id).log("scoring_stdout", 0, "second try\n")
    pieces = reader.logs(attempt.job.submission_id).pieces
    assert [(piece.attempt, piece.text) for piece in pieces] == [(1, "first try\n"), (2, "second try\n")]


def test_an_agent_that_never_stops_fills_no_database(world: World, attempt: Agency, reader: Client) -> None:
    with world.session() as session:
        session.execute(update(Phase).values(limits={"log_bytes": 1000}))
    room = 1000 + NOTES_CHARACTERS
    for offset in range(0, 1_000_000, 50_000):
        assert attempt.log("scoring_stdout", offset, "x" * 50_000).status_code == 204
    assert stored(world, attempt) == (1, room + len(CUT_MARK))
    assert reader.logs(attempt.job.submission_id).pieces[0].text.endswith(CUT_MARK)
    # The same again at all offsets: what overlaps is not stored over and over.
    for offset in range(50):
        attempt.log("scoring_stdout", offset, "y" * 1000)
    assert stored(world, attempt) == (1, room + len(CUT_MARK))


def test_many_small_chunks_of_one_request_are_one_row(world: World, attempt: Agency) -> None:
    evaluation = str(attempt.job.evaluations[0].evaluation_id)
    chunks = [
        {"evaluation_id": evaluation, "stream": "scoring_stdout", "offset": number, "text": "x"}
        for number in range(200)
    ]
    assert attempt.call("logs", json={"chunks": chunks}).status_code == 204
    assert stored(world, attempt) == (1, 200)


def test_a_page_of_a_log_is_never_huge(attempt: Agency, reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PAGE_CHARACTERS", 100)
    for number in range(5):
        attempt.log("scoring_stdout", number * 60, f"{number}" * 60)
    attempt.succeed({"accuracy": 1})
    pages, after = [], 0
    while True:
        page = reader.logs(attempt.job.submission_id, after=after)
        pages.append(len(page.pieces))
        after = page.cursor
        if page.ended:
            break
    assert pages == [1, 1, 1, 1, 1]


def test_text_that_json_can_hold_and_a_database_can_not(attempt: Agency, reader: Client) -> None:
    assert attempt.log("scoring_stdout", 0, "nul \x00 esc \x1b[31m <script>alert(1)</script>\n").status_code == 204
    path = f"/attempts/{attempt.job.attempt_id}/logs"
    lone = (
        f'{{"chunks": [{{"evaluation_id": "{attempt.job.evaluations[0].evaluation_id}", "stream": "scoring_stdout",'
        ' "offset": 100, "text": "\\ud800"}]}'
    )
    headers = {"Content-Type": "application/json"}
    answer = attempt.gateway.call("POST", path, attempt.job.attempt_token, content=lone, headers=headers)
    assert answer.status_code == 422
    (piece,) = reader.logs(attempt.job.submission_id).pieces
    assert piece.text == "nul \ufffd esc \x1b[31m <script>alert(1)</script>\n"
