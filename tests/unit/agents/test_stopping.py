"""What is over elsewhere is stopped here: the attempts that are named, and all of them when the agent ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from podium.agents.post import Post
from podium.agents.settings import AgentSettings
from podium.tasks.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    nothing = SimpleNamespace()
    return Workplace(agent="an-agent", gateway=nothing, transfers=nothing, executor=nothing, folder=tmp_path)  # type: ignore[arg-type]  # stand-ins


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(AgentSettings.model_validate({"token": "t", "name": "an-agent", "folder": tmp_path}))
    yield made
    made.gateway.close()


def held(workplace: Workplace, stack: ExitStack, number: int) -> dict[UUID, threading.Event]:
    stops = {uuid4(): threading.Event() for _ in range(number)}
    for attempt_id, stop in stops.items():
        stack.enter_context(workplace.holding(attempt_id, stop))
    return stops


def test_the_named_attempts_are_stopped_and_no_others(workplace: Workplace) -> None:
    with ExitStack() as stack:
        stops = held(workplace, stack, 3)
        first, second, third = stops
        workplace.stop([first, uuid4(), third])
        assert [stops[one].is_set() for one in (first, second, third)] == [True, False, True]
        workplace.stop([])
        assert not stops[second].is_set()
        assert not workplace.stopping.is_set()


def test_what_has_ended_here_is_not_known_any_more(workplace: Workplace) -> None:
    attempt_id, before, after = uuid4(), threading.Event(), threading.Event()
    with workplace.holding(attempt_id, before):
        pass
    workplace.stop([attempt_id])
    assert not before.is_set()
    # Told again of what is over, a new attempt at the same submission goes on.
    with workplace.holding(uuid4(), after):
        workplace.stop([attempt_id])
        assert not after.is_set()


def test_an_attempt_that_raises_is_let_go_too(workplace: Workplace) -> None:
    attempt_id, stop = uuid4(), threading.Event()
    with pytest.raises(RuntimeError), workplace.holding(attempt_id, stop):
        raise RuntimeError
    workplace.stop([attempt_id])
    assert not stop.is_set()


def test_an_agent_that_ends_stops_all_and_what_begins_after(workplace: Workplace) -> None:
    with ExitStack() as stack:
        stops = held(workplace, stack, 2)
        workplace.stop_attempts()
        assert all(stop.is_set() for stop in stops.values())
        late = threading.Event()
        stack.enter_context(workplace.holding(uuid4(), late))
        assert late.is_set()


def test_whoever_waits_for_a_stop_is_woken(workplace: Workplace) -> None:
    attempt_id, stop, began = uuid4(), threading.Event(), threading.Event()
    woken: list[bool] = []

    def work() -> None:
        with workplace.holding(attempt_id, stop):
            began.set()
            woken.append(stop.wait(10))

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(10)
    workplace.stop([attempt_id])
    thread.join(10)
    assert woken == [True]


def test_a_post_passes_stops_on_to_its_workplace(post: Post, workplace: Workplace) -> None:
    post.stop([uuid4()])  # before it has a workplace there is nothing to stop
    post._workplace = workplace
    with ExitStack() as stack:
        stops = held(workplace, stack, 2)
        first, second = stops
        post.stop((first,))
        assert (stops[first].is_set(), stops[second].is_set()) == (True, False)
