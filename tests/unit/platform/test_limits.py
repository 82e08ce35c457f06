"""The one table of limits."""

from __future__ import annotations

import pytest

from podium.platform.jobs import Limits
from podium.platform.limits import (
    BY_KEY,
    LIMITS,
    TABLE,
    UnknownLimit,
    beyond,
    effective,
    limit_by_key,
    maximum_of,
    read_maxima,
)
from podium.platform.quantities import InvalidAmount

GIB = 2**30


def test_table_and_contract_have_the_same_limits_and_defaults() -> None:
    assert {limit.name: limit.default for limit in TABLE} == Limits().model_dump()
    assert len(BY_KEY) == len(LIMITS) == len(TABLE)


def test_defaults_can_be_asked_for_and_are_read_as_they_are_shown() -> None:
    for limit in TABLE:
        if limit.default is not None:
            assert limit.maximum is None or limit.least <= limit.default <= limit.maximum
            assert limit.read(limit.shown(limit.default).replace(",", "")) == limit.default


@pytest.mark.parametrize("limit", [limit for limit in TABLE if limit.verdict], ids=lambda limit: limit.name)
def test_what_a_verdict_says_names_the_value(limit: object) -> None:
    assert "7" in limit.message(7)  # type: ignore[attr-defined] -- it is one of the table


def test_what_is_not_asked_for_is_the_default_and_nothing_is_more_than_the_maximum() -> None:
    assert Limits(**effective({}, {})) == Limits()  # type: ignore[arg-type] -- whole numbers
    assert effective({"memory_bytes": 8 * GIB}, {})["memory_bytes"] == 8 * GIB
    assert effective({"memory_bytes": 8 * GIB}, {"memory_bytes": 2 * GIB})["memory_bytes"] == 2 * GIB
    assert effective({}, {"memory_bytes": 2 * GIB})["memory_bytes"] == 2 * GIB
    assert "cpu_seconds" not in effective({}, {})
    assert effective({}, {"cpu_seconds": 60})["cpu_seconds"] == 60
    assert effective({"gpus": 0.0}, {})["gpus"] == 0


def test_more_than_may_be_asked_for_is_found_one_by_one() -> None:
    asked = {"memory_bytes": 1000 * GIB, "wall_seconds": 60.0, "gpus": 9.0, "cpu_seconds": 1e9}
    assert [limit.key for limit in beyond(asked, {})] == ["memory", "gpus"]
    assert [limit.key for limit in beyond(asked, {"wall_seconds": 59, "gpus": 9, "cpu_seconds": 1})] == [
        "wall",
        "cpu_time",
        "memory",
    ]
    assert maximum_of("memory_bytes", {"memory_bytes": 5}) == 5


def test_maxima_are_read_as_people_write_them() -> None:
    assert read_maxima({"memory": "8 GiB", "wall": "1 h", "gpus": 0}) == {
        "memory_bytes": 8 * GIB,
        "wall_seconds": 3600,
        "gpus": 0,
    }
    with pytest.raises(InvalidAmount, match=r"The maximum of `memory`: `much` is not an amount.* Write an amount"):
        read_maxima({"memory": "much"})
    with pytest.raises(UnknownLimit, match=r"no limit `memroy`\. Did you mean `memory`"):
        read_maxima({"memroy": "8 GiB"})


@pytest.mark.parametrize(
    ("key", "near"),
    [("memory_bytes", "memory"), ("cpu-time", "cpu_time"), ("GPU", "gpus"), ("open files", "open_files")],
)
def test_unknown_limits_name_the_nearest(key: str, near: str) -> None:
    with pytest.raises(UnknownLimit, match=f"Did you mean `{near}`"):
        limit_by_key(key)


def test_unknown_limits_that_look_like_none_name_all() -> None:
    with pytest.raises(UnknownLimit, match=r"There are: wall, cpu_time, .*, gpus\."):
        limit_by_key("zzz")


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("memory", "1", "is too little for `memory`. The least is 6 MiB."),
        ("processes", "1", "The least is 2."),
        ("processes", "2.5", "is not a whole number"),
        ("wall", "0", "is too little for `wall`"),
        ("wall", "1.5", "is not a whole number of seconds"),
    ],
)
def test_amounts_that_make_no_sense(key: str, text: str, says: str) -> None:
    with pytest.raises(InvalidAmount, match=says):
        limit_by_key(key).read(text)
