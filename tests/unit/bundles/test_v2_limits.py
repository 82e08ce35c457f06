"""The limits of a phase."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.reader import BundleReading

SECOND = "  - name: Second\n    start: 2026-07-01\n"


def asking(limits: str, more: str = "") -> tuple[str, str]:
    return SECOND, f"{SECOND}    limits: {limits}\n{more}"


def test_limits_are_read_by_their_names(accepted: Callable[..., CompetitionContent]):
    limits = "{memory: 8 GiB, cpus: 0.5, cpu_time: 1 h 30 min, gpus: 0, processes: 1000, disk: 500MB}"
    first, second = accepted(asking(limits)).phases
    assert second.limits == {
        "memory_bytes": 8 * 2**30,
        "cpus": 0.5,
        "cpu_seconds": 5400,
        "gpus": 0,
        "processes": 1000,
        "disk_bytes": 500_000_000,
    }
    assert (dict(first.limits), first.execution_time_limit, second.execution_time_limit) == ({}, 600, 600)


@pytest.mark.parametrize(
    ("limits", "more"),
    [
        ("{wall: 20 min}", ""),
        ("{wall: 1200}", "    execution_time_limit: 1200\n"),
        ("{}", "    execution_time_limit: 1200\n"),
    ],
)
def test_the_wall_clock_has_two_spellings(limits: str, more: str, accepted: Callable[..., CompetitionContent]):
    second = accepted(asking(limits, more)).phases[1]
    assert (second.execution_time_limit, dict(second.limits)) == (1200, {})


def problems(reading: BundleReading) -> list[tuple[str | None, str, str]]:
    return [(problem.field, problem.message, problem.suggestion) for problem in reading.problems]


def test_all_that_is_wrong_is_said_at_once(read: Callable[..., BundleReading]):
    limits = "{memroy: 8 GiB, cpus: many, processes: 1, gpus: [1], disk: null, wall: 90}"
    found = problems(read(asking(limits, "    execution_time_limit: 60\n")))
    assert found == [
        ("phases[1].limits.memroy", "There is no limit `memroy`.", "Did you mean `memory`?"),
        (
            "phases[1].limits.cpus",
            "`many` is not an amount that can be understood.",
            "Write a number of cores, such as `2` or `0.5`.",
        ),
        ("phases[1].limits.processes", "`1` is too little for `processes`.", "The least is 2."),
        (
            "phases[1].limits.gpus",
            "Expected an amount, got a list.",
            "Write the limit's amount, or leave `gpus` out for the default.",
        ),
        (
            "phases[1].limits.disk",
            "Expected an amount, got nothing.",
            "Write the limit's amount, or leave `disk` out for the default.",
        ),
        (
            "phases[1].execution_time_limit",
            "`execution_time_limit` is 60 s, and `limits: wall` is 90 s.",
            "Leave one of the two out.",
        ),
    ]


def test_a_list_of_limits_says_how_to_write_them(read: Callable[..., BundleReading]):
    ((field, message, suggestion),) = problems(read(asking("[memory]")))
    assert (field, message) == ("phases[1].limits", "Expected limits by their names, got a list.")
    assert suggestion.startswith("Write `limits: {memory: 8 GiB}`; there are: wall, cpu_time, ")
