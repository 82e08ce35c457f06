"""The data of a competition: who may have it, and from when on."""

from __future__ import annotations

from typing import Any

import pytest
from world import HTTP, PAST, Known, RunningGateway, World, phase, problem_of

TASK = {
    "index": 0,
    "name": "Task 0",
    "scoring_program": "scoring_program",
    "reference_data": "reference_data",
    "input_data": "scoring_program",
}


@pytest.fixture
def olga(world: World) -> Known:
    return world.person("olga", organizer=True)


@pytest.fixture
def ada(world: World) -> Known:
    return world.person("ada")


def kinds(gateway: RunningGateway, who: Known) -> list[tuple[str, tuple[str, ...]]]:
    answer = gateway.call("GET", "/competitions/iris/data", who.token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return [(one["kind"], tuple(one["phases"])) for one in found]


def test_participants_have_the_data_of_phases_that_have_begun(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    first = phase(tasks=[0], name="First", start=PAST, end="2090-01-01", public_data="scoring_program")
    second = phase(tasks=[0], name="Second", start="2091-01-01", end=None, starting_kit="reference_data")
    world.competition(olga, slug="iris", tasks=[TASK], phases=[first, second], make_input_data_available=True)
    refused = gateway.call("GET", "/competitions/iris/data", ada.token)
    assert refused.status_code == 403
    assert "You have not joined" in problem_of(refused)["detail"]
    world.join(ada, "iris")
    assert kinds(gateway, ada) == [("public_data", ("First",)), ("input_data", ("First",))]
    assert kinds(gateway, olga) == [
        ("public_data", ("First",)),
        ("input_data", ("First", "Second")),
        ("starting_kit", ("Second",)),
    ]
    (file, _) = gateway.call("GET", "/competitions/iris/data", ada.token).json()
    fetched = HTTP.get(file["request"]["url"], headers=file["request"]["headers"])
    assert fetched.status_code == 200
    assert len(fetched.content) == file["size"]


def test_programs_are_shown_where_the_organizer_says_so(
    world: World, gateway: RunningGateway, olga: Known, ada: Known
) -> None:
    world.competition(olga, slug="iris", tasks=[TASK], make_programs_available=True)
    world.join(ada, "iris")
    assert [kind for kind, _ in kinds(gateway, ada)] == ["scoring_program"]


def test_reference_data_is_never_offered(world: World, gateway: RunningGateway, olga: Known) -> None:
    everything = {"make_programs_available": True, "make_input_data_available": True}
    world.competition(olga, slug="iris", tasks=[TASK], **everything)
    assert [kind for kind, _ in kinds(gateway, olga)] == ["input_data", "scoring_program"]


def test_the_format_of_a_phase_is_kept_and_shown(world: World, gateway: RunningGateway, olga: Known) -> None:
    declared = {"file": "p.csv", "columns": ["id", {"name": "y", "type": "number"}], "rows": 3}
    world.competition(olga, slug="iris", phases=[phase(tasks=[0], submission_format=declared)])
    (shown,) = gateway.call("GET", "/competitions/iris", None).json()["phases"]
    kept = {"type": "any", "values": [], "may_be_empty": False}
    assert shown["submission_format"] == {
        "file": "p.csv",
        "kind": "csv",
        "columns": [{"name": "id", **kept}, {"name": "y", **kept, "type": "number"}],
        "rows": 3,
        "shape": [],
        "files": [],
    }
