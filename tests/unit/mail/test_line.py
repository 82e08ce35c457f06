"""The line between whoever makes messages and the connections: its order, and how many are marked ahead."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from podium.platform.mail.letters import Letter
from podium.platform.mail.line import Line


def letter(number: int) -> Letter:
    return Letter(UUID(int=number), f"p{number}@example.org", "podium@podium.test", b"", 0)


class Marks:
    """Marks that were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, message_id: UUID) -> Future[bool]:
        self.asked.append(message_id.int)
        return Future()


@given(
    ahead=st.integers(1, 4),
    room=st.integers(1, 4),
    steps=st.lists(st.sampled_from(["put", "take", "finish"]), max_size=60),
)
def test_whatever_happens_no_more_are_marked_than_connections_have_and_ahead(ahead: int, room: int, steps: list[str]):
    marks = Marks()
    line = Line(marks, room=room, ahead=ahead)
    put, taken, finished = 0, list[int](), 0
    for step in steps:
        if step == "put":
            has_room = line.put(letter(put), 0)
            assert has_room == (put - len(taken) < room + ahead)
            put += has_room
        elif step == "take" and put > len(taken):
            one = line.take()
            assert one is not None
            taken.append(one.letter.id.int)
        elif step == "finish" and len(taken) > finished:
            line.finish()
            finished += 1
        assert taken == list(range(len(taken)))
        assert marks.asked == list(range(min(put, len(taken) + ahead)))
        assert line.is_idle == (put == finished)


def test_when_it_is_closed_those_that_are_marked_come_back_and_nobody_waits():
    marks = Marks()
    line = Line(marks, room=5, ahead=2)
    for number in range(5):
        assert line.put(letter(number), 0)
    assert line.take() is not None
    found: list[object] = []
    other = Line(marks, room=1, ahead=1)
    waiting = threading.Thread(target=lambda: found.append(other.take()))
    waiting.start()
    assert other.close() == []
    waiting.join(10)
    assert found == [None]
    assert [one.id.int for one in line.close()] == [1, 2]
    assert line.take() is None
    assert marks.asked == [0, 1, 2]
    line.finish()
    assert line.is_idle


def test_whoever_waits_for_room_gets_it():
    line = Line(Marks(), room=1, ahead=1)
    assert line.put(letter(0), 0)
    assert line.put(letter(1), 0)
    assert not line.put(letter(2), 0.01)
    done: list[bool] = []
    waiting = threading.Thread(target=lambda: done.append(line.put(letter(2), 10)))
    waiting.start()
    assert line.take() is not None
    waiting.join(10)
    assert done == [True]
