"""The files that a competition offers, by their phases; and what it says its results look like."""

from __future__ import annotations

from typing import Any

from world import PAST, Known, RunningGateway, World, phase

TASK = {
    "index": 0,
    "name": "Task 0",
    "scoring_program": "scoring_program",
    "reference_data": "reference_data",
    "input_data": "scoring_program",
}


def kinds(gateway: RunningGateway, who: Known | None) -> list[tuple[str, tuple[str, ...]]]:
    answer = gateway.call("GET", "/competitions/iris/files", who.token if who else None)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return [(one["kind"], tuple(one["phases"])) for one in found]


def test_a_file_is_offered_once_for_all_its_phases(world: World, gateway: RunningGateway, olga: Known) -> None:
    first = phase(tasks=[0], name="First", start=PAST, end="2090-01-01", public_data="scoring_program")
    second = phase(tasks=[0], name="Second", start="2091-01-01", end=None, starting_kit="reference_data")
    world.competition(olga, slug="iris", tasks=[TASK], phases=[first, second], make_input_data_available=True)
    assert kinds(gateway, None) == [("public_data", ("First",)), ("input_data", ("First",))]
    assert kinds(gateway, olga) == [
        ("public_data", ("First",)),
        ("input_data", ("First", "Second")),
        ("starting_kit", ("Second",)),
    ]


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
