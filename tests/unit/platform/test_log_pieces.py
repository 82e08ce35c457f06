"""What of an agent's log chunks is stored."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from podium.platform.jobs import LogStream
from podium.platform.submissions.logs import CUT_MARK, PIECE_CHARACTERS, Piece, new_pieces

EVALUATION = uuid4()
OUT, ERR = LogStream.SCORING_STDOUT, LogStream.SCORING_STDERR
KEY = (EVALUATION, OUT)


def chunk(offset: int, text: str, stream: LogStream = OUT, evaluation: UUID = EVALUATION) -> Piece:
    return Piece(evaluation, stream, offset, text)


def test_neighbours_become_one_piece_and_streams_stay_apart() -> None:
    sent = [chunk(0, "a\n"), chunk(0, "warning\n", ERR), chunk(2, "b\n")]
    assert new_pieces(sent, {}, room=100) == [chunk(0, "a\nb\n"), chunk(0, "warning\n", ERR)]


def test_pieces_do_not_grow_without_end() -> None:
    sent = [chunk(0, "a" * PIECE_CHARACTERS), chunk(PIECE_CHARACTERS, "b")]
    assert new_pieces(sent, {}, room=10**9) == sent


def test_what_was_stored_is_not_stored_again() -> None:
    assert new_pieces([chunk(0, "one\n"), chunk(4, "two\n")], {KEY: 4}, room=100) == [chunk(4, "two\n")]
    assert new_pieces([chunk(0, "one\n"), chunk(0, "one\n")], {}, room=100) == [chunk(0, "one\n")]


def test_text_that_overlaps_what_is_stored_is_not_taken() -> None:
    assert new_pieces([chunk(1, "x" * 50), chunk(2, "x" * 50)], {KEY: 3}, room=100) == []


def test_a_stream_is_cut_at_its_room_with_one_mark() -> None:
    sent = [chunk(0, "x" * 8), chunk(8, "y" * 8), chunk(16, "z" * 8)]
    assert new_pieces(sent, {}, room=10) == [chunk(0, "x" * 8 + "yy" + CUT_MARK)]
    assert new_pieces([chunk(10, "later")], {KEY: 10 + len(CUT_MARK)}, room=10) == []
    assert new_pieces([chunk(10_000, "far away")], {}, room=10) == []


@given(
    st.lists(st.tuples(st.integers(0, 60), st.text(max_size=30), st.sampled_from([OUT, ERR])), max_size=30),
    st.integers(1, 50),
)
def test_no_stream_ever_has_more_than_its_room_and_the_mark(sent: list[tuple[int, str, LogStream]], room: int) -> None:
    stored: list[Piece] = []
    ends: dict[tuple[UUID, LogStream], int] = {}
    for offset, text, stream in sent:  # a request each, with the ends as the database would have them
        for piece in new_pieces([chunk(offset, text, stream)], ends, room=room):
            stored.append(piece)
            ends[piece.key] = piece.offset + len(piece.text)
    for stream in (OUT, ERR):
        own = [piece for piece in stored if piece.stream is stream]
        assert sum(len(piece.text) for piece in own) <= room + len(CUT_MARK)
        assert [piece.offset for piece in own] == sorted({piece.offset for piece in own})
